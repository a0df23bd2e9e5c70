"""The standard sheet: 3 rows of 4 leads and a rhythm strip of lead II, 25 mm/s and 10 mm/mV, true to scale on A4.

Everything is placed in millimetres from the lower left corner of the sheet. Each column shows its own 2.5 s, so that
a beat is read down the column; each lead is placed around its own median, which takes nothing else from the signal.
"""

import os
from pathlib import Path

import numpy as np

from meit.ecg.quality import Quality, inspect
from meit.ecg.recording import Recording
from meit.errors import MeitError

MM_PER_SECOND = 25.0
MM_PER_MILLIVOLT = 10.0
SHEET_SECONDS = 10.0
ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"), ("II",))
PNG_DPI = 200

_WIDTH, _HEIGHT = 297.0, 210.0  # A4, landscape
_LEFT, _BOTTOM = 11.0, 18.0  # of the grid
_GRID_WIDTH, _ROW_HEIGHT = 275.0, 40.0
_GRID_HEIGHT = _ROW_HEIGHT * len(ROWS)
_TRACES = _LEFT + 15.0  # where time zero is; the calibration pulse stands before it
_PULSE_WIDTH = 0.2 * MM_PER_SECOND
_MARGIN = 2.0  # that a trace keeps from the edge of its row, where it fits

_PAPER, _FINE, _COARSE = "#fffdfc", "#f9e0dd", "#efb9b4"
_INK, _GREY = "#1c1c24", "#6b6470"


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
    import matplotlib  # a quarter of a second

    # every sample is drawn; text stays text in the SVG; its element names do not change from run to run
    style = {"path.simplify": False, "svg.fonttype": "none", "svg.hashsalt": "meit", "font.family": "DejaVu Sans"}
    with matplotlib.rc_context(style):
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


def _figure(recording: Recording, start_s: float):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH / 25.4, _HEIGHT / 25.4), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, _WIDTH), ylim=(0, _HEIGHT))
    axes.set_axis_off()
    _draw_grid(axes)
    quality = inspect(recording)
    cut = []
    for row, leads in enumerate(ROWS):
        baseline = _BOTTOM + _GRID_HEIGHT - (row + 0.5) * _ROW_HEIGHT
        _draw_pulse(axes, row, baseline)
        seconds = SHEET_SECONDS / len(leads)
        for column, lead in enumerate(leads):
            fits = _draw_lead(axes, recording, quality, lead, start_s, column * seconds, seconds, baseline)
            if not fits:
                cut.append(lead)
    _draw_words(axes, recording, quality, start_s, tuple(dict.fromkeys(cut)))
    return figure


def _draw_grid(axes) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Rectangle

    right, top = _LEFT + _GRID_WIDTH, _BOTTOM + _GRID_HEIGHT
    axes.add_patch(Rectangle((_LEFT, _BOTTOM), _GRID_WIDTH, _GRID_HEIGHT, facecolor=_PAPER, edgecolor="none", zorder=0))
    for step, colour, width, order in ((1, _FINE, 0.35, 1), (5, _COARSE, 0.5, 2)):
        upright = [((x, _BOTTOM), (x, top)) for x in np.arange(_LEFT, right + 0.5, step)]
        level = [((_LEFT, y), (right, y)) for y in np.arange(_BOTTOM, top + 0.5, step)]
        axes.add_collection(LineCollection(upright + level, colors=colour, linewidths=width, zorder=order))


def _draw_pulse(axes, row: int, baseline: float) -> None:
    """One millivolt for 0.2 s, on a foot of 2 mm either side."""
    x = _TRACES - 10.0 + np.array([0, 2, 2, 2 + _PULSE_WIDTH, 2 + _PULSE_WIDTH, 4 + _PULSE_WIDTH])
    y = baseline + np.array([0, 0, 1, 1, 0, 0]) * MM_PER_MILLIVOLT
    axes.plot(x, y, color=_INK, linewidth=0.8, solid_joinstyle="miter", zorder=4, gid=f"pulse-{row + 1}")


def _draw_lead(
    axes,
    recording: Recording,
    quality: Quality,
    lead: str,
    start_s: float,
    offset_s: float,
    seconds: float,
    baseline: float,
) -> bool:
    """Draws `seconds` of a lead from start_s + offset_s on; False where it is taller than the grid and is cut."""
    from matplotlib.patches import Rectangle

    left, width = _TRACES + offset_s * MM_PER_SECOND, seconds * MM_PER_SECOND
    bottom = baseline - _ROW_HEIGHT / 2
    name = lead + (" (derived)" if lead in recording.derived else "") + (" – flat" if lead in quality.flat else "")
    backing = {"facecolor": _PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.0}  # hides the grid, never a trace
    at = (left + 1.5, bottom + _ROW_HEIGHT - 5.5)
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
    floor, ceiling = bottom + _MARGIN, bottom + _ROW_HEIGHT - _MARGIN
    if high - low > ceiling - floor:
        floor, ceiling = _BOTTOM, _BOTTOM + _GRID_HEIGHT
    shift = max(0.0, floor - (baseline + low)) - max(0.0, baseline + high - ceiling)
    (line,) = axes.plot(
        _TRACES + ((first + np.arange(len(part))) / rate - start_s) * MM_PER_SECOND,
        baseline + shift + heights,
        color=_INK,
        linewidth=0.8,
        solid_joinstyle="round",
        zorder=4,
        gid=f"lead-{lead}" if seconds < SHEET_SECONDS else f"rhythm-{lead}",
    )
    line.set_clip_path(Rectangle((left, _BOTTOM), width, _GRID_HEIGHT, transform=axes.transData))
    return bool(high - low <= ceiling - floor)


def _draw_words(axes, recording: Recording, quality: Quality, start_s: float, cut: tuple[str, ...]) -> None:
    top, right = _BOTTOM + _GRID_HEIGHT, _LEFT + _GRID_WIDTH
    axes.text(_LEFT, top + 17, _printable(recording.name), fontsize=13, fontweight="bold", color=_INK, parse_math=False)
    axes.text(_LEFT, top + 10.5, _about_patient(recording), fontsize=9, color=_INK, parse_math=False)
    if recording.start is not None:
        axes.text(right, top + 17, f"{recording.start:%Y-%m-%d  %H:%M:%S}", fontsize=9, color=_INK, ha="right")
    shown_to = min(start_s + SHEET_SECONDS, recording.seconds)
    length = f"{start_s:g}–{shown_to:.4g} s of {recording.seconds:.4g} s,  {recording.rate:g} Hz"
    axes.text(right, top + 10.5, length, fontsize=9, color=_INK, ha="right")
    scale = f"{MM_PER_SECOND:g} mm/s   {MM_PER_MILLIVOLT:g} mm/mV   drawn as stored in the file, no filter applied"
    axes.text(_LEFT, _BOTTOM - 6, scale, fontsize=8, color=_GREY)
    notes = quality.warnings()
    if cut:
        notes.append(f"taller than the sheet and cut: {', '.join(cut)}")
    for line, note in enumerate(_fitted(notes)):
        axes.text(_LEFT, top + 6 - 3.7 * line, note, fontsize=7.5, color="#a03a2c")


def _about_patient(recording: Recording) -> str:
    patient = recording.patient
    known = (
        f"Patient {_printable(patient.id)}" if patient.id else None,
        {"F": "female", "M": "male"}.get(patient.sex),
        f"{patient.age:g} years" if patient.age is not None else None,
    )
    return ",  ".join(part for part in known if part) or "patient not stated"


def _printable(text: str) -> str:
    """What a file calls itself, cut to the sheet and without characters that an SVG must not hold."""
    kept = "".join(character for character in text if character.isprintable() and not 0xD800 <= ord(character) < 0xE000)
    return kept if len(kept) <= 60 else kept[:59] + "…"


def _fitted(notes: list[str]) -> list[str]:
    """At most two lines of notes, of a length that fits the sheet; says how many are left out."""
    lines = [note if len(note) <= 150 else note[:149] + "…" for note in notes[:2]]
    if len(notes) > 2:
        lines[1] = f"{lines[1][:110]}  (and {len(notes) - 2} more)"
    return lines
