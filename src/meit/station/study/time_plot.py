"""Times with a draft and blank, as a picture."""

import io
from collections.abc import Sequence

from meit.station.study.assignment import BLANK, DRAFT
from meit.station.study.time_comparison import Done, frame

COLOURS = {DRAFT: "#00616b", BLANK: "#8a4b00"}
ARM_NAMES = {DRAFT: "with a draft", BLANK: "blank"}


def times(done: Sequence[Done]) -> bytes:
    """PNG: every reading as a dot, by reader, with each arm's median."""
    from matplotlib.figure import Figure

    table = frame(done)
    readers = sorted(table["reader"].unique(), key=lambda name: int(name.split()[-1]))
    figure = Figure(figsize=(7.2, 1.2 + 0.42 * max(2, len(readers))), dpi=150, layout="constrained")
    axes = figure.subplots()
    for place, reader in enumerate(readers):
        for arm, shift in ((DRAFT, 0.14), (BLANK, -0.14)):
            some = table[(table["reader"] == reader) & (table["arm"] == arm)]["active_s"]
            label = ARM_NAMES[arm] if place == 0 else None
            axes.scatter(
                some, [place + shift] * len(some), s=22, alpha=0.55, color=COLOURS[arm], linewidths=0, label=label
            )
            if len(some):
                axes.plot(
                    [some.median()] * 2, [place + shift - 0.13, place + shift + 0.13], color=COLOURS[arm], linewidth=2.5
                )
    axes.set(xscale="log", xlabel="active seconds", yticks=range(len(readers)), yticklabels=readers)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    target = io.BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()
