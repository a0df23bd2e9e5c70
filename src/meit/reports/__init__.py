"""Cleaning and translation of PTB-XL's German, Swedish and English ECG reports."""

from meit.reports.clean import clean_report, non_report_reason
from meit.reports.translate import Translation, translate

__all__ = ["Translation", "clean_report", "non_report_reason", "translate"]
