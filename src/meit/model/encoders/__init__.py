"""What reads the ECG: networks of the signal and of the median beat, measurements, and what they were trained on."""
