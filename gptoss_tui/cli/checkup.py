"""What `gptoss doctor` looks at: one finding a line, each ok, a note or a problem, and what to do about it.

Changes nothing, writes nothing, loads no model. The terminal has a module of its own.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from gptoss_tui.config import ConfigError, read_config
from gptoss_tui.models.fit import Machine, this_machine
from gptoss_tui.models.listing import Listed, list_models
from gptoss_tui.models.places import Place

State = Literal["ok", "note", "problem"]

NEEDED = {
    "mlx": "0.32.2",
    "mlx-lm": "0.32.2",
    "textual": "8.2.8",
    "prompt_toolkit": "3.0.52",
    "pygments": "2.19",
    "tiktoken": "0.12",
    "platformdirs": "4.3",
    "numpy": "2.0",
    "threadpoolctl": "3.5",
    "huggingface_hub": "0.34",
}
"""The packages that pyproject.toml asks for, and the oldest version of each."""

OLDEST_PYTHON = (3, 11)
OLDEST_MACOS = (14, 0)
"""What mlx's wheels are made for."""

_GIB = 2**30
_LITTLE = 256 * 2**20
"""Bytes of free disk under which it is called full."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    state: State
    about: str
    """What was looked at."""
    text: str
    """What was found."""
    remedy: str = ""
    """What to do; empty where nothing needs doing."""


@dataclass(frozen=True, slots=True)
class Host:
    """What the program runs on."""

    system: str
    release: str
    processor: str
    """As Python sees it: x86_64 on Apple silicon where Python runs translated."""
    macos: str = ""
    """Its version; empty elsewhere."""
    translated: bool = False
    """Whether Python runs under Rosetta."""

    @property
    def intel_mac(self) -> bool:
        """Whether mlx has no wheel for this Python on a Mac."""
        return self.system == "Darwin" and self.processor != "arm64"


def this_host() -> Host:
    """The present one."""
    return Host(platform.system(), platform.release(), platform.machine(), platform.mac_ver()[0], _translated())


def _translated() -> bool:
    if sys.platform != "darwin":
        return False
    try:
        told = subprocess.run(["sysctl", "-n", "sysctl.proc_translated"], capture_output=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.stdout.strip() == b"1"


def system(host: Host | None = None) -> Iterator[Finding]:
    """Python, the platform and the packages; `host` is what they run on (None: this one)."""
    host = host or this_host()
    version = platform.python_version()
    needed = ".".join(map(str, OLDEST_PYTHON))
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("problem", "Python", f"{version}; needed: {needed}", f"Install Python {needed} or later.")
    else:
        yield Finding("ok", "Python", f"{version}; needed: {needed} or later")
    yield _platform(host)
    yield from packages(intel_mac=host.intel_mac)


def _platform(host: Host) -> Finding:
    name = f"{host.system} {host.release}, {host.processor}"
    if host.intel_mac and host.translated:
        return Finding(
            "problem",
            "Platform",
            f"{name}: this Python runs translated (Rosetta), and MLX is made for Apple silicon itself",
            "Install an arm64 Python, such as from python.org or Homebrew under /opt/homebrew, and gptoss with it.",
        )
    if host.intel_mac:
        return Finding(
            "problem",
            "Platform",
            f"{name}: an Intel Mac, and MLX runs on Apple silicon only; inspect, models and pull work without it",
            "Use a Mac with an M1 or later, or Linux.",
        )
    if host.system == "Darwin" and host.macos and _numbers(host.macos) < OLDEST_MACOS:
        needed = ".".join(map(str, OLDEST_MACOS))
        return Finding("problem", "Platform", f"macOS {host.macos}; MLX needs {needed}", "Update macOS.")
    return Finding("ok", "Platform", f"{name}, macOS {host.macos}" if host.macos else name)


def packages(installed: Mapping[str, str] | None = None, *, intel_mac: bool = False) -> Iterator[Finding]:
    """Each package in `NEEDED`; `installed` are their versions (None: what is installed)."""
    for name, oldest in NEEDED.items():
        version = _version(name) if installed is None else installed.get(name)
        if version is None and name == "mlx" and intel_mac:
            yield Finding("problem", name, "is not made for Intel Macs", "See Platform.")
        elif version is None:
            yield Finding("problem", name, f"is not installed; needed: {oldest}", f"pip install '{name}>={oldest}'")
        elif _numbers(version) < _numbers(oldest):
            yield Finding("problem", name, f"{version}; needed: {oldest}", f"pip install -U '{name}>={oldest}'")
        else:
            backend = f" with {_backend()}" if name == "mlx" and installed is None else ""
            yield Finding("ok", name, f"{version}{backend}; needed: {oldest} or later")


def _backend() -> str:
    """Which of mlx's libraries is installed."""
    found = [(name, _version(name)) for name in ("mlx-metal", "mlx-cuda-13", "mlx-cuda-12", "mlx-cpu")]
    return ", ".join(f"{name} {version}" for name, version in found if version) or "its own library"


def device(machine: Machine | None = None) -> Iterator[Finding]:
    """Where MLX computes, and how much memory there is."""
    machine = machine or this_machine()
    if machine.device == "none":
        yield Finding("problem", "Device", "mlx cannot be imported", "pip install -U mlx, on Apple silicon or Linux.")
    elif machine.device == "CPU":
        remedy = "Small models only; gpt-oss-20b wants Apple silicon, or an NVIDIA GPU with mlx[cuda13]."
        yield Finding("note", "Device", "CPU: no GPU that MLX can use", remedy)
    else:
        yield Finding("ok", "Device", machine.device)
    memory = f"{machine.physical / _GIB:.1f} GiB"
    if machine.working_set is not None:
        memory += f", of which Metal keeps {machine.working_set / _GIB:.1f} GiB resident"
    if machine.physical < 15 * _GIB:
        yield Finding("note", "Memory", memory, "gpt-oss-20b in 4 bits needs 16 GB; smaller models run.")
    else:
        yield Finding("ok", "Memory", memory)
    yield from limits(resource.getrlimit(resource.RLIMIT_AS)[0])


def limits(address_space: int) -> Iterator[Finding]:
    """What a shell's `ulimit -v` of so many bytes takes away; nothing where there is none."""
    if address_space != resource.RLIM_INFINITY:
        text = f"{address_space / _GIB:.1f} GiB for this shell's programs (ulimit -v)"
        yield Finding("note", "Memory limit", text, "ulimit -v unlimited")


def folders(named: Mapping[str, Path]) -> Iterator[Finding]:
    """Whether the program's own folders can be written; `named` is what each is for, and where."""
    for name, folder in named.items():
        standing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        if not os.path.isdir(standing):
            yield Finding("problem", name, f"{standing} is not a folder", "Move it away.")
        elif not os.access(standing, os.W_OK | os.X_OK):
            yield Finding("problem", name, f"{standing} cannot be written", f"chmod u+rwx '{standing}'")
        else:
            free = shutil.disk_usage(standing).free
            text = f"{folder}{'' if standing == folder else ' (made when needed)'}, {free / 1e9:.1f} GB free"
            if free < _LITTLE:
                yield Finding("note", name, text, "Make room: nothing can be kept on a full disk.")
            else:
                yield Finding("ok", name, text)


def settings() -> Iterator[Finding]:
    """Whether config.toml can be used."""
    try:
        config = read_config()
    except ConfigError as fault:
        yield Finding("problem", "Settings", fault.message, fault.hint)
    else:
        there = config.file.exists()
        yield Finding("ok", "Settings", str(config.file) if there else "none: every setting has its default")


def models(listed: Sequence[Listed] | None = None) -> Iterator[Finding]:
    """The checkpoints here, and whether one of them is more than the demo; `listed` is what was found (None: look)."""
    found = list(list_models(this_machine())) if listed is None else listed
    useful = False
    for one in found:
        name = f"Model {one.place.name}"
        if one.problem:
            yield Finding("problem", name, one.problem, _again(one.place))
        elif one.fit is not None and one.fit.verdict == "no":
            yield Finding("note", name, "does not fit into this machine's memory", "Choose one with fewer bits.")
        elif one.fit is not None and one.fit.verdict == "tight":
            yield Finding("note", name, "fits tightly: it may write slowly", one.fit.command or "Close other programs.")
        else:
            yield Finding("ok", name, f"{one.nbytes / 1e9:.2f} GB, {one.bits_per_weight:.2f} bits per weight")
        useful = useful or (not one.problem and one.place.source != "bundled")
    if not useful:
        text = "only the demo model is here" if found else "none is here"
        yield Finding("note", "Models", text, "To get one: gptoss pull mlx-community/gpt-oss-20b-MXFP4-Q4")


def network(environment: Mapping[str, str]) -> Iterator[Finding]:
    """What keeps `gptoss pull` from downloading."""
    if environment.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        yield Finding("note", "Downloads", "HF_HUB_OFFLINE is set: nothing is downloaded", "unset HF_HUB_OFFLINE")


def _again(place: Place) -> str:
    if place.source == "Hugging Face":
        return f"Get what is missing: gptoss pull {place.name}"
    return f"gptoss inspect '{place.folder}' tells more; get the checkpoint again."


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version.partition("+")[0])[:3]))
