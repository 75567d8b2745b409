"""What `gptoss doctor` looks at: one finding a line, each ok, a note or a problem, and what to do about it.

Changes nothing, writes nothing, loads no model. The terminal has a module of its own.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from gptoss_tui.models.fit import Machine, this_machine
from gptoss_tui.models.listing import Listed, list_models
from gptoss_tui.models.places import Place

State = Literal["ok", "note", "problem"]

NEEDED = {
    "mlx": "0.32.2",
    "mlx-lm": "0.32.2",
    "textual": "8.2.8",
    "prompt_toolkit": "3.0.50",
    "pygments": "2.19",
    "tiktoken": "0.12",
    "platformdirs": "4.3",
    "numpy": "2.0",
    "threadpoolctl": "3.5",
    "huggingface_hub": "0.34",
}
"""The packages that pyproject.toml asks for, and the oldest version of each."""

OLDEST_PYTHON = (3, 11)

_GIB = 2**30


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


def system() -> Iterator[Finding]:
    """Python, the platform and the packages."""
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("problem", "Python", version, "Install Python 3.11 or later.")
    else:
        yield Finding("ok", "Python", version)
    name = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if sys.platform == "darwin" and platform.machine() != "arm64":
        yield Finding(
            "problem",
            "Platform",
            f"{name}: MLX runs on Apple silicon only",
            "Use a Mac with an M1 or later; on one, install an arm64 Python.",
        )
    else:
        yield Finding("ok", "Platform", name)
    yield from packages()


def packages(installed: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Each package in `NEEDED`; `installed` are their versions (None: what is installed)."""
    for name, oldest in NEEDED.items():
        version = _version(name) if installed is None else installed.get(name)
        if version is None:
            yield Finding("problem", name, "is not installed", f"pip install '{name}>={oldest}'")
        elif _numbers(version) < _numbers(oldest):
            yield Finding("problem", name, f"{version} is too old", f"pip install -U '{name}>={oldest}'")
        else:
            yield Finding("ok", name, version)


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


def folders(named: Mapping[str, Path]) -> Iterator[Finding]:
    """Whether the program's own folders can be written; `named` is what each is for, and where."""
    for name, folder in named.items():
        standing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        if not os.path.isdir(standing):
            yield Finding("problem", name, f"{standing} is not a folder", "Move it away.")
        elif not os.access(standing, os.W_OK | os.X_OK):
            yield Finding("problem", name, f"{standing} cannot be written", f"chmod u+rwx '{standing}'")
        else:
            yield Finding("ok", name, str(folder) + ("" if standing == folder else " (made when needed)"))


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
