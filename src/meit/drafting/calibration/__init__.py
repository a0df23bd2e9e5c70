"""What is fitted to a finished model on the validation fold: confidences, and the sensitive operating point."""
