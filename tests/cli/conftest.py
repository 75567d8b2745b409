"""Real checkpoints for the command line, made once: some that talk harmony, one that babbles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chat.talker import RANKS, talking_checkpoint
from tests.checkpoints import tiny_checkpoint
from tests.vocabularies import cut_tokenizer_json


@pytest.fixture(scope="session")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says the same to everything."""
    return talking_checkpoint(
        tmp_path_factory.mktemp("models") / "answerer", ["<|channel|>final<|message|>Hello there<|return|>"]
    )


@pytest.fixture(scope="session")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thinks, and answers nothing."""
    return talking_checkpoint(
        tmp_path_factory.mktemp("models") / "thinker", ["<|channel|>analysis<|message|>Hm, so<|return|>"]
    )


@pytest.fixture(scope="session")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Answers with analysis or without, as the seed has it."""
    return talking_checkpoint(tmp_path_factory.mktemp("models") / "talker")


@pytest.fixture(scope="session")
def rambler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never stops answering when it is greedy."""
    return talking_checkpoint(
        tmp_path_factory.mktemp("models") / "rambler", ["<|channel|>final<|message|>" + "Oh, yes" * 50 + "<|return|>"]
    )


@pytest.fixture(scope="session")
def babbler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights: writes for ever, and no harmony."""
    folder = tiny_checkpoint(tmp_path_factory.mktemp("models") / "babbler", vocab_size=RANKS + 64)
    cut_tokenizer_json(folder, RANKS)
    return folder
