"""The precision policy and the kernels of Metal and CUDA, end to end on the CPU: only what asks for the device is told
otherwise, and every choice that hangs on it is the GPU's."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from gptoss_tui.engine import worker
from gptoss_tui.engine.attention import FusedAttention
from gptoss_tui.engine.cache import KVCache
from gptoss_tui.engine.loading import load_model
from gptoss_tui.engine.matrices import Quantised
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from tests.engine.driving import GREEDY, finished, ids, steps, tokens, write
from tests.engine.reference import Reference

Make = Callable[..., Path]

EXPERTS = dict.fromkeys(("gate_proj", "up_proj", "down_proj"), "mxfp4")


@pytest.fixture(autouse=True)
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx, "default_device", lambda: mx.Device(mx.gpu))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"affine": None},
        {"layout": "openai"},
        {"layout": "hf"},
        {"per_tensor": EXPERTS},
        {"per_tensor": {"q_proj": (8, 64), "up_proj": (8, 32)}},
    ],
    ids=str,
)
def test_a_float32_checkpoint_is_as_the_reference(checkpoint: Make, options: dict[str, Any]) -> None:
    folder = checkpoint(dtype=mx.float32, **options)
    model = load_model(folder).model
    assert isinstance(model._attend, FusedAttention)
    text = ids(200)
    expected = Reference.of(folder)(text).logits
    cache = KVCache(model.config, 0, 4)
    for count in (120, 1, 8, 1, 70):
        logits = np.array(model(mx.array(text[cache.length : cache.length + count]), cache))
        truth = expected[cache.length - 1]
        assert np.abs(logits - truth).max() <= 1e-4 * np.abs(truth).max()


def test_what_is_published_stays_as_it_is(checkpoint: Make) -> None:
    loaded = load_model(checkpoint(per_tensor=EXPERTS))
    assert loaded.info.dtype == "bfloat16"
    layer = loaded.model.layers[0]
    assert isinstance(layer.qkv, Quantised)
    assert {array.dtype for array in layer.arrays()} == {mx.bfloat16, mx.uint32, mx.uint8}


@pytest.mark.parametrize("options", [{}, {"per_tensor": EXPERTS}], ids=str)
def test_bfloat16_from_beginning_to_end(checkpoint: Make, options: dict[str, Any]) -> None:
    params = SamplingParams(temperature=1.2, top_p=0.9, min_p=0.01, repetition_penalty=1.1, seed=1)
    with Engine.load(checkpoint(**options)) as engine:
        events = write(engine, ids(200), params, top_logprobs=3, router=True)
        assert finished(events).completion_tokens == 12
        assert all(math.isfinite(step.logprob) and len(step.experts) == 4 for step in steps(events))
        assert engine.layers()[1].used_bytes == 211 * 2 * 2 * 32 * 2
        first = tokens(write(engine, ids(200), GREEDY))
        assert tokens(write(engine, ids(200), GREEDY)) == first
        changed = write(engine, ids(200), params, before_sample=lambda index, *_: GREEDY if index == 4 else None)
        assert [step.params.greedy for step in steps(changed)] == [False] * 4 + [True] * 8


def test_the_weights_are_kept_resident_up_to_metals_limit(checkpoint: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(worker, "working_set", lambda: 10**9)
    monkeypatch.setattr(mx, "set_wired_limit", asked.append)
    with Engine.load(checkpoint()):
        assert asked == [10**9]
