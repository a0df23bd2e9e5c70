"""Lists of ECG leads: read in any spelling, written in one."""

import re

_LIMB = {
    "i": "I",
    "ii": "II",
    "iii": "III",
    "ll": "II",
    "lll": "III",
    "avr": "aVR",
    "avl": "aVL",
    "avf": "aVF",
    "vr": "aVR",
    "vl": "aVL",
    "vf": "aVF",
}
# Cardiologists' short names, read as leads only beside another lead.
_SHORT = {"f": "aVF", "l": "aVL", "r": "aVR"}
_ORDER = ["I", "II", "III"]

_NAME = r"(?:iii|ii|i|lll|ll|avr|avl|avf|vr|vl|vf|v ?[1-9])"
_SEP = r"(?: ?(?:,|/|\+|&|-|–) ?| (?:und|and|och|samt|u\.|bis|to) (?=[iv1-9])| (?=(?:iii|ii|avr|avl|avf|v[1-9])(?![^\W_])))"
_V_TAIL = rf"(?:{_SEP}[1-9](?![\d:]|\.\d))"
_ONE = rf"(?:{_NAME}(?![^\W_])|[flr](?![^\W_]))"
LEADS = re.compile(rf"(?<![^\W_])(?:[flr] ?, ?(?={_NAME}))?{_NAME}(?![^\W_])(?:{_V_TAIL}|{_SEP}{_ONE})*", re.IGNORECASE)
_PIECE = re.compile(r"(iii|ii|i|lll|ll|avr|avl|avf|vr|vl|vf|v ?[1-9]|[1-9]|[flr]|-|–|bis|to)", re.IGNORECASE)


def canonical(text: str) -> str:
    """ "v4,5,6" and "V4 - V6" both become "V4-V6"; limb leads keep their order."""
    found: list[str] = []
    through = False
    for piece in _PIECE.findall(text.lower()):
        if piece in {"-", "–", "bis", "to"}:
            through = bool(found)
            continue
        digits = piece.lstrip("v ").strip()
        name = f"V{digits}" if digits.isdigit() else _LIMB.get(piece) or _SHORT[piece]
        if through:
            found.extend(_between(found[-1], name))
        found.append(name)
        through = False
    unique = list(dict.fromkeys(found))
    limb = [name for name in unique if not name.startswith("V")]
    return ", ".join(limb + _compress(sorted(name for name in unique if name.startswith("V"))))


def _between(first: str, last: str) -> list[str]:
    if first.startswith("V") and last.startswith("V"):
        return [f"V{n}" for n in range(int(first[1:]) + 1, int(last[1:]))]
    if first in _ORDER and last in _ORDER:
        return _ORDER[_ORDER.index(first) + 1 : _ORDER.index(last)]
    return []


def _compress(chest: list[str]) -> list[str]:
    runs: list[list[int]] = []
    for number in (int(name[1:]) for name in chest):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    names: list[str] = []
    for run in runs:
        names.extend([f"V{run[0]}-V{run[-1]}"] if len(run) > 2 else [f"V{n}" for n in run])
    return names
