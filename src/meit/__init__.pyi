from meit.drafting.draft import Answer as Answer
from meit.drafting.draft import Draft as Draft
from meit.drafting.draft import draft_report as draft_report
from meit.drafting.draft import draft_reports as draft_reports
from meit.ecg.files.formats import find_recordings as find_recordings
from meit.ecg.files.formats import read_ecg as read_ecg
from meit.ecg.measure import Measure as Measure
from meit.ecg.measure import Measurements as Measurements
from meit.ecg.measure import measure as measure
from meit.ecg.paper import draw_paper as draw_paper
from meit.ecg.quality import Quality as Quality
from meit.ecg.quality import Reason as Reason
from meit.ecg.quality import inspect as inspect
from meit.ecg.recording import LEADS as LEADS
from meit.ecg.recording import Recording as Recording
from meit.ecg.stated import Cart as Cart
from meit.ecg.stated import Patient as Patient
from meit.errors import DataError as DataError
from meit.errors import MeitError as MeitError
from meit.errors import ModelError as ModelError
from meit.errors import RecordingError as RecordingError
from meit.errors import StationError as StationError
from meit.model.report_model import ReportModel as ReportModel
from meit.model.report_model import load_model as load_model
from meit.reports.statements import Statement as Statement
from meit.reports.statements import read_statements as read_statements

__version__: str
__all__: list[str]
