"""gpt_oss once more, as an oracle: float64 NumPy, whole sequences, no cache, no tricks.

Written from OpenAI's published architecture (openai/gpt-oss, gpt_oss/torch/model.py and weights.py), not from the
engine. It reads a checkpoint folder by what its config says of each tensor's format, while the engine goes by shapes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FP4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])


@dataclass(frozen=True, slots=True)
class Pass:
    """What one forward pass over L tokens gives."""

    logits: Array
    """(L, vocabulary)."""
    experts: npt.NDArray[np.int64]
    """(layers, L, experts per token): strongest first."""
    attention: Array
    """(layers, heads, L, L): how each token's heads weigh all tokens; the sink's share is left out."""


class Reference:
    """A model in float64; `config` is config.json's object, `weights` are named as mlx-lm names them."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, npt.NDArray[Any]]) -> None:
        self.config = config
        self.weights = {name: value.astype(np.float64) for name, value in weights.items()}

    @classmethod
    def of(cls, folder: Path) -> Reference:
        """The checkpoint in `folder`, whatever its layout."""
        return cls(json.loads((folder / "config.json").read_text()), stored_weights(folder))

    def __call__(self, ids: Sequence[int]) -> Pass:
        x = self.weights["model.embed_tokens.weight"][np.array(ids)]
        experts, attention = [], []
        for layer, kind in enumerate(self.config["layer_types"]):
            at = f"model.layers.{layer}."
            window = self.config["sliding_window"] if kind == "sliding_attention" else 0
            mixed, weights = self._attention(x, at, window)
            x = x + mixed
            mixed, chosen = self._experts(x, at)
            x = x + mixed
            attention.append(weights)
            experts.append(chosen)
        logits = self._norm(x, "model.norm") @ self.weights["lm_head.weight"].T
        return Pass(logits, np.stack(experts), np.stack(attention))

    def _norm(self, x: Array, name: str) -> Array:
        root = np.sqrt((x**2).mean(axis=-1, keepdims=True) + self.config["rms_norm_eps"])
        scaled: Array = x / root * self.weights[name + ".weight"]
        return scaled

    def _linear(self, x: Array, name: str) -> Array:
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _attention(self, x: Array, at: str, window: int) -> tuple[Array, Array]:
        config, count = self.config, len(x)
        heads, kv_heads, dim = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
        t = self._norm(x, at + "input_layernorm")
        queries, keys, values = (
            self._linear(t, f"{at}self_attn.{name}_proj").reshape(count, -1, dim) for name in ("q", "k", "v")
        )
        queries, keys = rotate(queries, config), rotate(keys, config)
        keys, values = (np.repeat(rows, heads // kv_heads, axis=1) for rows in (keys, values))
        scores = np.einsum("qhd,khd->hqk", queries, keys) / math.sqrt(dim)
        ago = np.arange(count)[:, None] - np.arange(count)[None]
        hidden = (ago < 0) | (ago >= window if window else False)
        scores = np.where(hidden, -np.inf, scores)
        sinks = np.broadcast_to(self.weights[at + "self_attn.sinks"][:, None, None], (heads, count, 1))
        scores = np.concatenate([scores, sinks], axis=-1)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = (weights / weights.sum(axis=-1, keepdims=True))[..., :-1]
        mixed = np.einsum("hqk,khd->qhd", weights, values).reshape(count, -1)
        return self._linear(mixed, at + "self_attn.o_proj"), weights

    def _experts(self, x: Array, at: str) -> tuple[Array, npt.NDArray[np.int64]]:
        t = self._norm(x, at + "post_attention_layernorm")
        scores = self._linear(t, at + "mlp.router")
        chosen = np.argsort(-scores, axis=-1, kind="stable")[:, : self.config["num_experts_per_tok"]]
        strengths = np.take_along_axis(scores, chosen, axis=-1)
        shares = np.exp(strengths - strengths.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        out = np.zeros_like(x)
        for expert in range(self.config["num_local_experts"]):
            tokens, place = np.nonzero(chosen == expert)
            gate, up = (self._expert(t[tokens], at, name, expert) for name in ("gate_proj", "up_proj"))
            limit = self.config["swiglu_limit"]
            gate, up = np.minimum(gate, limit), np.clip(up, -limit, limit)
            inner = gate / (1 + np.exp(-1.702 * gate)) * (up + 1)
            out[tokens] += shares[tokens, place][:, None] * self._expert(inner, at, "down_proj", expert)
        return out, chosen

    def _expert(self, x: Array, at: str, name: str, expert: int) -> Array:
        module = f"{at}mlp.experts.{name}"
        weight: Array = self.weights[module + ".weight"][expert]
        bias: Array = self.weights[module + ".bias"][expert]
        return x @ weight.T + bias


def rotate(x: Array, config: Mapping[str, Any]) -> Array:
    """Rotary positions on x (L, heads, dim), position 0 first, YaRN's concentration included."""
    frequencies, concentration = yarn(config)
    angles = np.arange(len(x))[:, None, None] * frequencies
    cos, sin = np.cos(angles) * concentration, np.sin(angles) * concentration
    first, second = np.split(x, 2, axis=-1)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def yarn(config: Mapping[str, Any]) -> tuple[Array, float]:
    """Radians a token of each pair, (dim / 2,), and the concentration."""
    dim, base = int(config["head_dim"]), float(config["rope_theta"])
    scaling = config.get("rope_scaling") or {"factor": 1.0}
    plain = 1.0 / base ** (np.arange(0, dim, 2) / dim)
    if scaling["factor"] <= 1:
        return plain, 1.0

    def index_of(turns: float) -> float:
        length = float(scaling["original_max_position_embeddings"])
        return dim / 2 * math.log(length / (turns * 2 * math.pi)) / math.log(base)

    low, high = index_of(scaling["beta_fast"]), index_of(scaling["beta_slow"])
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    ramp = np.clip((np.arange(dim // 2) - low) / (high - low), 0, 1)
    return plain / scaling["factor"] * ramp + plain * (1 - ramp), 0.1 * math.log(scaling["factor"]) + 1


def stored_weights(folder: Path) -> dict[str, Array]:
    """The folder's weights as plain numbers under mlx-lm's names."""
    config = json.loads((folder / "config.json").read_text())
    raw: dict[str, mx.array] = {}
    for path in folder.glob("*.safetensors"):
        loaded = mx.load(str(path))
        assert isinstance(loaded, dict)
        raw |= loaded
    weights: dict[str, Array] = {}
    for name, array in raw.items():
        module, _, kind = name.rpartition(".")
        if name.endswith("_blocks"):
            pairs = _bits(array, 4).reshape(*array.shape[:-1], 32)
            scales = _exponents(raw[name.replace("_blocks", "_scales")])
            _published(weights, name.removesuffix("_blocks"), (FP4[pairs] * scales).reshape(*array.shape[:-2], -1))
        elif name.endswith(("gate_up_proj", "experts.down_proj")):
            _published(weights, name, _plain(array).swapaxes(1, 2))
        elif name.endswith("proj_bias"):
            _published(weights, name.removesuffix("_bias"), _plain(array), ".bias")
        elif kind == "weight" and module + ".scales" in raw:
            settings = config["quantization"] | config["quantization"].get(module, {})
            weights[name] = _dequantised(raw, module, settings)
        elif not name.endswith(("scales", "biases")):
            weights[name] = _plain(array)
    return weights


def _published(weights: dict[str, Array], module: str, value: Array, end: str = ".weight") -> None:
    """Takes over a tensor of OpenAI's: gate and up alternate along the rows."""
    if module.endswith("gate_up_proj"):
        weights[module.replace("gate_up_proj", "gate_proj") + end] = value[:, ::2]
        weights[module.replace("gate_up_proj", "up_proj") + end] = value[:, 1::2]
    else:
        weights[module + end] = value


def _dequantised(raw: Mapping[str, mx.array], module: str, settings: Mapping[str, Any]) -> Array:
    packed, scales = raw[module + ".weight"], raw[module + ".scales"]
    numbers = _bits(packed, settings["bits"]).reshape(*scales.shape, settings["group_size"])
    if settings["mode"] == "mxfp4":
        return (FP4[numbers] * _exponents(scales)).reshape(*packed.shape[:-1], -1)
    plain = numbers * _plain(scales)[..., None] + _plain(raw[module + ".biases"])[..., None]
    return plain.reshape(*packed.shape[:-1], -1)


def _bits(packed: mx.array, bits: int) -> npt.NDArray[np.int64]:
    """The unsigned numbers of `bits` bits in `packed`, lowest bits first: flat."""
    stream = np.unpackbits(np.ascontiguousarray(np.array(packed)).view(np.uint8), bitorder="little")
    return stream.reshape(-1, bits).astype(np.int64) @ (1 << np.arange(bits))


def _exponents(scales: mx.array) -> Array:
    return np.ldexp(1.0, np.array(scales).astype(np.int64) - 127)[..., None]


def _plain(array: mx.array) -> Array:
    return np.array(array.astype(mx.float32)).astype(np.float64)
