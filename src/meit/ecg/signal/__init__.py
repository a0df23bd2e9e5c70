"""What every reading of a signal builds on: resampling, windows, filters, beats, the median beat; each once."""
