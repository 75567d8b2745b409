"""How each part of a gpt_oss model is stored, and what does not agree with its config: by headers alone.

Walks the model that the config describes over the tensors that the files hold, in any layout that `engine.loading`
reads, and collects every disagreement instead of stopping at the first. Reads no weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from gptoss_tui.engine.checkpoint import TensorInfo
from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.packing import Packing, packing

Group = Literal["embedding", "attention", "router", "experts", "head", "norms"]
Layout = Literal["mlx", "transformers", "openai"]
"""mlx: gate, up and down apart, as mlx-lm writes. transformers: `gate_up_proj`, plain. openai: `_blocks`, `_scales`."""

_NAMES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
_FLOATS = frozenset(_NAMES)


@dataclass(frozen=True, slots=True)
class Part:
    """One matrix or vector of the model, as it is stored."""

    name: str
    group: Group
    shape: tuple[int, ...]
    """As the model sees it, unpacked: (experts,) (out,) in."""
    format: str
    """Such as `bfloat16`, `affine 4-bit, group 64` or `mxfp4`."""
    packing: Packing | None
    """None where it is plain."""
    nbytes: int
    """With its scales and biases of quantisation."""

    @property
    def parameters(self) -> int:
        """Numbers it stands for."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Storage:
    """The whole model, as it is stored."""

    layout: Layout
    parts: tuple[Part, ...]
    problems: tuple[str, ...]
    """Every disagreement between config and tensors; empty where they agree."""

    def bytes_of(self, groups: Iterable[Group]) -> int:
        """Bytes of some groups together."""
        wanted = frozenset(groups)
        return sum(part.nbytes for part in self.parts if part.group in wanted)


def read_storage(config: ModelConfig, found: Mapping[str, TensorInfo]) -> Storage:
    """How `found` stores the model of `config`."""
    walk = _Walk(found)
    hidden, inner, dim, experts = config.hidden, config.intermediate, config.head_dim, config.experts
    queries, keys = config.heads * dim, config.kv_heads * dim
    walk.matrix("embedding", "model.embed_tokens", config.vocabulary, hidden)
    for index in range(config.layers):
        at = f"model.layers.{index}."
        walk.vector("norms", at + "input_layernorm.weight", hidden)
        walk.vector("norms", at + "post_attention_layernorm.weight", hidden)
        walk.vector("attention", at + "self_attn.sinks", config.heads)
        for name, rows, columns in (
            ("q_proj", queries, hidden),
            ("k_proj", keys, hidden),
            ("v_proj", keys, hidden),
            ("o_proj", hidden, queries),
        ):
            walk.matrix("attention", f"{at}self_attn.{name}", rows, columns)
            walk.vector("attention", f"{at}self_attn.{name}.bias", rows)
        walk.matrix("router", at + "mlp.router", experts, hidden)
        walk.vector("router", at + "mlp.router.bias", experts)
        up = ("gate_proj", "up_proj") if walk.layout == "mlx" else ("gate_up_proj",)
        for name in up:
            walk.experts(f"{at}mlp.experts.{name}", experts, 2 * inner // len(up), hidden)
        walk.experts(at + "mlp.experts.down_proj", experts, hidden, inner)
    walk.vector("norms", "model.norm.weight", hidden)
    walk.matrix("head", "lm_head", config.vocabulary, hidden)
    return Storage(walk.layout, tuple(walk.parts), walk.problems())


def is_matrix(part: Part) -> bool:
    """Whether it is one that may be quantised: norms, biases and sinks are not."""
    return part.group != "norms" and not part.name.endswith(("bias", "sinks"))


def some(names: Iterable[str], most: int = 3) -> str:
    """A few names and how many more there are."""
    listed = [name[:80] for name in names]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


class _Walk:
    """Takes the tensors one by one, noting what is missing, misshapen and left over."""

    def __init__(self, found: Mapping[str, TensorInfo]) -> None:
        self.layout: Layout = "mlx"
        if any("gate_up_proj" in name for name in found):
            self.layout = "openai" if any(name.endswith("_blocks") for name in found) else "transformers"
        self.parts: list[Part] = []
        self._left = dict(found)
        self._missing: list[str] = []
        self._wrong: list[str] = []

    def problems(self) -> tuple[str, ...]:
        """What was noted, in a few lines."""
        lines = []
        if self._missing:
            lines.append(f"{len(self._missing)} tensors that the config asks for are missing: {some(self._missing)}")
        lines += self._wrong[:5]
        if len(self._wrong) > 5:
            lines.append(f"{len(self._wrong) - 5} more tensors do not match the config")
        if self._left:
            lines.append(f"{len(self._left)} tensors are not part of a gpt_oss model: {some(sorted(self._left))}")
        return tuple(lines)

    def vector(self, group: Group, name: str, *shape: int) -> None:
        self._plain(group, name, [shape])

    def matrix(self, group: Group, name: str, *shape: int) -> None:
        """`name.weight`, plain or quantised by MLX."""
        if f"{name}.scales" in self._left:
            self._quantised(group, name, shape)
        else:
            self._plain(group, f"{name}.weight", [shape])

    def experts(self, name: str, *shape: int) -> None:
        """A stack of matrices (experts, out, in) in any layout, and its bias."""
        count, out, inputs = shape
        if name + "_blocks" in self._left:
            self._openai(name, shape)
        elif name in self._left:
            self._plain("experts", name, [(count, inputs, out), shape], shape)
        else:
            self.matrix("experts", name, *shape)
        bias = name + "_bias" if name + "_bias" in self._left else name + ".bias"
        self.vector("experts", bias, count, out)

    def _plain(
        self, group: Group, name: str, stored: list[tuple[int, ...]], shape: tuple[int, ...] | None = None
    ) -> None:
        info = self._take(name)
        if info is None:
            return
        if info.shape not in stored:
            self._wrong.append(f"{name} has shape {_size(info.shape)} where the config asks for {_size(stored[0])}")
        elif info.dtype not in _FLOATS:
            self._wrong.append(f"{name} holds {info.dtype}, not floating-point numbers")
        self._add(name, group, shape or stored[0], _NAMES.get(info.dtype, info.dtype), None, [info])

    def _quantised(self, group: Group, name: str, shape: tuple[int, ...]) -> None:
        affine = f"{name}.biases" in self._left
        ends = ("weight", "scales", "biases") if affine else ("weight", "scales")
        infos = [self._take(f"{name}.{end}") for end in ends]
        present = [info for info in infos if info is not None]
        if len(present) < len(infos):
            return
        how = packing(present[0].shape, present[1].shape, shape, affine)
        if how is None or present[0].dtype != "U32" or (affine and present[2].shape != present[1].shape):
            sizes = " and ".join(_size(info.shape) for info in present[:2])
            self._wrong.append(f"{name} has weights and scales of {sizes}, which do not pack {_size(shape)}")
        self._add(name, group, shape, str(how) if how else "unknown", how, present)

    def _openai(self, name: str, shape: tuple[int, ...]) -> None:
        blocks, scales = self._take(name + "_blocks"), self._take(name + "_scales")
        if blocks is None or scales is None:
            return
        expected = (*shape[:-1], shape[-1] // 32)
        if scales.shape != expected or blocks.shape != (*expected, 16) or shape[-1] % 32 or blocks.dtype != "U8":
            sizes = f"{_size(blocks.shape)} and {_size(scales.shape)}"
            self._wrong.append(f"{name} has blocks and scales of {sizes}, which do not pack {_size(shape)}")
        self._add(name, "experts", shape, "mxfp4", Packing(4, 32, "mxfp4"), [blocks, scales])

    def _add(
        self, name: str, group: Group, shape: tuple[int, ...], how: str, packed: Packing | None, infos: list[TensorInfo]
    ) -> None:
        self.parts.append(Part(name, group, shape, how, packed, sum(info.nbytes for info in infos)))

    def _take(self, name: str) -> TensorInfo | None:
        info = self._left.pop(name, None)
        if info is None:
            self._missing.append(name)
        return info


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(f"{n:,}" for n in shape) or "one number"
