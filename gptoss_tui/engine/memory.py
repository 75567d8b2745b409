"""What fits: physical memory, Metal's working set, and whether a model may be loaded at all. Counts bytes; no mlx."""

from __future__ import annotations

import os

from gptoss_tui.errors import MemoryLimitError

GIB = 2**30

_HEADROOM = 3 * GIB // 2
"""Kept for the KV cache and a prefill chunk when a limit is proposed."""


def physical_memory() -> int:
    """Bytes of memory in this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def check_fit(need: int, physical: int, working_set: int | None) -> str:
    """Whether `need` bytes of weights may be loaded: a warning to show, empty where there is ample room.

    `working_set` is what Metal recommends as the most that it keeps resident, None on other devices. Raises
    `MemoryLimitError` where the weights are larger than physical memory.
    """
    if need > physical:
        raise MemoryLimitError(
            f"The model needs {need / GIB:.1f} GiB and this machine has {physical / GIB:.1f} GiB of memory",
            "Use a checkpoint with fewer bits per weight, or a machine with more memory.",
        )
    if working_set is None or need <= working_set:
        return ""
    megabytes = min(need + _HEADROOM, physical) // 2**20
    return (
        f"The model's {need / GIB:.1f} GiB exceed the {working_set / GIB:.1f} GiB that Metal keeps resident; it may be "
        f"slow. To raise the limit until the next restart: sudo sysctl iogpu.wired_limit_mb={megabytes}"
    )
