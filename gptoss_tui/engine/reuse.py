"""Which of the rows that are held serve a prompt: pure reckoning on token ids and positions. No mlx, no bytes.

Two kinds of holders know rows of a text of tokens: the *line*, whose rows the caches hold now, and *branches*, whose
rows were put aside when the line went another way. A holder has the rows of full layers from `begin` to the end of its
text, and those of sliding layers from `start` on. A prompt can go on from position p where holders that agree with it
up to there have, one behind the other, the full layers' rows of all p tokens, and the last of them, together, the
`window - 1` rows before p of the sliding layers: these are all that attention at p looks back to.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

TOKENS = "I"
"""Type code of the arrays that hold token ids: unsigned, 4 bytes."""

_BLOCK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What a holder has. Plain numbers, so that any thread may reckon with it."""

    ids: array[int]
    """Its text from the first token on; what lies behind `end` does not count. Only ever appended to."""
    begin: int
    """Full layers: rows of the tokens from here to `end`."""
    end: int
    start: int
    """Sliding layers: rows from here to `end`; at least `begin`. `end` where there is none."""
    pins: frozenset[int] = field(default=frozenset())
    """Positions up to `end` whose rows sliding layers have aside, wherever `start` is."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows that one holder is to give."""

    held: Held
    begin: int
    end: int


def agreement(held: Held, ids: array[int]) -> int:
    """How many tokens at the beginning of `ids` are the holder's own."""
    most = min(held.end, len(ids))
    at, step = 0, _BLOCK
    # Slices are compared at C's speed: whole blocks first, then ever smaller parts of the one that differs.
    while step:
        while at + step <= most and held.ids[at : at + step] == ids[at : at + step]:
            at += step
        step //= 2
    return at


def best(ids: array[int], line: Held, branches: Collection[Held], back: int) -> tuple[Segment, ...]:
    """The rows from which `ids` can go on the furthest, in order; none where it must be read from the start.

    `back` is how many rows before a position sliding layers look at, window - 1; 0 where no layer slides. The line's
    rows come first wherever it has them, as they lie in the caches already.
    """
    common = {held: agreement(held, ids) for held in (line, *branches)}
    found: tuple[Segment, ...] = ()
    for last in (line, *sorted(branches, key=lambda held: -common[held])):
        reached = found[-1].end if found else 0
        if common[last] <= max(reached, last.begin):
            continue
        before = _before(last.begin, common, line)
        if before is None:
            continue
        for end in (common[last], *sorted((pin for pin in last.pins if pin < common[last]), reverse=True)):
            if end <= max(reached, last.begin):
                break
            segments = (*before, Segment(last, last.begin, end))
            if end in last.pins or _lowest(segments, back) <= max(0, end - back):
                found = segments
                break
    return found


def _before(position: int, common: dict[Held, int], line: Held) -> tuple[Segment, ...] | None:
    """Segments with the full layers' rows of the first `position` tokens; None where some are nowhere."""
    if position == 0:
        return ()
    if common[line] >= position:
        return (Segment(line, 0, position),)
    for held, agreed in common.items():
        if held.begin < position <= agreed:
            earlier = _before(held.begin, common, line)
            if earlier is not None:
                return (*earlier, Segment(held, held.begin, position))
    return None


def _lowest(segments: Sequence[Segment], back: int) -> int:
    """From which position on sliding layers would have every row up to the segments' end."""
    low = segments[-1].end
    for segment in reversed(segments):
        if segment.end in segment.held.pins:
            return min(low, max(0, segment.end - back))
        low = min(low, max(segment.held.start, segment.begin))
        if segment.held.start > segment.begin:
            break
    return low


def covered(held: Held, by: Iterable[Held]) -> bool:
    """Whether one of `by` has the full layers' rows of all that `held` has, and of the very same text."""
    text = held.ids[: held.end]
    return any(other.begin <= held.begin and agreement(other, text) == held.end for other in by)
