"""meit: reads a 12-lead ECG and drafts its clinical report, for a clinician to correct and sign."""

import importlib

__version__ = "0.1.0"

# loaded when first used: `import meit` stays quick, and reading an ECG needs no language model
_HOMES = {
    "read_ecg": "meit.ecg",
    "Recording": "meit.ecg",
    "LEADS": "meit.ecg",
    "load_model": "meit.model.report_model",
    "draft_report": "meit.drafting.draft",
    "draft_reports": "meit.drafting.draft",
    "MeitError": "meit.errors",
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'meit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
