"""What a draft is worth: linear in its findings, whole for the report itself, less for every flaw."""

import pytest
import torch

from meit.training.reinforcement.rewards import Prices, likeness, worth_of
from meit.training.reinforcement.self_critical import advantages

PRICES = Prices(invented=0.4, wording=1.0)
REPORT = "Sinus rhythm. Left axis deviation. First degree AV block."


def test_the_report_itself_is_worth_most():
    assert worth_of(REPORT, REPORT).reward(PRICES) == 1.0
    others = (
        "Sinus rhythm.",
        REPORT + " Left bundle branch block.",
        "Atrial fibrillation.",
        "",
        REPORT.replace("Left", "Right"),
    )
    assert all(worth_of(other, REPORT).reward(PRICES) < 1.0 for other in others)


def test_a_missed_finding_costs_one_and_an_invented_one_its_price():
    words = Prices(invented=0.4, wording=0.0)
    whole = worth_of(REPORT, REPORT)
    assert (whole.shared, whole.invented, whole.missed, whole.flaws) == (3, 0, 0, 0)
    assert worth_of("Sinus rhythm. Left axis deviation.", REPORT).reward(words) == -1.0
    more = worth_of(REPORT + " Left bundle branch block.", REPORT)
    assert (more.invented, more.missed) == (1, 0) and more.reward(words) == pytest.approx(-0.4)


@pytest.mark.parametrize(
    ("draft", "finished", "flaws"),
    [
        (REPORT, False, 1),
        (REPORT + " Sinus rhythm.", True, 1),
        (REPORT + " sinus rhythm. Sinus rhythm!", True, 2),
        (REPORT + " No AV block. No first degree AV block.", True, 1),
        ("", True, 1),
    ],
)
def test_flaws_are_counted(draft, finished, flaws):
    found = worth_of(draft, REPORT, finished)
    assert found.flaws == flaws
    assert found.reward(PRICES) < worth_of(REPORT, REPORT).reward(PRICES)


def test_likeness_is_symmetric_and_whole_only_for_the_same_words():
    pairs = [(REPORT, REPORT.upper()), (REPORT, "Sinus rhythm."), (REPORT, ""), ("a b c d", "d c b a")]
    found = [likeness(one, other) for one, other in pairs]
    assert found == [likeness(other, one) for one, other in pairs]
    assert found[0] == 1.0 and found[2] == 0.0 and found[3] == 4 / 10 and 0 < found[1] < 0.3
    assert likeness("sinus sinus sinus rhythm", "sinus rhythm") < likeness("sinus rhythm", "sinus rhythm")


def test_advantages_are_held_against_the_other_drafts():
    """The mean of the others, by hand; a constant changes nothing, and what is alike has none."""
    rewards = torch.tensor([[1.0, 0.0, 0.5], [2.0, 2.0, 2.0]])
    assert torch.allclose(advantages(rewards), torch.tensor([[0.75, -0.75, 0.0], [0.0, 0.0, 0.0]]))
    assert torch.allclose(advantages(rewards + 7), advantages(rewards), atol=1e-5)
