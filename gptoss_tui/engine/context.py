"""What the model has read: the tokens, the caches that hold their rows, and the way to another text.

The generator appends; this module goes back. It publishes what is held as plain numbers, so that any thread may ask
what a prompt would cost without waiting for the model's. Everything else runs on the model's thread.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import mlx.core as mx

from gptoss_tui.engine.cache import STEP, KVCache
from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.events import LayerState, MemoryUse
from gptoss_tui.engine.parked import Parked, line_worth
from gptoss_tui.engine.reuse import TOKENS, Held, agreement, best
from gptoss_tui.engine.rows import LayerRows
from gptoss_tui.engine.statefile import State


class Context:
    """The tokens that were read, and every layer's rows of them."""

    def __init__(self, config: ModelConfig, history_bytes: int, itemsize: int) -> None:
        """`history_bytes` is the budget of all that is kept for going back; `itemsize` is the dtype's."""
        self.tokens = array(TOKENS)
        """The ids whose rows the caches hold. Only appended to, or replaced."""
        self._config = config
        self._budget = history_bytes
        self._itemsize = itemsize
        self._cache = self._fresh_cache()
        self._sizes = self._cache.sizes
        self._parked = Parked(self._sizes)
        # Taken while a pass moves the counters, so that `states` never sees half of one.
        self._counting = threading.Lock()
        self._asked = False  # whether `states` or `memory` came while a pass was moving them
        self._states: tuple[LayerState, ...]
        self._memory: MemoryUse
        self._line: Held
        self._known: tuple[Held, tuple[Held, ...]]  # what is held, replaced as a whole: any thread may look
        self._count()
        self._publish()

    def states(self) -> tuple[LayerState, ...]:
        """Every layer's state, from any thread, at once: while a pass moves the counters, what was last known."""
        # Not waited for: on the CPU a prefill chunk is computed while the lock is held, and the caller may be a screen.
        self._count_unless_moving()
        return self._states

    def memory(self) -> MemoryUse:
        """What is kept for going back, in the manner of `states`."""
        self._count_unless_moving()
        return self._memory

    def reusable(self, ids: Sequence[int]) -> int:
        """How many tokens at the beginning of `ids` need not be read. From any thread, at once: as last published."""
        line, parked = self._known
        segments = best(array(TOKENS, ids), line, parked, self._sizes.back)
        return segments[-1].end if segments else 0

    def reads(self, ids: Sequence[int]) -> bool:
        """Whether the line begins with all of `ids`."""
        return self.tokens[: len(ids)] == array(TOKENS, ids)

    def arrays(self) -> list[mx.array]:
        """What must be evaluated for the caches to be on the device."""
        return self._cache.arrays()

    @contextmanager
    def moving(self, count: int) -> Iterator[KVCache]:
        """The caches, for a pass that appends `count` tokens; `add` or `settle` must follow."""
        with self._counting:
            self._make_room(count)
            yield self._cache
            if self._asked:
                self._count()

    def add(self, ids: Sequence[int]) -> None:
        """Says which tokens a pass has read."""
        self.tokens.extend(ids)
        self._publish()

    def settle(self) -> None:
        """Takes back the rows of a pass whose tokens were not added."""
        with self._counting:
            self._cache.rewind(len(self.tokens))

    def go_to(self, ids: Sequence[int], most: int, pins: Collection[int] = ()) -> int:
        """Goes to the end of the longest prefix of `ids`, up to `most`, that is held; returns its length.

        What the line holds beyond the tokens that it has in common with them is parked.
        """
        wanted = array(TOKENS, ids[:most])
        segments = best(wanted, self._line, self._parked.held, self._sizes.back)
        position = segments[-1].end if segments else 0
        tail = self._cut_off(agreement(self._line, wanted))
        taken = [segment for segment in segments if segment.held is not self._line]
        with self._counting:
            self._cache.rewind(segments[0].end if segments and segments[0].held is self._line else 0)
            for segment in taken:
                self._cache.extend(self._parked.layers(segment.held), segment.begin, segment.end, pins)
            self.tokens = wanted[:position]
            if taken:
                # Here and now: until they are copied, the branches' rows cannot go.
                mx.eval(self._cache.arrays())
            self._parked.taken(taken, self._cache.held(self.tokens))
            if tail is not None:
                self._parked.leave(*tail)
            self._make_room(0)
            self._count()
        self._publish()
        if taken or tail is not None:
            mx.clear_cache()
        return position

    def state(self) -> State:
        """The line as it lies, for whoever stores it before the next pass."""
        layers = tuple(layer.lying() for layer in self._cache.layers)
        pins = self._line.pins
        chosen = (replace(rows, pins={pin: rows.pins[pin] for pin in pins if rows.sliding}) for rows in layers)
        return State(self.tokens, self._line.start, tuple(chosen))

    def restore(self, state: State, ids: Sequence[int]) -> int:
        """Goes as far along `ids` as a stored line leads; returns how many of them are held by then. Where it leads no
        further than what is held already, nothing changes."""
        pins = frozenset(pin for rows in state.layers for pin in rows.pins)
        stored = Held(state.ids, 0, len(state.ids), state.start, pins)
        segments = best(array(TOKENS, ids), stored, (), self._sizes.back)
        known = self.reusable(ids)
        if not segments or segments[-1].end <= known:
            return known
        tail = self._cut_off(agreement(self._line, state.ids))
        fresh = self._fresh_cache()
        for layer, rows in zip(fresh.layers, state.layers, strict=True):
            layer.adopt(rows, len(state.ids))
        with self._counting:
            self._cache = fresh
            self.tokens = state.ids
            self._parked.taken((), self._cache.held(self.tokens))
            if tail is not None:
                self._parked.leave(*tail)
        self._publish()
        return self.go_to(ids, len(ids))

    def forget(self) -> None:
        """Empties the caches, and lets all branches go."""
        with self._counting:
            self._cache = self._fresh_cache()
            self._parked.clear()
            self.tokens = array(TOKENS)
            self._count()
        self._publish()

    def _cut_off(self, fork: int) -> tuple[Held, tuple[LayerRows, ...]] | None:
        """The line from `fork` on, copied aside as far as the budget could ever hold it; None where it is not worth
        it."""
        line, sizes = self._line, self._sizes
        end, start = line.end, max(line.start, fork)
        room = self._budget - self._cache.pinned_bytes()
        if (end - fork) * sizes.full + (end - start) * sizes.sliding > room:
            # Without a history of its own, then; and if need be without its end, which only its beginning leads to.
            window = sizes.back * sizes.sliding
            if sizes.full:
                end = min(end, fork + max(0, room - window) // sizes.full)
            start = max(line.start, fork, end - sizes.back)
            if window > room or start > max(fork, end - sizes.back):
                return None
        pins = frozenset(pin for pin in line.pins if fork < pin <= end)
        branch = Held(self.tokens, fork, end, start, pins)
        if not self._parked.worth_parking(branch):
            return None
        return branch, self._cache.cut(fork, end, start)

    def _make_room(self, count: int) -> None:
        """Shares the budget out before `count` tokens are read: what is worth least gives way, be it a branch or the
        oldest rows of the line's own history. Pins are few, and what a retry needs: they stay."""
        cache, sizes, parked = self._cache, self._sizes, self._parked
        room = self._budget - cache.pinned_bytes()
        length, start = cache.length + count, cache.start
        history = max(0, length - start - sizes.back) if sizes.sliding else 0
        while (rows := sizes.history_rows(room - parked.nbytes)) < history or parked.nbytes > room:
            weakest = parked.weakest()
            if weakest is None:
                break
            # Either some branch goes, or the line's rows up to where its history would then begin.
            worth = line_worth(sizes, start, start + history - rows, length) if rows < history else math.inf
            if weakest.worth >= worth and parked.nbytes <= room:
                break
            parked.let_go(weakest)
        # A cache may stand a step above its limit before it drops rows.
        cache.limit_history(rows - min(STEP, rows // 4))

    def _count_unless_moving(self) -> None:
        # Not waited for: on the CPU a prefill chunk is computed while the lock is held, and the caller may be a screen.
        if self._counting.acquire(blocking=False):
            try:
                self._count()
            finally:
                self._counting.release()
        else:
            self._asked = True

    def _count(self) -> None:
        """Brings the figures up to date; under the lock."""
        self._asked = False
        self._states = self._cache.states()
        pinned = self._cache.pinned_bytes()
        history = sum(state.history_bytes for state in self._states)
        self._memory = MemoryUse(history - pinned, pinned, self._parked.nbytes, len(self._parked), self._budget)

    def _publish(self) -> None:
        """Tells other threads what is held by now."""
        self._line = self._cache.held(self.tokens)
        self._known = (self._line, self._parked.held)

    def _fresh_cache(self) -> KVCache:
        return KVCache(self._config, self._budget, self._itemsize)
