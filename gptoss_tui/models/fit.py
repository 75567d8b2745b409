"""Whether a checkpoint runs on a machine, and with how long a context. Counts bytes; loads nothing.

The verdict is `engine.memory`'s, which guards loading too; what it judges here is weights, KV cache and prefill
together.
"""

from __future__ import annotations

from dataclasses import dataclass

from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.memory import (
    GIB,
    Verdict,
    comfortable,
    dense_pays,
    physical_memory,
    resident_bytes,
    verdict,
    wired_limit_command,
)
from gptoss_tui.errors import MemoryLimitError, ParameterError
from gptoss_tui.models.figures import KVCost, kv_cost
from gptoss_tui.models.inspection import Inspection

CONTEXT = 8192
"""Tokens that a fit is reckoned for where nobody says otherwise."""

CHUNK = 2048
"""The engine's largest prefill chunk."""
CPU_CHUNK = 256
"""What half a second, the time of a chunk, lets a fast CPU read at most of a model whose size matters."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a model would run on."""

    device: str
    """`Metal`, `CUDA`, `CPU`, or `none` where mlx is not installed."""
    physical: int
    """Bytes of memory: the GPU's own where it has one."""
    working_set: int | None
    """Bytes that Metal recommends to keep resident at most; None elsewhere."""

    @property
    def widens(self) -> bool:
        """Whether 16-bit floats become float32 here."""
        return self.device == "CPU"


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights, cache and prefill on a machine, in bytes."""

    machine: Machine
    verdict: Verdict
    """fits: at full speed. tight: it runs, and may be slow. no: loading is refused, or this context has no room."""
    context: int
    """Tokens that this was reckoned for."""
    weights_bytes: int
    """On the device, which may differ from the files."""
    kv_bytes: int
    prefill_bytes: int
    """What a prefill chunk takes beside them at its peak: an estimate, upwards."""
    comfortable_context: int
    """The most tokens at full speed; 0 where the weights alone are too many."""
    largest_context: int
    """The most tokens within the machine's memory."""
    command: str
    """The command that gives Metal the room; empty where that is not the remedy."""

    @property
    def need_bytes(self) -> int:
        """All together."""
        return self.weights_bytes + self.kv_bytes + self.prefill_bytes


def this_machine() -> Machine:
    """The machine that this runs on."""
    try:
        from gptoss_tui.engine.loading import device_memory, device_name, working_set
    except ImportError:  # no mlx for this platform, such as an Intel Mac; inspecting needs none
        return Machine("none", physical_memory(), None)
    return Machine(device_name(), device_memory(), working_set())


def mac(gigabytes: int) -> Machine:
    """A Mac with this much memory, with the share of it that macOS lets Metal keep resident unless told otherwise.

    Two thirds below 36 GB, three quarters from there on, as Macs of both kinds report it. Raises `ParameterError`.
    """
    if not 8 <= gigabytes <= 2048:
        raise ParameterError(f"a Mac does not have {gigabytes} GB of memory", "Give 8 to 2048.")
    physical = gigabytes * GIB
    return Machine("Metal", physical, physical * 2 // 3 if gigabytes < 36 else physical * 3 // 4)


def fit(found: Inspection, machine: Machine, context: int = CONTEXT) -> Fit:
    """How the checkpoint would run on `machine` with `context` tokens, at most what the model was made for."""
    config = found.config
    context = max(1, min(context, config.context))
    dense = machine.widens and dense_pays(config.parameters, machine.physical)
    weights = 4 * config.parameters if dense else resident_bytes(found.tensors.values(), machine.widens)
    cost = kv_cost(config, 4 if machine.widens or found.dtype == "float32" else 2)
    held, peak = cost.total_bytes(context), prefill_bytes(config, cost, context)
    need = weights + held + peak
    case = verdict(need, machine.physical, machine.working_set)
    remedy = case == "tight" and machine.working_set is not None
    return Fit(
        machine=machine,
        verdict=case,
        context=context,
        weights_bytes=weights,
        kv_bytes=held,
        prefill_bytes=peak,
        comfortable_context=_largest(config, cost, comfortable(machine.physical, machine.working_set) - weights),
        largest_context=_largest(config, cost, machine.physical - weights),
        command=wired_limit_command(need, machine.physical) if remedy else "",
    )


def check_loading(found: Inspection, machine: Machine) -> Fit:
    """The fit, of a checkpoint that may be loaded on `machine`. Raises `MemoryLimitError` where no context fits beside
    its weights."""
    fitted = fit(found, machine)
    if not fitted.largest_context:
        raise MemoryLimitError(
            f"{found.name} needs {fitted.need_bytes / GIB:.1f} GiB at {fitted.context:,} tokens (weights "
            f"{fitted.weights_bytes / GIB:.1f}) and this machine has {machine.physical / GIB:.1f} GiB of memory",
            "Choose a checkpoint with fewer bits per weight, or a machine with more memory.",
        )
    return fitted


def prefill_bytes(config: ModelConfig, cost: KVCost, context: int) -> int:
    """What a pass over one prefill chunk takes at its peak beside weights and cache, rounded upwards.

    The expert block rules: each token's rows go to several experts, as inputs, gate and up, their product, and
    outputs. While a cache grows, one layer's old rows lie beside its new ones. In float32, as on the CPU, the scores of
    one KV head's queries lie there whole, and the mask beside them; elsewhere the mask alone does.
    """
    plain = cost.row_bytes == 8 * config.kv_heads * config.head_dim
    itemsize, tokens = (4, min(CPU_CHUNK, context)) if plain else (2, min(CHUNK, context))
    width = config.experts_per_token * (3 * config.hidden + 4 * config.intermediate)
    width += 3 * config.qkv_rows * config.head_dim + 4 * config.hidden
    scores = tokens * context * (8 * config.heads // config.kv_heads if plain else 1)
    return tokens * width * itemsize + scores + cost.row_bytes * context + 12 * config.vocabulary


def _largest(config: ModelConfig, cost: KVCost, room: int) -> int:
    """The most tokens whose cache and prefill take no more than `room` bytes."""
    low, high = 0, config.context
    while low < high:
        middle = (low + high + 1) // 2
        if cost.total_bytes(middle) + prefill_bytes(config, cost, middle) <= room:
            low = middle
        else:
            high = middle - 1
    return low
