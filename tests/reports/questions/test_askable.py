"""Every name of a finding is one that the statements read, and the wordings are many and different."""

from itertools import combinations

import pytest

from meit.model.prompt import instructions
from meit.reports.questions import FINDING, KINDS, REPORT, askable_findings, wordings
from meit.reports.questions.askable import bare
from meit.reports.statements import codes, read_statements

OTHERS = [kind for kind in KINDS if kind != REPORT]
NAMES = [(row, name) for row in askable_findings() for name in row.names]


def test_codes_are_known_and_no_finding_is_unclear_of_itself():
    for row in askable_findings():
        assert row.codes and row.codes | row.unclear <= set(codes()) and not row.codes & row.unclear, row


def test_no_name_twice():
    assert len({name for _, name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(("form", "negated"), [("Yes: {}.", False), ("Possible {}.", False), ("No {}.", True)])
def test_names_are_read_as_their_codes(form, negated):
    for row, name in NAMES:
        read = read_statements(form.format(bare(name) if negated else name))
        assert read and {one.code for one in read} <= row.codes, name
        assert all(one.negated == negated for one in read), name


def test_each_kind_has_its_wordings():
    everything = [*instructions(), *(text for kind in OTHERS for text in wordings(kind))]
    assert len(set(map(str.lower, everything))) == len(everything)
    assert wordings(REPORT) == ()  # those are the instructions
    for kind in OTHERS:
        assert 12 <= len(wordings(kind)) <= 30
        assert all(("{finding}" in text) == (kind == FINDING) for text in wordings(kind))
        words = [set(text.lower().replace("?", "").replace(".", "").split()) - {"{finding}"} for text in wordings(kind)]
        for one, other in combinations(words, 2):
            assert len(one & other) / len(one | other) < 0.8, (kind, one, other)


def test_a_question_is_no_longer_than_one_may_ask():
    longest = max((name for _, name in NAMES), key=len)
    for kind in OTHERS:
        for text in wordings(kind):
            assert len(text.format(finding=longest)) < 300
            assert text.isascii() and text[-1] in ".?"
