"""Engines that the chat tests share: real ones on talking checkpoints, each loaded once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gptoss_tui.engine.worker import Engine
from gptoss_tui.harmony import Harmony
from tests.chat.talker import RANKS, talking_checkpoint
from tests.checkpoints import tiny_checkpoint
from tests.vocabularies import cut_tokenizer_json

MUSING = "<|channel|>analysis<|message|>" + "Hm, so" * 50 + "<|return|>"
RAMBLING = "<|channel|>final<|message|>" + "Oh, yes" * 50 + "<|return|>"
CALLING = '<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{"at":1}<|call|>'

Loader = Callable[..., Engine]


@pytest.fixture(scope="session")
def harmony(tmp_path_factory: pytest.TempPathFactory) -> Harmony:
    """The vocabulary of all talkers."""
    return Harmony.load(cut_tokenizer_json(tmp_path_factory.mktemp("vocabulary"), RANKS).parent)


@pytest.fixture(scope="session")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Writes short answers, with analysis or without, as the seed has it."""
    with Engine.load(talking_checkpoint(tmp_path_factory.mktemp("talker"))) as engine:
        yield engine


@pytest.fixture(scope="session")
def muser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Greedy, it never stops thinking."""
    with Engine.load(talking_checkpoint(tmp_path_factory.mktemp("muser"), [MUSING])) as engine:
        yield engine


@pytest.fixture(scope="session")
def rambler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Greedy, it never stops answering."""
    with Engine.load(talking_checkpoint(tmp_path_factory.mktemp("rambler"), [RAMBLING])) as engine:
        yield engine


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The same in a context of 256 tokens."""
    folder = tmp_path_factory.mktemp("short")
    with Engine.load(talking_checkpoint(folder, [RAMBLING], context=256)) as engine:
        yield engine


@pytest.fixture(scope="session")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Calls a tool, every time."""
    with Engine.load(talking_checkpoint(tmp_path_factory.mktemp("caller"), [CALLING])) as engine:
        yield engine


@pytest.fixture(scope="session")
def babbler(tmp_path_factory: pytest.TempPathFactory, harmony: Harmony) -> Iterator[Engine]:
    """Random weights throughout: what it writes depends on everything before, and is no harmony."""
    folder: Path = tmp_path_factory.mktemp("babbler")
    with Engine.load(tiny_checkpoint(folder, vocab_size=harmony.vocabulary.size)) as engine:
        yield engine


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Returns as soon as `condition` holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        pause.wait(0.001)
