"""The model's logits and taps against a float64 reference and against mlx-lm, in every layout that it loads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import numpy as np
import numpy.typing as npt
import pytest
from mlx_lm.utils import load_model as load_with_mlx_lm

from gptoss_tui.engine.attention import FusedAttention
from gptoss_tui.engine.cache import KVCache
from gptoss_tui.engine.loading import load_model
from gptoss_tui.engine.matrices import Beside
from gptoss_tui.engine.model import Model, Taps, join, swiglu
from tests.checkpoints import geometry
from tests.engine.reference import Pass, Reference

Logits = npt.NDArray[np.float32]

LAYOUTS: dict[str, dict[str, Any]] = {
    "affine 4 bit, group 64": {"affine": (4, 64)},
    "affine 4 bit, group 32": {"affine": (4, 32)},
    "affine 8 bit, group 64": {"affine": (8, 64)},
    "affine 8 bit, group 32": {"affine": (8, 32)},
    "affine 6 bit": {"affine": (6, 64)},
    "router and head apart": {"per_tensor": {"mlp.router": (8, 64), "lm_head": (8, 32), "embed_tokens": (8, 64)}},
    "q, k, v of different bits": {"per_tensor": {"q_proj": (8, 64), "v_proj": (4, 32)}},
    "gate and up of different groups": {"per_tensor": {"gate_proj": (4, 32), "down_proj": (8, 64)}},
    "mxfp4 experts": {"per_tensor": dict.fromkeys(("gate_proj", "up_proj", "down_proj"), "mxfp4")},
    "mxfp4 gate beside affine up": {"per_tensor": {"gate_proj": "mxfp4"}},
    "bfloat16": {"affine": None},
    "float32": {"affine": None, "dtype": mx.float32},
    "Transformers'": {"layout": "hf"},
    "OpenAI's": {"layout": "openai"},
}
BY_REFERENCE_ONLY = ("Transformers'",)
"""mlx-lm does not read these (plain experts as (experts, in, out))."""

IDS = tuple(int(n) for n in np.random.default_rng(5).integers(0, 1088, 300))
WHOLE = (300,)
WINDOW_EDGES = (1, 126, 1, 1, 1, 140, 29, 1)
"""Chunks that end at 1, 127, 128, 129, 130, 270, 299 and 300 tokens: one token at a time, few, many."""


Make = Callable[..., Path]


def logits_after(
    model: Model, chunks: Sequence[int], taps: Sequence[Taps] | None = None, ids: Sequence[int] = IDS
) -> dict[int, Logits]:
    """What follows after each chunk of `ids`, by the number of tokens read; `taps` watches the chunks."""
    cache = KVCache(model.config, 0, model.dtype.size)
    found = {}
    for index, count in enumerate(chunks):
        chunk = mx.array(list(ids[cache.length : cache.length + count]))
        logits = model(chunk, cache, taps=taps[index] if taps is not None else None)
        found[cache.length] = np.array(logits)
    return found


def assert_close(found: Mapping[int, Logits], expected: npt.NDArray[np.floating[Any]]) -> None:
    """Within 1e-4 of the largest logit, after every number of tokens; `expected` is (L, vocabulary)."""
    for read, logits in found.items():
        assert logits.dtype == np.float32
        off = np.abs(logits - expected[read - 1]).max() / np.abs(expected[read - 1]).max()
        assert off <= 1e-4, f"{off:.1e} off after {read} tokens"


@lru_cache
def referred(folder: Path) -> Pass:
    """What the reference says of all `IDS`."""
    return Reference.of(folder)(IDS)


def on_the_gpus_path(model: Model) -> Model:
    """The same model with the kernels and compiled functions that Metal and CUDA get."""
    model._attend = FusedAttention(model.config)
    model._swiglu = mx.compile(partial(swiglu, limit=model.config.swiglu_limit), shapeless=True)
    model._join = mx.compile(join, shapeless=True)
    return model


@pytest.mark.parametrize("layout", LAYOUTS)
class TestLayouts:
    @pytest.mark.parametrize("dense", [True, False], ids=["dense", "packed"])
    def test_as_the_reference(self, checkpoint: Make, layout: str, dense: bool) -> None:
        folder = checkpoint(**LAYOUTS[layout])
        model = load_model(folder, dense=dense).model
        expected = referred(folder).logits
        assert_close(logits_after(model, WHOLE), expected)
        assert_close(logits_after(model, WINDOW_EDGES), expected)

    def test_as_the_reference_on_the_gpus_path(self, checkpoint: Make, layout: str) -> None:
        folder = checkpoint(**LAYOUTS[layout])
        model = on_the_gpus_path(load_model(folder, dense=False).model)
        assert_close(logits_after(model, WINDOW_EDGES), referred(folder).logits)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout not in BY_REFERENCE_ONLY])
def test_as_mlx_lm(checkpoint: Make, layout: str) -> None:
    folder = checkpoint(**LAYOUTS[layout])
    theirs, _ = load_with_mlx_lm(folder)
    theirs.set_dtype(mx.float32)
    expected = np.array(theirs(mx.array(IDS)[None])[0])
    assert_close(logits_after(load_model(folder).model, (127, 1, 1, 171)), expected)


def test_unlike_matrices_are_not_fused(checkpoint: Make) -> None:
    layers = {
        name: load_model(checkpoint(**LAYOUTS[name]), dense=False).model.layers[0]
        for name in ("affine 4 bit, group 64", "q, k, v of different bits", "mxfp4 gate beside affine up")
    }
    beside = [(isinstance(layer.qkv, Beside), isinstance(layer.gate_up, Beside)) for layer in layers.values()]
    assert beside == [(False, False), (True, False), (False, True)]


@pytest.mark.parametrize("read", [1, 2, 127, 128, 129, 255, 256, 257])
def test_prompts_of_every_length_around_the_edges(checkpoint: Make, read: int) -> None:
    folder = checkpoint()
    model = load_model(folder).model
    for way in (model, on_the_gpus_path(load_model(folder).model)):
        assert_close(logits_after(way, (read, 1, 1)), referred(folder).logits)


class TestGeometries:
    """Other shapes than the usual, each in one pass and token by token across the window."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"sliding_window": 1},
            {"sliding_window": 2},
            {"sliding_window": 300},
            {"layer_types": ["full_attention"] * 4},
            {"layer_types": ["sliding_attention"] * 4, "sliding_window": 5},
            {"num_hidden_layers": 1},
            {"num_key_value_heads": 4},
            {"num_key_value_heads": 1},
            {"num_local_experts": 2},
            {"num_local_experts": 1, "num_experts_per_tok": 1},
            {"swiglu_limit": 0.5},
            {"intermediate_size": 128},
            {"rope_scaling": None},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("way", ["plain", "fused"])
    def test_as_the_reference(self, checkpoint: Make, changes: dict[str, object], way: str) -> None:
        folder = checkpoint(**changes)
        model = load_model(folder).model
        if way == "fused":
            model = on_the_gpus_path(model)
        expected = Reference.of(folder)(IDS[:40]).logits
        for chunks in ((40,), (3, 1, 1, 17, 18), (1,) * 12):
            assert_close(logits_after(model, chunks), expected)


class TestTruncate:
    """OpenAI's checkpoints say `truncate: false`, which mlx-lm 0.32 does not look at."""

    def folder(self, checkpoint: Make, truncate: bool | None) -> Path:
        scaling = {**cast(dict[str, object], geometry()["rope_scaling"]), "truncate": truncate}
        if truncate is None:
            del scaling["truncate"]
        return checkpoint(head_dim=64, rope_scaling=scaling)

    def test_false_is_as_the_reference(self, checkpoint: Make) -> None:
        folder = self.folder(checkpoint, False)
        for model in (load_model(folder).model, on_the_gpus_path(load_model(folder).model)):
            assert_close(logits_after(model, WINDOW_EDGES), referred(folder).logits)

    def test_false_is_another_model_than_true(self, checkpoint: Make) -> None:
        rounded, exact = (
            logits_after(load_model(self.folder(checkpoint, truncate)).model, WHOLE)[300] for truncate in (True, False)
        )
        assert np.abs(rounded - exact).max() > 0.01 * np.abs(exact).max()

    def test_absent_means_true(self, checkpoint: Make) -> None:
        rounded, absent = (
            logits_after(load_model(self.folder(checkpoint, truncate)).model, WHOLE)[300] for truncate in (True, None)
        )
        assert (rounded == absent).all()


class TestTaps:
    @pytest.mark.parametrize("way", ["plain", "fused"])
    def test_they_tell_what_the_reference_does(self, checkpoint: Make, way: str) -> None:
        folder = checkpoint()
        expected = referred(folder)
        for watched in range(4):
            taps = [Taps(router=True, attention_layer=watched) for _ in WINDOW_EDGES]
            model = load_model(folder).model
            if way == "fused":
                model = on_the_gpus_path(model)
            found = logits_after(model, WINDOW_EDGES, taps)
            for read, tap in zip(found, taps, strict=True):
                experts = np.stack([np.array(layer) for layer in tap.experts])
                assert (experts == expected.experts[:, read - 1]).all()
                seen = min(read, 128) if watched % 2 == 0 else read
                row = expected.attention[watched, :, read - 1, read - seen : read]
                assert tap.attention is not None
                assert tap.attention.shape == row.shape
                assert np.abs(np.array(tap.attention) - row).max() < 1e-4
                assert (np.array(tap.attention).sum(axis=1) < 1 + 1e-5).all()

    def test_they_change_no_bit(self, checkpoint: Make) -> None:
        model = load_model(checkpoint()).model
        plain = logits_after(model, WINDOW_EDGES)
        tapped = logits_after(model, WINDOW_EDGES, [Taps(router=True, attention_layer=2) for _ in WINDOW_EDGES])
        assert all((plain[read] == tapped[read]).all() for read in plain)

    def test_off_means_nothing_is_collected(self, checkpoint: Make) -> None:
        taps = Taps()
        logits_after(load_model(checkpoint()).model, (5,), [taps])
        assert taps.experts == []
        assert taps.attention is None
