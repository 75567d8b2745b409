"""Where checkpoints lie on a machine: Hugging Face's cache, LM Studio's folders, the person's own, and the bundled one.

Looks two folders deep and no deeper, so that no loop of links can hold it, and names each real folder once. Does not
look whether what lies there is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gptoss_tui.config import ConfigError, read_config
from gptoss_tui.errors import CheckpointError
from gptoss_tui.models.bundled import DEMO, demo_checkpoint
from gptoss_tui.models.find import cached_repos, repo_id, snapshot

Source = Literal["bundled", "Hugging Face", "LM Studio", "folder"]

LM_STUDIO = ("~/.lmstudio/models", "~/.cache/lm-studio/models")
"""LM Studio's folders, now and before version 0.3.6: PUBLISHER/MODEL."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with a config.json in it."""

    source: Source
    name: str
    """What the command line takes for it."""
    folder: Path


def places(folders: Sequence[Path] = ()) -> Iterator[Place]:
    """Every place with something like a checkpoint; `folders` are the person's own, or folders of such folders, besides
    those that config.toml names."""
    seen: set[str] = set()
    for place in _all((*folders, *configured_folders())):
        real = os.path.realpath(place.folder)
        if real not in seen:
            seen.add(real)
            yield place


def configured_folders() -> tuple[Path, ...]:
    """config.toml's `model-folders`; none where that file is at fault, which others tell."""
    try:
        named = read_config().values["model-folders"]
    except ConfigError:
        return ()
    return tuple(map(Path, named)) if isinstance(named, tuple) else ()


def _all(folders: Sequence[Path]) -> Iterator[Place]:
    with suppress(CheckpointError):  # a package that was built without it
        yield Place("bundled", DEMO, demo_checkpoint())
    for repo in sorted(cached_repos()):
        folder = snapshot(repo)
        if folder is not None and _is_file(folder / "config.json"):
            yield Place("Hugging Face", repo_id(repo), folder)
    for root in LM_STUDIO:
        for folder in _below(Path(root).expanduser()):
            yield Place("LM Studio", str(folder), folder)
    for root_folder in folders:
        for folder in _below(root_folder.expanduser()):
            yield Place("folder", str(folder), folder)


def _below(root: Path, depth: int = 2) -> Iterator[Path]:
    """`root` and the folders under it that hold a config.json."""
    if _is_file(root / "config.json"):
        yield root
    elif depth:
        children: list[str] = []
        with suppress(OSError):  # not there, not a folder, or not ours to read
            children = sorted(os.listdir(root))
        for child in children:
            if os.path.isdir(root / child):  # False for a link to itself, where a directory entry would raise
                yield from _below(root / child, depth - 1)


def _is_file(path: Path) -> bool:
    # os.path, unlike pathlib, takes a folder without permission for one without the file.
    return os.path.isfile(path)
