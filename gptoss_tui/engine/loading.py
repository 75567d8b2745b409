"""A checkpoint folder to a `Model`, layer by layer, with the precision policy of the device.

The policy: what Metal and CUDA get stays as it was published. The CPU backend knows fast kernels for float32 only, so
floating-point numbers become float32 there; and where that takes at most a quarter of the machine's memory, quantised
matrices are dequantised once at load, to the very numbers that the quantised kernels would compute with at every token.

Two things are rearranged, neither of which changes a result: q/k/v and gate/up each become one matrix, and the rows of
queries and keys are ordered so that RoPE's pairs are neighbours (a rotation is then one complex product).
Runs on the thread that will run the model: MLX's streams are that thread's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx

from gptoss_tui.engine import host
from gptoss_tui.engine.checkpoint import read_tensors
from gptoss_tui.engine.config import ModelConfig, read_config
from gptoss_tui.engine.events import LoadProgress, ModelInfo
from gptoss_tui.engine.identity import checkpoint_identity
from gptoss_tui.engine.matrices import Matrix, fuse
from gptoss_tui.engine.memory import check_fit, dense_pays, physical_memory, resident_bytes
from gptoss_tui.engine.model import Layer, Model
from gptoss_tui.engine.tensors import Tensors, pairs_together, split_interleaved
from gptoss_tui.errors import CheckpointError, DeviceError, LoadCancelled


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model and what is to be said of it."""

    model: Model
    info: ModelInfo
    identity: str
    """`checkpoint_identity`: which weights these are."""


@contextmanager
def _explained() -> Iterator[None]:
    """Turns what a file that goes or shrinks meanwhile, or a device without memory, raises into a fault."""
    try:
        yield
    except OSError as fault:
        raise CheckpointError(f"{fault.filename} cannot be read: {fault.strerror}", "Check the folder.") from fault
    except RuntimeError as fault:
        if type(fault) is not RuntimeError:  # MLX raises nothing finer
            raise
        raise DeviceError(
            f"Loading failed: {str(fault).partition(chr(10))[0]}",
            "Check that the files are all there, close other programs, and load the model again.",
        ) from fault


@_explained()
def load_model(
    folder: Path,
    on_progress: Callable[[LoadProgress], None] | None = None,
    *,
    cancelled: Callable[[], bool] | None = None,
    dense: bool | None = None,
) -> Loaded:
    """Reads the checkpoint in `folder` onto the default device.

    `on_progress` is called after each layer; `cancelled` is asked between two layers. `dense` overrides whether
    quantised matrices are dequantised at load (None: the policy above).

    Raises `CheckpointError` for a folder that is no complete gpt_oss checkpoint, `MemoryLimitError` for one that is
    larger than this machine's memory, `LoadCancelled`.
    """
    config = read_config(folder)
    found = read_tensors(folder)
    cpu = mx.default_device() == mx.Device(mx.cpu)
    if cpu:
        host.share_cores()
    tensors = Tensors(folder.name, found, dtype=mx.float32 if cpu else None)
    parameters = config.parameters
    physical = device_memory()
    if dense is None:
        dense = cpu and dense_pays(parameters, physical)
    tensors.dense = dense
    total = sum(info.nbytes for info in found.values())
    need = 4 * parameters if dense else resident_bytes(found.values(), widened=cpu)
    warning = check_fit(need, physical, working_set())

    def progress(done: int) -> None:
        if on_progress is not None:
            on_progress(LoadProgress(done, total))
        if cancelled is not None and cancelled():
            raise LoadCancelled("Loading was cancelled", "Start again to load the model.")

    progress(0)
    embedding = tensors.table("model.embed_tokens", config.vocabulary, config.hidden)
    mx.eval(embedding.arrays())
    layers = []
    for index in range(config.layers):
        progress(tensors.done_bytes)
        layer = _layer(tensors, config, f"model.layers.{index}.")
        mx.eval(layer.arrays())
        layers.append(layer)
    progress(tensors.done_bytes)
    norm = tensors.vector("model.norm.weight", config.hidden)
    head = tensors.matrix("lm_head", config.vocabulary, config.hidden)
    mx.eval(norm, head.arrays())
    tensors.finish()
    model = Model(config, embedding, layers, norm, head)
    progress(total)
    info = ModelInfo(
        name=checkpoint_name(folder),
        attention=config.attention,
        window=config.window,
        context=config.context,
        vocabulary_size=config.vocabulary,
        experts=config.experts,
        experts_per_token=config.experts_per_token,
        parameters=parameters,
        weights_bytes=total,
        bits_per_weight=8 * total / parameters,
        device=device_name(),
        dtype=str(model.dtype).removeprefix("mlx.core."),
        warning=warning,
    )
    shards = list({tensor.file for tensor in found.values()})
    return Loaded(model, info, checkpoint_identity(folder, shards))


def checkpoint_name(folder: Path) -> str:
    """What to call the checkpoint: its folder's name, or the repository's where the folder is a revision in a hub
    cache."""
    folder = folder.resolve()
    if folder.parent.name == "snapshots":
        return folder.parent.parent.name.rpartition("--")[2]
    return folder.name


def device_name() -> str:
    """`Metal`, `CUDA` or `CPU`: where the default device computes."""
    if mx.default_device() == mx.Device(mx.cpu):
        return "CPU"
    return "Metal" if mx.metal.is_available() else "CUDA"


def device_memory() -> int:
    """Bytes of memory that models have here: the GPU's own where it has one, else the machine's."""
    told = mx.device_info().get("total_memory") if device_name() == "CUDA" else None
    return told if isinstance(told, int) and told > 0 else physical_memory()


def device_bytes() -> int:
    """Bytes of the device's memory that this process holds: weights, caches, and what is kept for reuse."""
    return mx.get_active_memory() + mx.get_cache_memory()


def working_set() -> int | None:
    """Bytes that Metal recommends to keep resident at most; None elsewhere."""
    if device_name() != "Metal":
        return None
    return int(mx.device_info()["max_recommended_working_set_size"])


def _layer(tensors: Tensors, config: ModelConfig, at: str) -> Layer:
    hidden, inner, dim, experts = config.hidden, config.intermediate, config.head_dim, config.experts
    queries, keys = config.heads * dim, config.kv_heads * dim
    attention = at + "self_attn."

    def rotated(rows: int) -> Callable[[mx.array], mx.array]:
        return lambda array: array[pairs_together(rows, dim)]

    qkv: list[Matrix] = [
        tensors.matrix(attention + "q_proj", queries, hidden, rotated(queries)),
        tensors.matrix(attention + "k_proj", keys, hidden, rotated(keys)),
        tensors.matrix(attention + "v_proj", keys, hidden),
    ]
    biases = [
        rotated(queries)(tensors.vector(attention + "q_proj.bias", queries)),
        rotated(keys)(tensors.vector(attention + "k_proj.bias", keys)),
        tensors.vector(attention + "v_proj.bias", keys),
    ]
    gate_up, gate_up_bias = _gate_up(tensors, at + "mlp.experts.", experts, inner, hidden)
    return Layer(
        attention_norm=tensors.vector(at + "input_layernorm.weight", hidden),
        qkv=fuse(qkv),
        qkv_bias=mx.concatenate(biases),
        sinks=tensors.vector(attention + "sinks", config.heads),
        output=tensors.matrix(attention + "o_proj", hidden, queries),
        output_bias=tensors.vector(attention + "o_proj.bias", hidden),
        expert_norm=tensors.vector(at + "post_attention_layernorm.weight", hidden),
        router=tensors.matrix(at + "mlp.router", experts, hidden),
        router_bias=tensors.vector(at + "mlp.router.bias", experts),
        gate_up=gate_up,
        gate_up_bias=gate_up_bias[:, None],
        down=tensors.experts(at + "mlp.experts.down_proj", experts, hidden, inner),
        down_bias=tensors.either(
            (at + "mlp.experts.down_proj.bias", at + "mlp.experts.down_proj_bias"), experts, hidden
        )[:, None],
    )


def _gate_up(tensors: Tensors, at: str, experts: int, inner: int, hidden: int) -> tuple[Matrix, mx.array]:
    """Gate and up of all experts as one matrix and one bias, from either layout."""
    if tensors.holds(at + "gate_proj.weight"):
        parts: list[Matrix] = [tensors.experts(at + name, experts, inner, hidden) for name in ("gate_proj", "up_proj")]
        biases = [tensors.vector(f"{at}{name}.bias", experts, inner) for name in ("gate_proj", "up_proj")]
        return fuse(parts), mx.concatenate(biases, axis=-1)
    order = split_interleaved(2 * inner)
    matrix = tensors.experts(at + "gate_up_proj", experts, 2 * inner, hidden, lambda array: array[:, order])
    return matrix, tensors.vector(at + "gate_up_proj_bias", experts, 2 * inner)[:, order]
