"""A checkpoint's config.json as a value: the geometry that `model` computes with. No mlx here, no files but that one.

Names and defaults are those of Hugging Face's `GptOssConfig`, which mlx-lm follows.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gptoss_tui.engine.events import AttentionMode
from gptoss_tui.engine.jsonfile import read_json
from gptoss_tui.errors import CheckpointError

MODEL_TYPE = "gpt_oss"

MOST_LAYERS = 10_000
"""More than any model has: a damaged figure must not become a list of two thousand million layers."""

_MODES: dict[str, AttentionMode] = {"sliding_attention": "sliding", "full_attention": "full"}


@dataclass(frozen=True, slots=True)
class RopeConfig:
    """Rotary positions, stretched by YaRN (Peng et al., 2023, arXiv 2309.00071)."""

    theta: float
    """The base: frequency i turns once in 2π·theta^(2i/d) tokens."""
    factor: float
    """How many times longer than `original` the context may be; 1 is plain RoPE."""
    beta_fast: float
    """Frequencies that turn more often than this over the original context are left alone."""
    beta_slow: float
    """Those that turn less often than this are divided by the factor; between the two a ramp blends."""
    original: int
    """Positions the model was first trained on."""
    truncate: bool
    """Whether the ramp's ends are rounded outwards to whole frequencies. OpenAI's gpt-oss says false."""

    @property
    def concentration(self) -> float:
        """The factor on queries and keys alike that YaRN sharpens attention with."""
        return 0.1 * math.log(self.factor) + 1.0 if self.factor > 1 else 1.0


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The geometry of a gpt_oss model."""

    attention: tuple[AttentionMode, ...]
    """The mode of each layer."""
    window: int
    hidden: int
    intermediate: int
    """Width inside an expert."""
    heads: int
    kv_heads: int
    head_dim: int
    experts: int
    experts_per_token: int
    vocabulary: int
    context: int
    """Positions the model was made for."""
    norm_eps: float
    swiglu_limit: float
    rope: RopeConfig

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.attention)

    @property
    def qkv_rows(self) -> int:
        """Heads of queries, keys and values together."""
        return self.heads + 2 * self.kv_heads

    @property
    def parameters(self) -> int:
        """Numbers that the model holds, however many bits each is stored in."""
        attention = (self.hidden + 1) * self.qkv_rows * self.head_dim + (self.heads * self.head_dim + 1) * self.hidden
        expert = (self.hidden + 1) * 2 * self.intermediate + (self.intermediate + 1) * self.hidden
        router = (self.hidden + 1) * self.experts
        layer = attention + self.heads + 2 * self.hidden + router + self.experts * expert
        return self.layers * layer + (2 * self.vocabulary + 1) * self.hidden


def read_config(folder: Path) -> ModelConfig:
    """The config of the checkpoint in `folder`.

    Raises `CheckpointError` where the file is missing, is not JSON, names another model_type or holds senseless
    figures.
    """
    path = folder / "config.json"
    try:
        raw = read_json(path)
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} has no config.json", "Give the folder that holds a gpt_oss checkpoint."
        ) from None
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path} is not a JSON object", "The file is damaged: get the checkpoint again.")
    if raw.get("model_type") != MODEL_TYPE:
        raise CheckpointError(
            f"{folder.name} is a checkpoint of type {_told(raw.get('model_type'))}, not {MODEL_TYPE}",
            "This program runs gpt-oss models only, such as mlx-community/gpt-oss-20b-MXFP4-Q4.",
        )
    return parse_config(raw, str(path))


def parse_config(raw: Mapping[str, object], where: str) -> ModelConfig:
    """`ModelConfig` from the object in config.json; `where` names the file in errors."""
    fields = _Fields(raw, where)
    layers = fields.whole("num_hidden_layers", 36, most=MOST_LAYERS)
    heads = fields.whole("num_attention_heads", 64)
    experts = fields.whole("num_local_experts", 128)
    config = ModelConfig(
        attention=_attention(raw.get("layer_types"), layers, where),
        window=fields.whole("sliding_window", 128),
        hidden=fields.whole("hidden_size", 2880),
        intermediate=fields.whole("intermediate_size", 2880),
        heads=heads,
        kv_heads=fields.whole("num_key_value_heads", 8),
        head_dim=fields.whole("head_dim", 64),
        experts=experts,
        experts_per_token=fields.whole(
            "num_experts_per_tok" if "num_experts_per_tok" in raw else "experts_per_token", 4
        ),
        vocabulary=fields.whole("vocab_size", 201_088),
        context=fields.whole("max_position_embeddings", 131_072),
        norm_eps=fields.real("rms_norm_eps", 1e-5),
        swiglu_limit=fields.real("swiglu_limit", 7.0),
        rope=_rope(fields, raw, where),
    )
    if config.heads % config.kv_heads:
        raise CheckpointError(
            f"{where}: {config.heads} heads cannot share {config.kv_heads} KV heads", "The config is damaged."
        )
    if config.experts_per_token > config.experts:
        raise CheckpointError(
            f"{where}: {config.experts_per_token} of {config.experts} experts per token", "The config is damaged."
        )
    if config.head_dim % 2:
        raise CheckpointError(f"{where}: head_dim {config.head_dim} is odd", "Rotary positions need an even one.")
    return config


@dataclass(frozen=True, slots=True)
class _Fields:
    """Reads figures out of a JSON object, naming the file and the field where one is senseless."""

    raw: Mapping[str, object]
    where: str

    def whole(self, name: str, default: int, most: int = 2**31 - 1) -> int:
        value = self.raw.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise self._senseless(name, value)
        return value

    def real(self, name: str, default: float) -> float:
        value = self.raw.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= sys.float_info.max:
            raise self._senseless(name, value)
        return float(value)

    def _senseless(self, name: str, value: object) -> CheckpointError:
        return CheckpointError(
            f"{self.where}: {name} cannot be {_told(value)}", "The config is damaged: get the checkpoint again."
        )


def _attention(names: object, layers: int, where: str) -> tuple[AttentionMode, ...]:
    if names is None:  # gpt-oss alternates, sliding first
        return tuple("full" if index % 2 else "sliding" for index in range(layers))
    # Looked up in a list, which compares: a dict would hash what may be anything.
    known = isinstance(names, list) and len(names) == layers and all(name in list(_MODES) for name in names)
    if not known or not isinstance(names, list):
        raise CheckpointError(f"{where}: layer_types does not name {layers} layers", "The config is damaged.")
    return tuple(_MODES[name] for name in names)


def _rope(fields: _Fields, raw: Mapping[str, object], where: str) -> RopeConfig:
    # Transformers 5 moved both theta and the scaling into `rope_parameters`.
    scaling = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if not isinstance(scaling, dict):
        raise CheckpointError(f"{where}: rope_scaling is not an object", "The config is damaged.")
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind not in ("default", "yarn"):
        raise CheckpointError(f"{where}: rope_scaling of type {_told(kind)} is not known", "gpt-oss uses yarn.")
    inner = _Fields(scaling, where)
    yarn = kind == "yarn"
    theta = inner.real("rope_theta", 150_000.0) if "rope_theta" in scaling else fields.real("rope_theta", 150_000.0)
    if theta <= 1:
        raise CheckpointError(f"{where}: rope_theta cannot be {theta:g}", "Rotary positions need a base above 1.")
    return RopeConfig(
        theta=theta,
        factor=inner.real("factor", 1.0) if yarn else 1.0,
        beta_fast=inner.real("beta_fast", 32.0),
        beta_slow=inner.real("beta_slow", 1.0),
        original=inner.whole("original_max_position_embeddings", fields.whole("initial_context_length", 4096)),
        truncate=bool(scaling.get("truncate", True)),
    )


def _told(value: object) -> str:
    """A value for a message, of which a line is enough."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
