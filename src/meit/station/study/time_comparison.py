"""With a draft against blank: times compared within readers and recordings."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist

import numpy as np
import pandas as pd

from meit.station.study.assignment import BLANK, DRAFT

LEAST_PAIRS = 6  # pairs, below which a signed-rank test can't reach 5%
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Done:
    """A finished reading. distance: words changed between draft and final text; kept, removed, added: statements of the
    draft; None of these in a blank one."""

    reader: str
    recording: str
    arm: str
    position: int
    active_s: float
    keystrokes: int
    words: int
    distance: int | None = None
    kept: int | None = None
    removed: int | None = None
    added: int | None = None


@dataclass(frozen=True)
class Ratio:
    """Time with a draft divided by time without: below 1 it saves time. pairs: what was compared. why: "" or why it could
    not be said."""

    method: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    pairs: int = 0
    why: str = ""


def frame(done: Sequence[Done]) -> pd.DataFrame:
    return pd.DataFrame([vars(one) for one in done], columns=list(Done.__dataclass_fields__))


def compare_times(done: Sequence[Done]) -> list[Ratio]:
    """The mixed model, and signed-rank tests over recordings and over readers."""
    return list(_compared(tuple(done)))


@lru_cache(maxsize=8)  # large studies take seconds, and a results page is looked at again and again
def _compared(done: tuple[Done, ...]) -> tuple[Ratio, ...]:
    table = frame(done)
    return mixed_model(table), signed_rank(table, "recording"), signed_rank(table, "reader")


def mixed_model(table: pd.DataFrame) -> Ratio:
    """log(active time) by arm and position, with crossed random effects of reader and recording (Baayen, Davidson and
    Bates, J Mem Lang 59:390-412, 2008), by restricted maximum likelihood; Wald intervals. A draft may help one reader
    more than another: without a random slope for that, intervals are too narrow (Barr et al., J Mem Lang 68:255-278, 2013).
    One reader's recordings are read once each, so that nothing is left to be random: least squares, and Student's t."""
    from statsmodels.regression.linear_model import OLS
    from statsmodels.regression.mixed_linear_model import MixedLM

    method = "linear mixed model"
    if set(table["arm"]) != {DRAFT, BLANK} or table["recording"].nunique() < 3 or len(table) < 8:
        return Ratio(method, pairs=len(table), why="needs 8 finished readings of 3 recordings, in both arms")
    data = table.assign(
        log_s=np.log(table["active_s"].clip(lower=0.1)),
        with_draft=(table["arm"] == DRAFT).astype(float),
        one=1,
        centred=(table["arm"] == DRAFT) - 0.5,
        order=table["position"] - table["position"].mean(),
    )
    if data["reader"].nunique() == 1:
        fit = OLS.from_formula("log_s ~ with_draft + order", data).fit()
        effect, (low, high), p = (found.loc["with_draft"] for found in (fit.params, fit.conf_int(), fit.pvalues))
        return Ratio("linear model", math.exp(effect), math.exp(low), math.exp(high), float(p), len(table))
    crossed = {"reader": "0 + C(reader)", "recording": "0 + C(recording)", "slope": "0 + C(reader):centred"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a variance at zero is an answer, not a fault
        try:
            model = MixedLM.from_formula(
                "log_s ~ with_draft + order", data, groups="one", vc_formula=crossed, re_formula="0"
            )
            fit = model.fit(reml=True, method=["lbfgs", "powell"])
            effect, error = float(fit.fe_params["with_draft"]), float(fit.bse_fe["with_draft"])
        except (np.linalg.LinAlgError, ValueError) as failure:
            return Ratio(method, pairs=len(table), why=f"it did not converge ({type(failure).__name__})")
    if not math.isfinite(error) or error <= 0:
        return Ratio(method, pairs=len(table), why="it did not converge")
    p = 2 * (1 - NormalDist().cdf(abs(effect) / error))
    value, low, high = (math.exp(effect + k * error) for k in (0, -Z, Z))
    return Ratio(method, value, low, high, p, len(table))


def signed_rank(table: pd.DataFrame, by: str) -> Ratio:
    """Wilcoxon's test of the differences of mean log times of each recording or reader, and the Hodges-Lehmann estimate
    with its interval (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, section 3)."""
    from scipy.stats import wilcoxon

    method = f"Wilcoxon over {by}s"
    logs = table.assign(log_s=np.log(table["active_s"].clip(lower=0.1))).pivot_table("log_s", by, "arm", aggfunc="mean")
    pairs = logs.dropna() if {DRAFT, BLANK} <= set(logs.columns) else logs.iloc[:0]
    if len(pairs) < LEAST_PAIRS:
        return Ratio(method, pairs=len(pairs), why=f"needs {LEAST_PAIRS} {by}s with readings of both kinds")
    differences = (pairs[DRAFT] - pairs[BLANK]).to_numpy()
    value, low, high = (math.exp(log) for log in hodges_lehmann(differences))
    return Ratio(method, value, low, high, float(wilcoxon(differences).pvalue), len(differences))


def hodges_lehmann(differences: np.ndarray) -> tuple[float, float, float]:
    """The median of the Walsh averages of LEAST differences or more, and the interval between the k-th smallest and the
    k-th largest of them: k as large as the signed rank's exact distribution allows for 95 %."""
    i, j = np.triu_indices(len(differences))
    walsh = np.sort((differences[i] + differences[j]) / 2)
    k = _outer_rank(len(differences))
    return float(np.median(walsh)), float(walsh[k - 1]), float(walsh[-k])


@cache
def _outer_rank(pairs: int) -> int:
    """The largest k with P(W < k) <= 2.5 %, of the sum W of those ranks 1..pairs whose sign is positive, each by chance
    of one half; scipy knows this distribution, but does not give it away."""
    chance = np.ones(1)
    for rank in range(1, pairs + 1):
        chance = (np.pad(chance, (0, rank)) + np.pad(chance, (rank, 0))) / 2
    return int(np.searchsorted(np.cumsum(chance), 0.025, side="right"))


def medians(done: Sequence[Done]) -> list[dict]:
    """A row an arm: readings, median and quartiles of active seconds, keystrokes, words; of drafts what became of them."""
    table = frame(done)
    rows = []
    for arm in (DRAFT, BLANK):
        some = table[table["arm"] == arm]
        if some.empty:
            continue
        quartiles = some["active_s"].quantile([0.25, 0.5, 0.75]).tolist()
        row = {"arm": arm, "n": len(some), "active_s": quartiles}
        row |= {name: float(some[name].median()) for name in ("keystrokes", "words")}
        row |= {name: float(some[name].mean()) for name in ("distance", "kept", "removed", "added") if arm == DRAFT}
        rows.append(row)
    return rows
