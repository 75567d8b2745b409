"""What writing one token must read from memory: the floor under the time that it takes, the roofline.

Counts bytes as they lie on the device, which may differ from the files: the CPU widens 16-bit numbers and holds small
models as float32. Loads nothing.
"""

from __future__ import annotations

from gptoss_tui.engine.memory import dense_pays
from gptoss_tui.models.figures import kv_cost
from gptoss_tui.models.fit import Machine
from gptoss_tui.models.inspection import Inspection
from gptoss_tui.models.storage import Part


def weights_read(found: Inspection, machine: Machine) -> float:
    """Bytes of weights for one token: attention, router, head and norms, of the experts those chosen, of the embedding
    a row."""
    config = found.config
    dense = machine.widens and dense_pays(config.parameters, machine.physical)
    shares = {"experts": config.experts_per_token / config.experts, "embedding": 1 / config.vocabulary}
    return sum(
        shares.get(part.group, 1.0) * (4 * part.parameters if dense else _resident(part, machine.widens))
        for part in found.storage.parts
    )


def cache_read(found: Inspection, machine: Machine, context: int) -> int:
    """Bytes of keys and values for one token behind `context` others: full layers all of it, sliding ones a window."""
    cost = kv_cost(found.config, 4 if machine.widens or found.dtype == "float32" else 2)
    return cost.full_bytes(context) + cost.sliding_bytes(context)


def _resident(part: Part, widens: bool) -> int:
    """Bytes of one part on the device."""
    if not widens:
        return part.nbytes
    if part.packing is None:
        return 4 * part.parameters
    if part.packing.mode != "affine":  # its scales are bytes and stay what they are
        return part.nbytes
    return part.parameters * part.packing.bits // 8 + 8 * part.parameters // part.packing.group
