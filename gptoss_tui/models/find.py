"""From what a person calls a model to the folder that holds it: a folder, a Hugging Face id, `demo`, or nothing at all.

Reads Hugging Face's cache as it lies on disk (hub/models--ORG--NAME/refs and /snapshots; huggingface_hub, "Understand
caching"). Downloads nothing and imports nothing heavy. Whether a named model is whole is for loading to say.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from gptoss_tui.engine.memory import physical_memory
from gptoss_tui.errors import CheckpointError
from gptoss_tui.models.bundled import DEMO, demo_checkpoint
from gptoss_tui.models.inspection import inspect

MEMORY_SHARE = 0.75
"""Share of physical memory that the weights of a model found on its own may take."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def resolve(name: str | None, others: Collection[str] = ()) -> Path:
    """The folder of the model that `name` means; None means the best one here.

    `others` are words that could have been meant instead, such as commands. Raises `CheckpointError` where there is no
    such model; whether its files are in order is not looked at.
    """
    if name is None:
        return best_cached() or demo_checkpoint()
    if name == DEMO:
        return demo_checkpoint()
    folder = Path(name).expanduser()
    try:
        if folder.is_dir():
            return folder
        exists = folder.exists()
    except OSError as error:  # no permission to look, or a name that no file can have
        raise CheckpointError(
            f"{name} cannot be opened: {error.strerror}", "Check the name and its permissions."
        ) from None
    if folder.is_symlink() and not exists:
        raise CheckpointError(f"{name} is a link that leads nowhere, or in a circle", "Give the folder itself.")
    if exists:
        raise CheckpointError(f"{name} is a file, not a folder", "Give the folder that it lies in.")
    if _HUB_ID.fullmatch(name):
        return _cached(name)
    if "/" in name or name.startswith("~"):
        raise CheckpointError(f"The folder {name} does not exist", "Give a folder that holds a gpt_oss checkpoint.")
    near = difflib.get_close_matches(name, [*others, DEMO, *(repo_id(repo) for repo in cached_repos())], n=3)
    raise CheckpointError(
        f"There is no {'command and no ' if others else ''}model called {name}",
        (f"Did you mean {' or '.join(near)}? " if near else "")
        + "A model is a folder, a Hugging Face id such as mlx-community/gpt-oss-20b-MXFP4-Q4, or demo.",
    )


def best_cached() -> Path | None:
    """The best gpt_oss checkpoint in Hugging Face's cache, or None.

    The one with the largest geometry whose weights fit into memory with room to spare; of equal ones the one with the
    fewest bytes, which is the fastest.
    """
    ranked = [(_rank(folder), folder) for folder in map(snapshot, cached_repos()) if folder is not None]
    rank, best = max(ranked, key=lambda entry: entry[0], default=((0, 0), None))
    return best if rank > (0, 0) else None


def hub_cache() -> Path:
    """Where huggingface_hub keeps what it downloads, by the environment variables that it honours."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if value := os.environ.get(variable):
            return Path(value).expanduser()
    if value := os.environ.get("HF_HOME"):
        return Path(value).expanduser() / "hub"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "huggingface" / "hub"


def _cached(name: str) -> Path:
    folder = snapshot(hub_cache() / ("models--" + name.replace("/", "--")))
    if folder is None:
        raise CheckpointError(
            f"{name} is neither a folder here nor a model in the Hugging Face cache",
            f"To download it: gptoss pull {name}",
        )
    return folder


def cached_repos() -> Iterator[Path]:
    """The folder of each model in Hugging Face's cache; none where that cannot be read."""
    with suppress(OSError):
        yield from hub_cache().glob("models--*")


def repo_id(repo: Path) -> str:
    """What the model in that folder of the cache is called."""
    return repo.name.removeprefix("models--").replace("--", "/", 1)


def snapshot(repo: Path) -> Path | None:
    """The revision that `main` points to, else the newest one; None where there is none."""
    with suppress(OSError, ValueError):  # `main` may never have been asked for; then any revision will do
        ref = repo / "refs" / "main"
        main = repo / "snapshots" / ref.read_text(encoding="utf-8").strip() if ref.is_file() else repo / "nothing"
        if main.is_dir():
            return main
    with suppress(OSError):
        return max((path for path in (repo / "snapshots").iterdir() if path.is_dir()), key=_modified, default=None)
    return None


def _modified(path: Path) -> float:
    return path.stat().st_mtime


def _rank(folder: Path) -> tuple[int, int]:
    """(weights of the model, minus their bytes): the larger the better. (0, 0) where this one cannot be run here."""
    try:
        found = inspect(folder)
    except CheckpointError:
        return 0, 0
    usable = not found.problems and found.weights_bytes <= MEMORY_SHARE * physical_memory()
    return (found.config.parameters, -found.weights_bytes) if usable else (0, 0)
