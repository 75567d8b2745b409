"""How near a decode comes to what memory allows: the bytes that each token must read, over the memory's speed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from gptoss_tui.bench.plan import Row
from gptoss_tui.models.fit import Machine
from gptoss_tui.models.inspection import Inspection
from gptoss_tui.models.reading import cache_read, weights_read


@dataclass(frozen=True, slots=True)
class Floor:
    """One decode against the memory's speed."""

    depth: int
    """Tokens in the cache before it."""
    weights_bytes: float
    """Of weights, for one token: experts, attention, router, head, norms."""
    cache_bytes: int
    """Of keys and values, for one token."""
    floor_s: float
    """The least time that reading them takes."""
    token_s: float
    """The time that a token took."""

    @property
    def share(self) -> float:
        """Of the memory's speed that was reached; 1 is all of it."""
        return self.floor_s / self.token_s


def floors(rows: Sequence[Row], found: Inspection, machine: Machine, bandwidth: float) -> tuple[Floor, ...]:
    """One for each greedy decode of ours among `rows`; `bandwidth` is in bytes a second."""
    weights = weights_read(found, machine)
    made = []
    for row in rows:
        if row.depth is not None and row.ours and "greedy" in row.name:
            cache = cache_read(found, machine, row.depth)
            token_s = 1 / statistics.median(row.ours)
            made.append(Floor(row.depth, weights, cache, (weights + cache) / bandwidth, token_s))
    return tuple(made)
