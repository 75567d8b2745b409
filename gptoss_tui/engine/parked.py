"""Parked branches: rows that the conversation may come back to, put aside when it went another way.

When a prompt leaves the text that was read, the rows behind the fork would be lost and coming back would read it all
again. So they are copied aside, with the tokens from the very first on that lead to them, and put on again, bit for
bit, when a prompt goes that way: to their end, or as far as its tokens agree. What was not needed stays parked, and
whatever is taken is parked no longer, so no row lies here and on the line at once.

Memory is bounded from outside; here is said what to let go first. What a branch is worth is *tokens saved a byte*, and
less the longer ago it was left: it is divided by its age, the number of times that the conversation has gone another
way since, itself included. A branch has two parts. Its *core*, all rows of full layers and one window of sliding ones,
saves all its tokens to whoever comes back to its end. Its *history*, older rows of sliding layers, saves half as many
on the average, to whoever comes back to a place inside it, which is half as usual; so it goes first. A branch that
others fork from stays as long as they do: without it, nothing leads to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import mlx.core as mx

from gptoss_tui.engine.reuse import Held, Segment, agreement, covered
from gptoss_tui.engine.rows import LayerRows, RowSizes

TRIVIAL = 16
"""Tokens up to which a branch is not worth parking: reading them takes hardly longer than reading one."""

BRANCHES = 32
"""Branches parked at most, so that looking for the best one stays a matter of microseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One parked branch."""

    held: Held
    layers: tuple[LayerRows, ...]
    left: int
    """How often the conversation had gone another way when it was left."""
    nbytes: int

    @classmethod
    def of(cls, held: Held, layers: tuple[LayerRows, ...], left: int) -> Branch:
        """With its bytes counted, and its rows on the device: what they were copied from is free."""
        mx.eval([array for rows in layers for array in rows.arrays()])
        return cls(held, layers, left, sum(rows.nbytes for rows in layers))


@dataclass(frozen=True, slots=True)
class Loss:
    """What could be let go."""

    worth: float
    """Tokens saved a byte, over the branch's age."""
    branch: Branch
    whole: bool
    """False: only its history."""


class Parked:
    """All parked branches, and the order in which they are let go."""

    def __init__(self, sizes: RowSizes) -> None:
        self._sizes = sizes
        self._branches: dict[Held, Branch] = {}
        self._forks = 0  # how often the conversation has gone another way
        self._weakest: Loss | None = None  # what `weakest` found, until something changes
        self.nbytes = 0
        """Bytes of all of them."""

    def __len__(self) -> int:
        return len(self._branches)

    @property
    def held(self) -> tuple[Held, ...]:
        """What each of them has."""
        return tuple(self._branches)

    def layers(self, held: Held) -> tuple[LayerRows, ...]:
        """A branch's rows."""
        return self._branches[held].layers

    def worth_parking(self, held: Held) -> bool:
        """Whether a branch is long enough, or others fork from it."""
        if held.end - held.begin > TRIVIAL:
            return True
        return held.end > held.begin and any(_leads_to(held, other) for other in self._branches)

    def leave(self, held: Held, layers: tuple[LayerRows, ...]) -> None:
        """Parks what lies behind a fork that the conversation has just passed."""
        self._forks += 1
        self._drop(other for other in self._branches if covered(other, (held,)))
        self._put(Branch.of(held, layers, self._forks))
        while len(self) > BRANCHES:
            self.let_go(min((loss for loss in self._losses() if loss.whole), key=lambda loss: loss.worth))

    def taken(self, segments: Sequence[Segment], line: Held) -> None:
        """Lets go of what is on the line again; what lies behind it stays, as a branch that forks from there."""
        for segment in segments:
            branch = self._branches.pop(segment.held, None)
            if branch is None:
                continue
            pins = frozenset(pin for pin in segment.held.pins if pin > segment.end)
            rest = replace(segment.held, begin=segment.end, start=max(segment.held.start, segment.end), pins=pins)
            if self.worth_parking(rest):
                self._put(Branch.of(rest, tuple(rows.behind(segment.end) for rows in branch.layers), branch.left))
        self._drop(other for other in self._branches if covered(other, (line,)))

    def weakest(self) -> Loss | None:
        """What would be missed least."""
        if self._weakest is None:
            self._weakest = min(self._losses(), key=lambda loss: loss.worth, default=None)
        return self._weakest

    def let_go(self, loss: Loss) -> None:
        """Lets it go."""
        branch = self._branches.pop(loss.branch.held)
        if not loss.whole:
            start = branch.held.end - self._sizes.back
            layers = tuple(rows.from_row(start) if rows.sliding else rows for rows in branch.layers)
            self._put(Branch.of(replace(branch.held, start=start), layers, branch.left))
        self._changed()

    def clear(self) -> None:
        """Lets everything go."""
        self._branches.clear()
        self._changed()

    def _losses(self) -> Iterator[Loss]:
        """Everything that could be let go now."""
        for held, branch in self._branches.items():
            age = self._forks - branch.left + 1
            history = max(0, held.end - self._sizes.back - held.start) if self._sizes.sliding else 0
            if history:
                yield Loss(0.25 / self._sizes.sliding / age, branch, whole=False)
            if not any(_leads_to(held, other) for other in self._branches):
                core = max(1, branch.nbytes - history * self._sizes.sliding)
                yield Loss((held.end - held.begin) / core / age, branch, whole=True)

    def _put(self, branch: Branch) -> None:
        self._branches[branch.held] = branch
        self._changed()

    def _drop(self, chosen: Iterable[Held]) -> None:
        for held in tuple(chosen):
            del self._branches[held]
        self._changed()

    def _changed(self) -> None:
        self.nbytes = sum(branch.nbytes for branch in self._branches.values())
        self._weakest = None


def line_worth(sizes: RowSizes, begin: float, end: float, length: int) -> float:
    """What the line's own history from `begin` to `end` is worth, as a branch is: going back to there, as likely as to
    any other of its `length` tokens, saves all that comes before."""
    return ((begin + end) / 2 + sizes.back) / max(1, length) / sizes.sliding


def _leads_to(held: Held, other: Held) -> bool:
    """Whether `other` forks from within what `held` has."""
    return held.begin < other.begin and agreement(held, other.ids[: other.begin]) == other.begin
