"""The KV caches: the keys and values of every token read so far, layer by layer, and the exact way back.

Both kinds of layer keep their rows in order in one array. A full layer attends to all of them; a sliding layer to the
last `window`, and what lies before is *rewind history*: rows that attention no longer needs, but that make going back
to an earlier position a mere change of a counter. The usual alternative, a ring of `window` rows, overwrites them, and
then every edit or dropped thought costs a prefill from the start.

History has a limit in rows; the oldest go first. Before rows go, those a *pinned* position would need (the `window - 1`
rows before it) are copied aside. What lies behind a position can be cut out before going back there, and put on again
later, bit for bit. A layer knows positions and bytes; it knows no token ids, nor who decides on the limit.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence

import mlx.core as mx

from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.events import LayerState
from gptoss_tui.engine.reuse import Held
from gptoss_tui.engine.rows import LayerRows, RowSizes

STEP = 256
"""Rows by which a cache grows: small enough to waste little memory, large enough that copying stays rare."""

PINS = 8
"""Pinned positions kept at most, newest first: on gpt-oss-20b a pin takes 3 MiB a cache (12 sliding layers)."""


class LayerCache:
    """One layer's keys and values. `length` is the number of tokens read; every method keeps it exact."""

    def __init__(self, kv_heads: int, head_dim: int, window: int | None, history_rows: int) -> None:
        self.kv_heads = kv_heads
        self.head_dim = head_dim
        self.window = window
        self.length = 0
        self.history_rows = history_rows
        """Rows that a sliding layer may keep before its window. Holds from the next `append` on."""
        self._start = 0  # position of the array's first row; stays 0 in a full layer
        self._rows: mx.array | None = None  # (2 * kv_heads, capacity, head_dim): keys first, then values
        self._pins: dict[int, mx.array] = {}

    @property
    def start(self) -> int:
        """Position of the first row that lies here; 0 in a full layer."""
        return self._start

    @property
    def pins(self) -> Collection[int]:
        """Positions whose rows were copied aside."""
        return self._pins.keys()

    def append(self, *parts: mx.array, pins: Collection[int] = ()) -> None:
        """Adds rows for L new tokens; the parts are (heads, L, head_dim), stacked to 2 * kv_heads: keys, then
        values."""
        count = parts[0].shape[1]
        rows = self._room(count, parts[0].dtype, pins)
        begin = self.length - self._start
        head = 0
        for part in parts:
            rows[head : head + part.shape[0], begin : begin + count] = part
            head += part.shape[0]
        self.length += count

    def visible(self, queries: int) -> tuple[mx.array, mx.array]:
        """Keys and values, (kv_heads, T, head_dim) each, that the last `queries` tokens attend to, themselves included.

        T is the whole context in a full layer; in a sliding one what the first of those queries sees and all after it.
        """
        if self._rows is None:
            raise ValueError("nothing was appended yet")
        first = self._start if self.window is None else max(self._start, self.length - queries - self.window + 1)
        span = slice(first - self._start, self.length - self._start)
        return self._rows[: self.kv_heads, span], self._rows[self.kv_heads :, span]

    def reachable(self, position: int) -> int:
        """The last position, up to `position`, that `rewind` can go back to exactly."""
        position = min(position, self.length)
        if self._rests_on_rows(position):
            return position
        return max((pin for pin in self._pins if pin <= position), default=0)

    def rewind(self, position: int) -> None:
        """Forgets all tokens from `position` on, which `reachable` must have named, or `extend` must follow."""
        if not self._rests_on_rows(position) and (position in self._pins or position <= self._start):
            self._rows = self._pins.get(position)
            self._start = position - (0 if self._rows is None else self._rows.shape[1])
        self.length = position
        self._pins = {pin: rows for pin, rows in self._pins.items() if pin <= position}

    def cut(self, begin: int, end: int, start: int) -> LayerRows:
        """Copies aside the rows from `begin` to `end`; a sliding layer's from `start` on, as far as they lie here."""
        first = min(max(begin if self.window is None else start, self._start), end)
        if self._rows is None:
            rows = mx.zeros((2 * self.kv_heads, 0, self.head_dim))
        else:
            rows = mx.contiguous(self._rows[:, first - self._start : end - self._start])
        pins = {pin: rows for pin, rows in self._pins.items() if begin < pin <= end}
        return LayerRows(self.window is not None, first, rows, pins)

    def extend(self, source: LayerRows, begin: int, end: int, pins: Collection[int] = ()) -> None:
        """Puts on the source's rows from `begin`, where this layer ends, to `end`.

        A sliding layer lets go of its own rows where those of the source begin later than here, as nothing may be
        missing between them.
        """
        first = min(max(begin, source.start), end)
        pinned = source.pins.get(end)
        if pinned is not None and (self._start if first == self.length else first) > end - pinned.shape[1]:
            self._rows, self._start, self.length = pinned, end - pinned.shape[1], end
        else:
            if first > self.length:
                self._rows, self._start, self.length = None, first, first
            if first < end:
                self.append(source.rows[:, first - source.start : end - source.start], pins=pins)
        self._pins |= {pin: rows for pin, rows in source.pins.items() if begin < pin <= end}

    def lying(self) -> LayerRows:
        """What is here now, looked at in place: to be gone before the next `append`."""
        rows = mx.zeros((2 * self.kv_heads, 0, self.head_dim)) if self._rows is None else self._rows
        return LayerRows(self.window is not None, self._start, rows[:, : self.length - self._start], dict(self._pins))

    def adopt(self, source: LayerRows, end: int) -> None:
        """Takes the source's arrays, whose rows go up to `end`, in place of its own."""
        self._rows, self._start, self.length = source.rows, source.start, end
        self._pins = dict(source.pins)

    def _rests_on_rows(self, position: int) -> bool:
        """Whether the rows at hand hold all that attention at `position` would look back to."""
        oldest = 0 if self.window is None else max(0, position - self.window + 1)
        return self._start <= oldest

    def _room(self, count: int, dtype: mx.Dtype, pins: Collection[int]) -> mx.array:
        """The array, with space for `count` rows after the present ones; old history makes room first."""
        used = self.length - self._start
        keep = used
        if self.window is not None:
            limit = self.window - 1 + self.history_rows
            if used + count > limit + STEP:
                # Drop an eighth more than needed, so that the copy below is paid once in a while, not at every token.
                keep = min(used, max(self.window - 1, limit - limit // 8 - count))
                self._pin(pins, self.length - keep)
        if self._rows is not None and keep == used and used + count <= self._rows.shape[1]:
            return self._rows
        heads = 2 * self.kv_heads
        capacity = -(-(keep + count) // STEP) * STEP
        fresh = mx.zeros((heads, capacity - keep, self.head_dim), dtype)
        if self._rows is not None:
            kept = self._rows[:, used - keep : used]
            fresh = mx.concatenate([kept, fresh], axis=1)
        self._rows = fresh
        self._start = self.length - keep
        return fresh

    def _pin(self, pins: Collection[int], start: int) -> None:
        """Copies aside what pinned positions need of the rows before `start`, which are about to go."""
        if self._rows is None or self.window is None:
            return
        for pin in sorted(pins):
            oldest = max(0, pin - self.window + 1)
            if self._start <= oldest < start and pin <= self.length and pin not in self._pins:
                rows = self._rows[:, oldest - self._start : pin - self._start]
                self._pins[pin] = mx.contiguous(rows)  # a copy: a view would hold the whole array
        for pin in sorted(self._pins)[:-PINS]:
            del self._pins[pin]

    def arrays(self) -> list[mx.array]:
        """What must be evaluated for the cache to be on the device."""
        return [*([] if self._rows is None else [self._rows]), *self._pins.values()]

    def row_bytes(self) -> int:
        """Bytes that one token takes in this layer, keys and values; 0 before the first."""
        return 0 if self._rows is None else 2 * self.kv_heads * self.head_dim * self._rows.itemsize

    def pinned_bytes(self) -> int:
        """Bytes of the rows that are aside for pinned positions."""
        return sum(rows.nbytes for rows in self._pins.values())

    def state(self, index: int) -> LayerState:
        """Host counters only: no array is evaluated."""
        row = self.row_bytes()
        held = self.length - self._start
        seen = self.length if self.window is None else min(self.length, self.window)
        needed = min(seen, held)  # just after a rewind to a pin, one row less than the window lies here
        pinned = self.pinned_bytes()
        return LayerState(
            index=index,
            mode="full" if self.window is None else "sliding",
            window=self.window,
            tokens=self.length,
            visible=seen,
            used_bytes=needed * row,
            history_bytes=(held - needed) * row + pinned,
            allocated_bytes=(0 if self._rows is None else self._rows.nbytes) + pinned,
        )


class KVCache:
    """All layers' caches, which move together."""

    def __init__(self, config: ModelConfig, history_bytes: int, itemsize: int) -> None:
        """`history_bytes` bounds the rewind history of all sliding layers together; `itemsize` is the dtype's."""
        self.sizes = RowSizes.of(config, itemsize)
        history = self.sizes.history_rows(history_bytes)
        self.layers = tuple(
            LayerCache(config.kv_heads, config.head_dim, config.window if mode == "sliding" else None, history)
            for mode in config.attention
        )

    @property
    def length(self) -> int:
        """Tokens read."""
        return self.layers[0].length

    def held(self, tokens: array[int]) -> Held:
        """What the layers hold of `tokens`, for whoever reckons where a prompt can go on."""
        pins = (frozenset(layer.pins) for layer in self.layers if layer.window is not None)
        start = min(self.start, len(tokens))
        return Held(tokens, 0, len(tokens), start, next(pins, frozenset()).intersection(*pins))

    @property
    def start(self) -> int:
        """Position from which on all sliding layers have rows."""
        return max(layer.start for layer in self.layers)

    def reachable(self, position: int) -> int:
        """The last position, up to `position`, that every layer can go back to exactly."""
        while True:
            nearest = min(layer.reachable(position) for layer in self.layers)
            if nearest == position:
                return nearest
            position = nearest

    def limit_history(self, rows: int) -> None:
        """Lets the sliding layers keep so many rows before their windows, from the next pass on."""
        for layer in self.layers:
            layer.history_rows = rows

    def cut(self, begin: int, end: int, start: int) -> tuple[LayerRows, ...]:
        """Every layer's rows from `begin` to `end`, copied aside by the time this returns; sliding ones from
        `start`."""
        cut = tuple(layer.cut(begin, end, start) for layer in self.layers)
        # At once: while a copy is to be made, its source cannot be written to in place.
        mx.eval([array for rows in cut for array in rows.arrays()])
        return cut

    def extend(self, sources: Sequence[LayerRows], begin: int, end: int, pins: Collection[int]) -> None:
        """Puts every layer's rows from `begin`, the present end, to `end` on."""
        for layer, source in zip(self.layers, sources, strict=True):
            layer.extend(source, begin, end, pins)

    def pinned_bytes(self) -> int:
        """Bytes of the rows that are aside for pinned positions."""
        return sum(layer.pinned_bytes() for layer in self.layers)

    def rewind(self, position: int) -> None:
        """Forgets all tokens from `position` on, in every layer."""
        for layer in self.layers:
            layer.rewind(position)

    def arrays(self) -> list[mx.array]:
        """What must be evaluated for the caches to be on the device."""
        return [array for layer in self.layers for array in layer.arrays()]

    def states(self) -> tuple[LayerState, ...]:
        """Every layer's counters."""
        return tuple(layer.state(index) for index, layer in enumerate(self.layers))
