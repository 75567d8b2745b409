"""What the model has read: the tokens, the caches that hold their rows, and the way to another text.

The generator appends; this module goes back. It publishes what is held as plain numbers, so that any thread may ask
what a prompt would cost without waiting for the model's. Everything else runs on the model's thread.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import mlx.core as mx

from gptoss_tui.engine.cache import KVCache
from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.events import LayerState
from gptoss_tui.engine.reuse import TOKENS, best


class Context:
    """The tokens that were read, and every layer's rows of them."""

    def __init__(self, config: ModelConfig, history_bytes: int, itemsize: int) -> None:
        """`history_bytes` bounds what is kept for going back; `itemsize` is the dtype's."""
        self.tokens = array(TOKENS)
        """The ids whose rows the caches hold. Only appended to, or replaced."""
        self._config = config
        self._history_bytes = history_bytes
        self._itemsize = itemsize
        self._back = config.window - 1 if "sliding" in config.attention else 0
        self._cache = self._fresh_cache()
        # Taken while a pass moves the counters, so that `states` never sees half of one.
        self._counting = threading.Lock()
        self._states = self._cache.states()
        self._asked = False  # whether `states` came while a pass was moving them
        self._line = self._cache.held(self.tokens)

    def states(self) -> tuple[LayerState, ...]:
        """Every layer's state, from any thread, at once: while a pass moves the counters, what was last known."""
        # Not waited for: on the CPU a prefill chunk is computed while the lock is held, and the caller may be a screen.
        if self._counting.acquire(blocking=False):
            try:
                self._states = self._cache.states()
            finally:
                self._counting.release()
        else:
            self._asked = True
        return self._states

    def reusable(self, ids: Sequence[int]) -> int:
        """How many tokens at the beginning of `ids` need not be read. From any thread, at once: as last published."""
        segments = best(array(TOKENS, ids), self._line, (), self._back)
        return segments[-1].end if segments else 0

    def reads(self, ids: Sequence[int]) -> bool:
        """Whether the line begins with all of `ids`."""
        return self.tokens[: len(ids)] == array(TOKENS, ids)

    def arrays(self) -> list[mx.array]:
        """What must be evaluated for the caches to be on the device."""
        return self._cache.arrays()

    @contextmanager
    def moving(self) -> Iterator[KVCache]:
        """The caches, for a pass that appends to them; `add` or `settle` must follow."""
        with self._counting:
            yield self._cache
            if self._asked:
                self._asked, self._states = False, self._cache.states()

    def add(self, ids: Sequence[int]) -> None:
        """Says which tokens a pass has read."""
        self.tokens.extend(ids)
        self._line = self._cache.held(self.tokens)

    def settle(self) -> None:
        """Takes back the rows of a pass whose tokens were not added."""
        with self._counting:
            self._cache.rewind(len(self.tokens))

    def go_to(self, ids: Sequence[int], most: int) -> int:
        """Goes back to the end of the longest prefix of `ids`, up to `most`, that is held; returns its length."""
        segments = best(array(TOKENS, ids[:most]), self._line, (), self._back)
        position = segments[-1].end if segments else 0
        with self._counting:
            self._cache.rewind(position)
            self.tokens = self.tokens[:position]
        self._line = self._cache.held(self.tokens)
        return position

    def forget(self) -> None:
        """Empties the caches."""
        with self._counting:
            self._cache = self._fresh_cache()
            self.tokens = array(TOKENS)
        self._line = self._cache.held(self.tokens)

    def _fresh_cache(self) -> KVCache:
        return KVCache(self._config, self._history_bytes, self._itemsize)
