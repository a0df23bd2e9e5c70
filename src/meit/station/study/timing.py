"""Active time: what it counts, in words that stand on the results page, and the sum that the browser makes."""

import itertools
from collections.abc import Iterable

RULE = (
    "Active time is the time between a reader's first sight of the recording and the end, as a sum of the gaps between two "
    "signs of activity (keys, pointer, wheel, touch) while the page is in view. A gap longer than {idle} s "
    "counts as {idle} s."
)


def active_seconds(moments: Iterable[float], idle: float) -> float:
    """Of the times of activity in s, in order; static/study/clock.js does the same as they come."""
    times = list(moments)
    return sum(min(after - before, idle) for before, after in itertools.pairwise(times))
