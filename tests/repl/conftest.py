"""Real checkpoints for the REPL, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chat.talker import talking_checkpoint


@pytest.fixture(scope="session")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says the same to everything."""
    return talking_checkpoint(
        tmp_path_factory.mktemp("models") / "answerer", ["<|channel|>final<|message|>Hello there<|return|>"]
    )


@pytest.fixture(scope="session")
def rambler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Greedy, it never stops answering."""
    return talking_checkpoint(
        tmp_path_factory.mktemp("models") / "rambler", ["<|channel|>final<|message|>" + "Oh, yes" * 50 + "<|return|>"]
    )
