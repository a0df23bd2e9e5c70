"""A text held against what was measured: support, what is left out, contradictions, doubts, urgency."""
