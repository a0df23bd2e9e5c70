"""Recordings: files in, 12 leads in millivolts out; their windows, their quality, and their drawing on paper."""

from meit.ecg.files.formats import find_recordings, read_ecg
from meit.ecg.recording import LEADS, Recording

__all__ = ["LEADS", "Recording", "find_recordings", "read_ecg"]
