"""The shipped instructions: 256, all different, none that presumes a finding."""

import re
from difflib import SequenceMatcher
from itertools import combinations

from meit.model.prompt import INSTRUCTION, instructions

MAX_JACCARD = 0.65  # of two instructions' sets of words
MAX_RATIO = 0.80  # of their letters in order (difflib)
SHORTEST, LONGEST = 3, 30  # words
PRESUMES = re.compile(
    r"infarct|ischa?em|injur|fibrillat|flutter|tachy|brady|arrhythm|dysrhythm|block|hypertroph|strain|enlarge|ectop"
    r"|extrasyst|prematur|\bp[av]cs?\b|\bst\b|\bqtc?\b|\bqrs\b|\bp wave|\bt wave|elevat|depress|invert|prolong|deviat"
    r"|pacemaker|paced|sinus|\bm[iv]\b|stemi|syndrome|abnormal|normal|patholog|chest pain|palpitat|syncop|dyspn"
)
PART = re.compile(
    r"\b(rate|bpm|intervals?|(only|just) the (rhythm|axis|st|qrs|leads?)|yes or no|how fast|is there a|are there any)\b"
)


def _words(text: str) -> str:
    return re.sub(r"[^\w\s]", "", text.lower())


def test_there_are_256_and_no_two_alike():
    assert len(instructions()) == 256
    assert len({_words(text) for text in instructions()}) == 256


def test_no_near_duplicates():
    plain = [(_words(text), set(_words(text).split())) for text in instructions()]
    for (first, ones), (second, others) in combinations(plain, 2):
        assert len(ones & others) / len(ones | others) < MAX_JACCARD, (first, second)
        matcher = SequenceMatcher(None, first, second, autojunk=False)
        if matcher.real_quick_ratio() >= MAX_RATIO and matcher.quick_ratio() >= MAX_RATIO:
            assert matcher.ratio() < MAX_RATIO, (first, second)


def test_length_and_characters():
    for text in instructions():
        assert SHORTEST <= len(text.split()) <= LONGEST, text
        assert text == text.strip() and text.isascii() and text.isprintable(), text
        assert text[-1] in ".?:", text


def test_nothing_is_presumed_and_no_part_asked_for():
    for text in instructions():
        assert not PRESUMES.search(text.lower()), text
        assert not PART.search(text.lower()), text


def test_the_fixed_instruction_is_one_of_them():
    assert INSTRUCTION in instructions()
