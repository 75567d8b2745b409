"""Which cells of a line changed: what need not be sent again is what a slow link thanks us for. Knows no widget."""

from __future__ import annotations

from textual.strip import Strip


def changed(before: Strip, after: Strip) -> list[tuple[int, int]]:
    """(first cell, cells) of every stretch in which two lines of the same width differ.

    Lines of the same make-up, as a table's rows, are compared piece by piece; others from their first difference on.
    """
    if before == after:
        return []
    old, new = list(before), list(after)
    same_cuts = len(old) == len(new) and all(a.cell_length == b.cell_length for a, b in zip(old, new, strict=True))
    stretches: list[tuple[int, int]] = []
    at = 0
    for one, other in zip(old, new, strict=False):
        cells = other.cell_length
        if one != other:
            if not same_cuts:
                break
            if stretches and sum(stretches[-1]) == at:
                stretches[-1] = (stretches[-1][0], stretches[-1][1] + cells)
            else:
                stretches.append((at, cells))
        at += cells
    return stretches if same_cuts else [(at, max(1, max(before.cell_length, after.cell_length) - at))]
