"""Who reads what, how, and in which order: balanced, and otherwise by chance."""

from random import Random

DRAFT, BLANK = ARMS = ("draft", "blank")
BLOCK_READINGS = 4  # of a reader's order: two with a draft, two blank, so that learning and fatigue fall on both


def assign(readers: int, recordings: int, seed: int) -> list[list[tuple[int, str]]]:
    """For each reader the order of (recording, arm). Every reader reads every recording once; of a reader's readings, and
    of a recording's, as many are with a draft as blank (or one more).

    A chequered table of arms is the start; random exchanges of 2 x 2 corners, which leave all sums as they are, make it
    one of all balanced tables by chance (Rao, Jana, Bandyopadhyay, Sankhya A 58:225-242, 1996).
    """
    draw = Random(seed)
    flip = draw.randrange(2)
    table = [[(reader + recording + flip) % 2 for recording in range(recordings)] for reader in range(readers)]
    for _ in range(20 * readers * recordings if min(readers, recordings) > 1 else 0):
        a, b = draw.sample(range(readers), 2)
        c, d = draw.sample(range(recordings), 2)
        if table[a][c] == table[b][d] != table[a][d] == table[b][c]:
            for row in (a, b):
                table[row][c], table[row][d] = table[row][d], table[row][c]
    if readers == 1:
        draw.shuffle(table[0])
    draw.shuffle(table)
    return [_ordered(row, draw) for row in table]


def _ordered(arms: list[int], draw: Random) -> list[tuple[int, str]]:
    """Permuted blocks; what is left over is mixed into the last one."""
    by_arm = {arm: [one for one, given in enumerate(arms) if ARMS[given] == arm] for arm in ARMS}
    for group in by_arm.values():
        draw.shuffle(group)
    order = []
    while any(by_arm.values()):
        block = [
            (group.pop(), arm) for arm, group in by_arm.items() for _ in range(min(BLOCK_READINGS // 2, len(group)))
        ]
        draw.shuffle(block)
        order += block
    return order
