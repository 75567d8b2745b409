"""What fits: physical memory, Metal's working set, and whether a model may be loaded at all. Counts bytes; no mlx.

Three cases, for loading and for `gptoss inspect` alike: more than the machine's memory is refused; more than what Metal
keeps resident (elsewhere: than seven eighths of the memory) is tight, and warned of; less fits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Literal

from gptoss_tui.engine.checkpoint import TensorInfo
from gptoss_tui.errors import MemoryLimitError, ParameterError

GIB = 2**30

Verdict = Literal["fits", "tight", "no"]

HEADROOM = 3 * GIB // 2
"""Kept for the KV cache and a prefill chunk when a limit is proposed for weights alone."""

HISTORY_BYTES = 256 * 2**20
"""What the engine keeps at most, unless told otherwise, so that going back and elsewhere costs no reading."""

DENSE_SHARE = 0.25
"""Share of physical memory that float32 weights may take on the CPU before quantised ones stay quantised."""

_SYSTEM = 2 * GIB
"""What a proposed limit leaves to macOS, where it can."""


def physical_memory() -> int:
    """Bytes of memory in this machine, or those that its container may use where that is less."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min((installed, *container_limits()))


def container_limits(root: Path = Path("/")) -> tuple[int, ...]:
    """Bytes that Linux's control groups allow this process, one for each group that says a number; `root` holds proc
    and sys.

    A limit of any parent holds too. Inside a container its own group is usually seen as the root.
    """
    limits: list[int] = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:  # version 2: one tree for everything
            folder, file = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            folder, file = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        group = group.lstrip("/")
        groups = [group, *(str(parent) for parent in PurePosixPath(group).parents)]
        # Where version 1 says that there is no limit, the number is larger than any memory.
        texts = (_text(folder / each / file).strip() for each in dict.fromkeys(groups))
        limits += [int(text) for text in texts if text.isdecimal()]
    return tuple(limits)


def _text(path: Path) -> str:
    """What a small file says; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def history_budget(asked: int | None) -> int:
    """Bytes that may be kept for going back. Raises `ParameterError` for fewer than none."""
    if asked is not None and asked < 0:
        raise ParameterError(f"history bytes cannot be {asked}", "Give 0 or more.")
    return HISTORY_BYTES if asked is None else asked


def resident_bytes(tensors: Iterable[TensorInfo], widened: bool) -> int:
    """Bytes that the tensors take on the device; `widened`: 16-bit floats become float32 there, as on the CPU."""
    return sum(info.nbytes * (2 if widened and info.dtype in ("BF16", "F16") else 1) for info in tensors)


def dense_pays(parameters: int, physical: int) -> bool:
    """Whether the CPU should hold that many parameters as float32, which its products read fastest."""
    return 4 * parameters <= DENSE_SHARE * physical


def comfortable(physical: int, working_set: int | None) -> int:
    """Bytes up to which a model runs at full speed; `working_set` is Metal's, None on other devices."""
    return physical * 7 // 8 if working_set is None else min(working_set, physical)


def verdict(need: int, physical: int, working_set: int | None) -> Verdict:
    """Whether `need` bytes fit into `physical`, of which Metal keeps `working_set` resident (None elsewhere)."""
    if need > physical:
        return "no"
    return "tight" if need > comfortable(physical, working_set) else "fits"


def wired_limit_command(need: int, physical: int) -> str:
    """The command that lets Metal keep `need` bytes resident until the next restart, within `physical`."""
    # Metal gets what it needs; macOS keeps its share where both can be had.
    limit = min(physical, max(need, min(need + GIB // 2, physical - _SYSTEM)))
    return f"sudo sysctl iogpu.wired_limit_mb={-(-limit // 2**20)}"


def check_fit(need: int, physical: int, working_set: int | None) -> str:
    """Whether `need` bytes of weights may be loaded: a warning to show, empty where there is ample room.

    `working_set` is what Metal recommends as the most that it keeps resident, None on other devices. Raises
    `MemoryLimitError` where the weights are larger than physical memory.
    """
    case = verdict(need, physical, working_set)
    if case == "no":
        raise MemoryLimitError(
            f"The model needs {need / GIB:.1f} GiB and this machine has {physical / GIB:.1f} GiB of memory",
            "Use a checkpoint with fewer bits per weight, or a machine with more memory.",
        )
    if case == "fits":
        return ""
    if working_set is None:
        return (
            f"The model's {need / GIB:.1f} GiB leave little of this machine's {physical / GIB:.1f} GiB of memory; "
            "it may write slowly. Close other programs, or use a checkpoint with fewer bits per weight."
        )
    command = wired_limit_command(need + HEADROOM, physical)
    return (
        f"The model's {need / GIB:.1f} GiB exceed the {working_set / GIB:.1f} GiB that Metal keeps resident; it may "
        f"write slowly. To raise the limit until the next restart: {command}"
    )
