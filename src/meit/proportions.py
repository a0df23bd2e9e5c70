"""Shares of counted cases with their uncertainty."""

from math import sqrt
from typing import NamedTuple

NORMAL_975 = 1.959964  # the standard normal distribution's 97.5 percentile


class Proportion(NamedTuple):
    """`right` of `cases`; it has a value and an interval only where there are cases."""

    right: int
    cases: int

    @property
    def value(self) -> float:
        return self.right / self.cases if self.cases else float("nan")

    @property
    def ci95(self) -> tuple[float, float]:
        """Wilson's score interval (J. Am. Stat. Assoc. 22, 1927); all of 0 to 1 where there is no case."""
        if not self.cases:
            return 0.0, 1.0
        n, z2 = self.cases, NORMAL_975**2
        middle = (self.right + z2 / 2) / (n + z2)
        half = NORMAL_975 / (n + z2) * sqrt(self.right * (n - self.right) / n + z2 / 4)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        return f"{self.right} of {self.cases}"
