"""The caches against a plain list: whatever is appended, rewound and pinned, attention sees the true last rows."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptoss_tui.engine.cache import PINS, STEP, KVCache, LayerCache
from gptoss_tui.engine.config import ModelConfig, parse_config
from tests.checkpoints import geometry

KV_HEADS, DIM = 2, 4
ROW_BYTES = 2 * KV_HEADS * DIM * 4


class Model:
    """A layer's cache beside the list of what it should hold; every row is told apart by a number of its own."""

    def __init__(self, window: int | None, history_rows: int) -> None:
        self.window = window
        self.history_rows = history_rows
        self.cache = LayerCache(KV_HEADS, DIM, window, history_rows)
        self.rows: list[int] = []
        self.written = 0
        self.longest = 0
        """Rows of the longest append since the last reallocation at most; bounds what may lie above the budget."""

    def append(self, count: int, pins: Sequence[int] = ()) -> None:
        new = range(self.written, self.written + count)
        self.written += count
        numbers = np.array(new, np.float32)[None, :, None]
        heads = np.arange(2 * KV_HEADS, dtype=np.float32)[:, None, None]
        rows = mx.array(np.broadcast_to(numbers * 100 + heads, (2 * KV_HEADS, count, DIM)).copy())
        if count % 2:  # in one part or in two, as the two ways of attention do
            self.cache.append(rows, pins=pins)
        else:
            self.cache.append(rows[:KV_HEADS], rows[KV_HEADS:], pins=pins)
        self.rows.extend(new)
        self.longest = max(self.longest, count)
        self.check(count)

    def rewind(self, wanted: int) -> int:
        position = self.cache.reachable(wanted)
        assert 0 <= position <= min(wanted, len(self.rows))
        self.cache.rewind(position)
        del self.rows[position:]
        return position

    def check(self, queries: int) -> None:
        """What the last `queries` tokens, just appended, are given to see."""
        keys, values = (np.array(part) for part in self.cache.visible(queries))
        seen = len(self.rows) if self.window is None else min(len(self.rows), queries + self.window - 1)
        numbers = np.array(self.rows[-seen:], np.float32) * 100
        assert keys.shape == values.shape == (KV_HEADS, seen, DIM)
        for head in range(KV_HEADS):
            assert (keys[head] == numbers[:, None] + head).all()
            assert (values[head] == numbers[:, None] + KV_HEADS + head).all()
        self.count()

    def count(self) -> None:
        state = self.cache.state(3)
        assert self.cache.length == state.tokens == len(self.rows)
        assert (state.index, state.window) == (3, self.window)
        assert state.mode == ("full" if self.window is None else "sliding")
        assert state.visible == (len(self.rows) if self.window is None else min(len(self.rows), self.window))
        assert state.history_bytes >= 0
        assert state.used_bytes + state.history_bytes <= state.allocated_bytes
        # One row less than a window lies there just after a rewind to a pin, until the next token is read.
        assert state.visible - 1 <= state.used_bytes / ROW_BYTES <= state.visible or not self.rows
        if self.window is None:
            assert state.history_bytes == 0
            return
        pinned = PINS * max(0, self.window - 1)
        most = self.history_rows + self.longest + STEP + pinned
        assert state.history_bytes <= most * ROW_BYTES
        assert state.allocated_bytes <= (most + self.window + pinned + STEP) * ROW_BYTES


WINDOWS = st.sampled_from([None, 1, 2, 3, 8, 128])
HISTORIES = st.sampled_from([0, 1, 7, 64, 300, 10_000])
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sampled_from([1, 1, 1, 2, 7, 127, 128, 129, 255, 256, 257, 300, 600])),
        st.tuples(st.just("rewind"), st.integers(0, 1200)),
        st.tuples(st.just("back"), st.integers(0, 140)),
        st.tuples(st.just("pin"), st.integers(0, 1200)),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(WINDOWS, HISTORIES, ACTIONS)
def test_any_order_of_appends_rewinds_and_pins(
    window: int | None, history_rows: int, actions: list[tuple[str, int]]
) -> None:
    model = Model(window, history_rows)
    pins: list[int] = []
    for action, number in actions:
        if action == "append":
            model.append(number, pins)
        elif action == "pin":
            pins.append(number)
        else:
            wanted = min(number, len(model.rows)) if action == "rewind" else max(0, len(model.rows) - number)
            there = model.rewind(wanted)
            model.count()
            if there < wanted:
                assert model.window is not None
                assert there == 0 or there in pins
    model.append(1, pins)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([2, 8, 128]), st.sampled_from([0, 5, 300]), st.lists(st.integers(1, 300), min_size=1, max_size=8)
)
def test_the_last_token_can_always_be_taken_back(window: int, history_rows: int, counts: list[int]) -> None:
    """What a discarded pass relies on."""
    model = Model(window, history_rows)
    for count in counts:
        model.append(count)
        for _ in range(3):
            model.append(1)
            assert model.rewind(len(model.rows) - 1) == len(model.rows)
            model.append(1)


class TestHistory:
    def test_without_a_budget_only_the_window_stays(self) -> None:
        model = Model(window=128, history_rows=0)
        model.append(1000)
        for _ in range(2 * STEP):
            model.append(1)
        state = model.cache.state(0)
        assert state.used_bytes == 128 * ROW_BYTES
        assert state.history_bytes <= STEP * ROW_BYTES
        assert state.allocated_bytes <= (127 + 2 * STEP) * ROW_BYTES

    def test_rows_within_the_budget_are_reachable(self) -> None:
        model = Model(window=128, history_rows=1024)
        for _ in range(1500):
            model.append(1)
        # Seven eighths of the budget stay when old rows go.
        for position in range(1500, 1500 - 1024 * 7 // 8, -13):
            assert model.cache.reachable(position) == position

    def test_within_the_budget_everything_is(self) -> None:
        model = Model(window=8, history_rows=2000)
        model.append(1500)
        assert [model.cache.reachable(position) for position in (0, 1, 7, 8, 9, 1499, 1500, 9999)] == [
            0, 1, 7, 8, 9, 1499, 1500, 1500,
        ]  # fmt: skip

    def test_beyond_it_only_the_start(self) -> None:
        model = Model(window=8, history_rows=0)
        for _ in range(4):
            model.append(300)
        assert model.cache.reachable(500) == 0
        assert model.rewind(500) == 0
        model.append(5)

    def test_a_full_layer_reaches_everything(self) -> None:
        model = Model(window=None, history_rows=0)
        model.append(1000)
        assert all(model.cache.reachable(position) == position for position in range(1001))


class TestPins:
    @pytest.mark.parametrize("window", [1, 2, 8, 128])
    @pytest.mark.parametrize("pin", [0, 1, 7, 8, 127, 128, 129, 300, 599, 600])
    def test_a_pinned_position_survives_its_rows(self, window: int, pin: int) -> None:
        model = Model(window, history_rows=0)
        for count in (300, 300, 300, 300):
            model.append(count, [pin])
        assert model.cache.reachable(pin) == pin
        assert model.cache.reachable(pin + 1) == pin
        assert model.rewind(pin + 1) == pin
        model.count()
        model.append(1)
        for _ in range(4):
            model.append(300)

    def test_it_survives_being_returned_to(self) -> None:
        model = Model(window=8, history_rows=0)
        for _ in range(3):
            for _ in range(4):
                model.append(300, [100])
            assert model.rewind(500) == 100

    def test_rewinding_before_it_forgets_it(self) -> None:
        model = Model(window=8, history_rows=0)
        for _ in range(4):
            model.append(300, [100, 200])
        assert model.rewind(150) == 100
        for _ in range(4):
            model.append(300)
        # 200 was passed again, but with other tokens and without being asked for.
        assert model.rewind(500) == 100

    def test_only_the_newest_are_kept(self) -> None:
        model = Model(window=8, history_rows=0)
        pins = list(range(10, 10 * (PINS + 4), 10))
        for _ in range(5):
            model.append(300, pins)
        assert [pin for pin in pins if model.cache.reachable(pin) == pin] == pins[-PINS:]

    def test_it_does_not_hold_the_array_it_was_cut_from(self) -> None:
        cache = LayerCache(8, 64, 8, 0)
        before = mx.get_active_memory()
        cache.append(mx.zeros((16, 5000, 64)), pins=[100])  # 20 MB
        for _ in range(3):
            cache.append(mx.zeros((16, 300, 64)), pins=[100])
            mx.eval(cache.arrays())
        assert cache.reachable(100) == 100
        assert mx.get_active_memory() - before < 4_000_000

    def test_nothing_is_copied_while_the_rows_are_there(self) -> None:
        model = Model(window=8, history_rows=5000)
        model.append(1000, [500])
        assert model.cache.arrays() == [model.cache.arrays()[0]]


def config(**changes: object) -> ModelConfig:
    return parse_config(geometry(**changes), "")


class TestAllLayers:
    def test_the_budget_is_shared_by_the_sliding_layers(self) -> None:
        # 2 layers of 2 KV heads with 32 numbers of 4 bytes, keys and values: 1,024 bytes a token.
        cache = KVCache(config(), 1024 * 600, itemsize=4)
        rows = mx.zeros((4, 1, 32))
        for _ in range(3000):
            for layer in cache.layers:
                layer.append(rows)
        history = sum(state.history_bytes for state in cache.states())
        assert 1024 * 400 <= history <= 1024 * (600 + STEP)
        assert cache.length == 3000
        assert cache.reachable(2600) == 2600
        assert cache.reachable(2000) == 0

    def test_full_layers_alone_need_no_budget(self) -> None:
        cache = KVCache(config(layer_types=["full_attention"] * 4), 0, itemsize=4)
        for layer in cache.layers:
            layer.append(mx.zeros((4, 700, 32)))
        assert cache.reachable(1) == 1

    def test_a_pin_holds_only_where_all_layers_have_it(self) -> None:
        cache = KVCache(config(), 0, itemsize=4)
        for _ in range(4):
            for index, layer in enumerate(cache.layers):
                layer.append(mx.zeros((4, 300, 32)), pins=[200, 400] if index == 0 else [200])
        assert cache.layers[0].reachable(500) == 400
        assert cache.reachable(500) == 200

    def test_states_name_the_layers(self) -> None:
        states = KVCache(config(), 0, itemsize=4).states()
        assert [(state.index, state.mode, state.window) for state in states] == [
            (0, "sliding", 128), (1, "full", None), (2, "sliding", 128), (3, "full", None),
        ]  # fmt: skip
        assert all(state.tokens == state.visible == state.allocated_bytes == 0 for state in states)


def test_nothing_to_see_before_the_first_token() -> None:
    with pytest.raises(ValueError, match="nothing was appended"):
        LayerCache(KV_HEADS, DIM, 8, 0).visible(1)
