"""ECG reports: cleaned, translated into English (German and Swedish ones), and read into coded statements."""

from meit.reports.clean import clean_report, non_report_reason
from meit.reports.translate import Translation, translate

__all__ = ["Translation", "clean_report", "non_report_reason", "translate"]
