"""meit: reads a 12-lead ECG and drafts its clinical report, for a clinician to correct and sign.

    recording = meit.read_ecg("examples/ptb-xl/00195_hr")
    draft = meit.draft_report(meit.load_model("models/default"), recording)

What stands in __all__ is public. __init__.pyi gives its types: here each name is imported when it is first used, since
reading an ECG needs no language model, and `import meit` neither.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "meit.ecg.files.formats": ("find_recordings", "read_ecg"),
    "meit.ecg.recording": ("LEADS", "Recording"),
    "meit.ecg.stated": ("Cart", "Patient"),
    "meit.ecg.paper": ("draw_paper",),
    "meit.ecg.measure": ("Measure", "Measurements", "measure"),
    "meit.ecg.quality": ("Quality", "Reason", "inspect"),
    "meit.reports.statements": ("Statement", "read_statements"),
    "meit.model.report_model": ("ReportModel", "load_model"),
    "meit.drafting.draft": ("Answer", "Draft", "draft_report", "draft_reports"),
    "meit.errors": ("DataError", "MeitError", "ModelError", "RecordingError", "StationError"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'meit' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
