"""Checkpoints of a few hundred KB, each made once a run, and engines on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gptoss_tui.engine import generator
from gptoss_tui.engine.worker import Engine
from tests.checkpoints import tiny_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`tiny_checkpoint` without a folder: the same arguments give the same one."""
    made: dict[str, Path] = {}

    def make(**options: Any) -> Path:
        key = repr(sorted(options.items()))
        if key not in made:
            made[key] = tiny_checkpoint(tmp_path_factory.mktemp("checkpoint"), **options)
        return made[key]

    return make


@pytest.fixture(scope="module")
def engine(checkpoint: Callable[..., Path]) -> Iterator[Engine]:
    """An engine that the module's tests share."""
    with Engine.load(checkpoint()) as engine:
        yield engine


@pytest.fixture
def own(checkpoint: Callable[..., Path]) -> Iterator[Engine]:
    """An engine that the test may break."""
    with Engine.load(checkpoint()) as engine:
        yield engine


@pytest.fixture
def chunks_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Engine, int], None]:
    """Makes an engine prefill in chunks of one size, whatever the clock says."""

    def fix(engine: Engine, size: int) -> None:
        monkeypatch.setattr(generator, "CHUNKS", (size,))
        monkeypatch.setattr(engine._generator, "_chunk", size)

    return fix
