"""A folder that is small, one that nobody may write to, and what a store says to people."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class Told(list[str]):
    """What a store told, in order."""

    def __str__(self) -> str:
        return "\n".join(self)


@pytest.fixture
def told() -> Told:
    """Give `told.append` to a store."""
    return Told()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with one MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.getuid() == 0 and _mount(folder, "size=1m")
    if not mounted:
        pytest.skip("only root may mount a small file system; see test_no_file_grows")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing can be made; `writable(folder)` takes that back."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.getuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
    elif _mount(folder, "size=4m,ro"):
        yield folder
        subprocess.run(["umount", "-l", folder], check=True)
    else:
        pytest.skip("root writes everywhere, and may not mount here")


def writable(folder: Path) -> None:
    """Lets `read_only` be written to."""
    if os.getuid() != 0:
        folder.chmod(0o700)
    else:
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)


def _mount(folder: Path, options: str) -> bool:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    return done.returncode == 0
