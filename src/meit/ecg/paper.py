"""The standard sheet: 3 rows of 4 leads and a rhythm strip of lead II, 25 mm/s and 10 mm/mV, true to scale on A4.

Everything is placed in millimetres from the lower left corner of the sheet. Each column shows its own 2.5 s, so that
a beat is read down the column; each lead is placed around its own median, which takes nothing else from the signal.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from meit.ecg.quality import Quality, inspect
from meit.ecg.recording import Recording
from meit.ecg.stated import age_words, moment_words
from meit.errors import MeitError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM_PER_SECOND = 25.0
MM_PER_MILLIVOLT = 10.0
SHEET_SECONDS = 10.0
ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"), ("II",))
PNG_DPI = 200

_WIDTH, _HEIGHT = 297.0, 210.0  # A4, landscape
_PULSE_WIDTH = 0.2 * MM_PER_SECOND
_MARGIN = 2.0  # that a trace keeps from the edge of its row, where it fits

_PAPER, _FINE, _COARSE = "#fffdfc", "#f9e0dd", "#efb9b4"
_INK, _GREY = "#1c1c24", "#6b6470"
_STYLE: dict[
    Any, Any
] = {  # every sample is drawn; text stays text; an SVG's element names do not change from run to run
    "path.simplify": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "meit",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
}
_LOCK = Lock()  # matplotlib's settings are the whole process's


@dataclass(frozen=True)
class Grid:
    """Where the grid lies on a sheet, in mm from its lower left corner; multiples of 5 keep its lines whole."""

    left: float = 0.0
    bottom: float = 0.0
    width: float = 265.0
    row_height: float = 25.0

    @property
    def height(self) -> float:
        return self.row_height * len(ROWS)

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def top(self) -> float:
        return self.bottom + self.height

    @property
    def traces(self) -> float:
        """Where time zero is; the calibration pulse stands before it."""
        return self.left + 15.0

    def baseline(self, row: int) -> float:
        return self.top - (row + 0.5) * self.row_height


_SHEET = Grid(left=11.0, bottom=18.0, width=275.0, row_height=40.0)


def draw_paper(recording: Recording, path: str | Path, start_s: float = 0.0) -> Path:
    """Draws ten seconds from start_s on as .png or .svg, by the path's suffix; returns the path.

    The file appears whole or not at all. The same recording gives the same SVG, byte for byte.
    Raises MeitError for another suffix, for a start outside the recording, and where the file cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise MeitError(f"{path}: the sheet is drawn as .png or .svg; name the file so")
    if not 0 <= start_s < recording.seconds:
        raise MeitError(f"{recording.name}: has {recording.seconds:.3g} s, so no sheet can start at {start_s:g} s")
    with drawing():
        figure = _figure(recording, start_s)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
        try:
            figure.savefig(unfinished, format=kind, dpi=PNG_DPI, metadata={"Date": None} if kind == "svg" else None)
            os.replace(unfinished, path)
        except OSError as error:
            raise MeitError(f"{path}: cannot be written ({error.strerror or error})") from None
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def _figure(recording: Recording, start_s: float) -> "Figure":
    figure, axes = sheet(_WIDTH, _HEIGHT)
    quality = inspect(recording)
    cut = draw_leads(axes, recording, quality, _SHEET, start_s)
    _draw_words(axes, recording, quality, start_s, cut)
    return figure


@contextmanager
def drawing() -> Iterator[None]:
    """What draws and saves a sheet stands in it; one at a time, whatever the number of threads."""
    import matplotlib  # a quarter of a second

    with _LOCK, matplotlib.rc_context(_STYLE):
        yield


def sheet(width: float, height: float) -> "tuple[Figure, Axes]":
    """An empty sheet of this size in mm, and its axes, whose unit is the millimetre. To be called in `drawing`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 25.4, height / 25.4), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return figure, axes


def draw_leads(
    axes: "Axes", recording: Recording, quality: Quality, grid: Grid, start_s: float = 0.0
) -> tuple[str, ...]:
    """Draws the grid, the calibration pulses and ten seconds of the 12 leads on a sheet's axes; returns the leads that
    are taller than the grid and were cut."""
    _draw_grid(axes, grid)
    cut = []
    for row, leads in enumerate(ROWS):
        _draw_pulse(axes, grid, row)
        seconds = SHEET_SECONDS / len(leads)
        for column, lead in enumerate(leads):
            if not _draw_lead(axes, recording, quality, grid, row, lead, start_s, column * seconds, seconds):
                cut.append(lead)
    return tuple(dict.fromkeys(cut))


def _draw_grid(axes: "Axes", grid: Grid) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Rectangle

    corner = (grid.left, grid.bottom)
    axes.add_patch(Rectangle(corner, grid.width, grid.height, facecolor=_PAPER, edgecolor="none", zorder=0))
    for step, colour, width, order in ((1, _FINE, 0.35, 1), (5, _COARSE, 0.5, 2)):
        upright = [((x, grid.bottom), (x, grid.top)) for x in np.arange(grid.left, grid.right + 0.5, step)]
        level = [((grid.left, y), (grid.right, y)) for y in np.arange(grid.bottom, grid.top + 0.5, step)]
        axes.add_collection(LineCollection(upright + level, colors=colour, linewidths=width, zorder=order))


def _draw_pulse(axes: "Axes", grid: Grid, row: int) -> None:
    """One millivolt for 0.2 s, on a foot of 2 mm either side."""
    x = grid.traces - 10.0 + np.array([0, 2, 2, 2 + _PULSE_WIDTH, 2 + _PULSE_WIDTH, 4 + _PULSE_WIDTH])
    y = grid.baseline(row) + np.array([0, 0, 1, 1, 0, 0]) * MM_PER_MILLIVOLT
    axes.plot(x, y, color=_INK, linewidth=0.8, solid_joinstyle="miter", zorder=4, gid=f"pulse-{row + 1}")


def _draw_lead(
    axes: "Axes",
    recording: Recording,
    quality: Quality,
    grid: Grid,
    row: int,
    lead: str,
    start_s: float,
    offset_s: float,
    seconds: float,
) -> bool:
    """Draws `seconds` of a lead from start_s + offset_s on; False where it is taller than the grid and is cut."""
    from matplotlib.patches import Rectangle

    left, width = grid.traces + offset_s * MM_PER_SECOND, seconds * MM_PER_SECOND
    baseline = grid.baseline(row)
    bottom, ceiling_of_row = baseline - grid.row_height / 2, baseline + grid.row_height / 2
    name = lead + (" (derived)" if lead in recording.derived else "") + (" – flat" if lead in quality.flat else "")
    backing = {"facecolor": _PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.0}  # hides the grid, never a trace
    at = (left + 1.5, ceiling_of_row - 5.5)
    axes.text(*at, name, fontsize=9, fontweight="bold", color=_INK, bbox=backing, zorder=3)
    if offset_s:  # the tick that parts two leads
        axes.plot([left, left], [baseline - 3, baseline + 3], color=_GREY, linewidth=0.7, zorder=3)

    values = recording.lead(lead)
    rate = recording.rate
    first, last = (round((start_s + offset_s + more) * rate) for more in (0, seconds))
    part = values[first : last + 1]  # one sample more, so that the line reaches the next column
    recorded = part[np.isfinite(part)]
    if len(recorded) == 0:
        words = "not recorded" if lead in recording.missing or first < len(values) else "recording ended"
        axes.text(left + width / 2, baseline, words, fontsize=7.5, color=_GREY, ha="center", va="center", zorder=5)
        return True
    heights = (part.astype(np.float64) - np.nanmedian(values)) * MM_PER_MILLIVOLT
    low, high = np.nanmin(heights), np.nanmax(heights)
    # Within its row if it fits there, else across the rows, as carts print it: the lead is moved as a whole,
    # which leaves its shape and size alone. Only what is taller than the grid is cut.
    floor, ceiling = bottom + _MARGIN, ceiling_of_row - _MARGIN
    if high - low > ceiling - floor:
        floor, ceiling = grid.bottom, grid.top
    shift = max(0.0, floor - (baseline + low)) - max(0.0, baseline + high - ceiling)
    (line,) = axes.plot(
        grid.traces + ((first + np.arange(len(part))) / rate - start_s) * MM_PER_SECOND,
        baseline + shift + heights,
        color=_INK,
        linewidth=0.8,
        solid_joinstyle="round",
        zorder=4,
        gid=f"lead-{lead}" if seconds < SHEET_SECONDS else f"rhythm-{lead}",
    )
    line.set_clip_path(Rectangle((left, grid.bottom), width, grid.height, transform=axes.transData))
    return bool(high - low <= ceiling - floor)


def _draw_words(axes: "Axes", recording: Recording, quality: Quality, start_s: float, cut: tuple[str, ...]) -> None:
    left, right, top = _SHEET.left, _SHEET.right, _SHEET.top
    axes.text(left, top + 17, drawable(recording.name), fontsize=13, fontweight="bold", color=_INK, parse_math=False)
    axes.text(left, top + 10.5, about_patient(recording), fontsize=9, color=_INK, parse_math=False)
    if recording.start is not None:
        when = moment_words(recording.start).replace(" ", "  ")
        axes.text(right, top + 17, when, fontsize=9, color=_INK, ha="right")
    shown_to = min(start_s + SHEET_SECONDS, recording.seconds)
    length = f"{start_s:g}–{shown_to:.4g} s of {recording.seconds:.4g} s,  {recording.rate:g} Hz"
    axes.text(right, top + 10.5, length, fontsize=9, color=_INK, ha="right")
    scale = f"{MM_PER_SECOND:g} mm/s   {MM_PER_MILLIVOLT:g} mm/mV   drawn as stored in the file, no filter applied"
    axes.text(left, _SHEET.bottom - 6, scale, fontsize=8, color=_GREY)
    notes = quality.warnings()
    if cut:
        notes.append(f"taller than the sheet and cut: {', '.join(cut)}")
    for line, note in enumerate(_fitted(notes)):
        axes.text(left, top + 6 - 3.7 * line, note, fontsize=7.5, color="#a03a2c")


def about_patient(recording: Recording) -> str:
    patient = recording.patient
    known = (
        f"Patient {drawable(patient.id)}" if patient.id else None,
        {"F": "female", "M": "male"}.get(patient.sex or ""),
        age_words(patient.age) if patient.age is not None else None,
    )
    return ",  ".join(part for part in known if part) or "patient not stated"


def drawable(text: str) -> str:
    """What a file calls itself, cut to the sheet and without characters that an SVG must not hold."""
    kept = "".join(character for character in text if character.isprintable() and not 0xD800 <= ord(character) < 0xE000)
    return kept if len(kept) <= 60 else kept[:59] + "…"


def _fitted(notes: list[str]) -> list[str]:
    """At most two lines of notes, of a length that fits the sheet; says how many are left out."""
    lines = [note if len(note) <= 150 else note[:149] + "…" for note in notes[:2]]
    if len(notes) > 2:
        lines[1] = f"{lines[1][:110]}  (and {len(notes) - 2} more)"
    return lines
