"""meit: reads a 12-lead ECG and drafts its clinical report, for a clinician to correct and sign."""

__version__ = "0.1.0"
