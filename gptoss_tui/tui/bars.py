"""Bars, knobs and sparklines as strings of block characters. Pure functions; knows no colour and no widget."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STEPS = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int) -> str:
    """A bar of `width` cells filled from the left to `share` (0 to 1), in eighths of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def split(shares: Sequence[float], width: int) -> list[int]:
    """Whole cells for stacked shares that sum to at most 1; a share above 0 gets a cell while there is one left."""
    cells: list[int] = []
    end, total = 0, 0.0
    for share in shares:
        total += max(0.0, share)
        wanted = round(min(1.0, total) * width) - end
        if share > 0:
            wanted = max(1, wanted)
        cells.append(max(0, min(wanted, width - end)))
        end += cells[-1]
    return cells


def sees(visible: int, tokens: int, width: int) -> tuple[int, int]:
    """(hidden, seen) cells for a layer that sees the last `visible` of `tokens`: the newest are at the right."""
    if tokens <= 0:
        return width, 0
    seen = split([min(visible, tokens) / tokens], width)[0]
    return width - seen, seen


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values, scaled to their largest; shorter at the left where there are fewer."""
    shown = list(values)[-width:]
    top = max(shown, default=0.0)
    if top <= 0:
        return "▁" * len(shown)
    return "".join(_STEPS[min(7, int(max(0.0, value) / top * 7.999))] for value in shown)


def slider(share: float, width: int) -> tuple[str, str, str]:
    """A knob on a track of `width` cells: what is left of it, the knob, what is right of it."""
    at = round(max(0.0, min(1.0, share)) * (width - 1))
    left = "├" + "─" * (at - 1) if at else ""
    right = "─" * (width - at - 2) + "┤" if at < width - 1 else ""
    return left, "●", right


def slider_share(cell: int, width: int) -> float:
    """Where a click on this cell of a slider puts its knob: 0 to 1."""
    return max(0.0, min(1.0, cell / max(1, width - 1)))
