"""Reads keys for prompt_toolkit, and keeps out of them what the terminal answers about its background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.input import Input
from prompt_toolkit.input.defaults import create_input
from prompt_toolkit.input.vt100 import Vt100Input

from gptoss_tui.colours import HELD_S, Answers


class Reader(Protocol):
    """What prompt_toolkit reads keys from."""

    @property
    def closed(self) -> bool: ...
    def read(self, count: int = 1024) -> str: ...


class Listener:
    """A reader of keys that takes the answer out of them, and tells it."""

    def __init__(
        self, reader: Reader, answers: Answers, on_light: Callable[[bool], None], on_late: Callable[[], None]
    ) -> None:
        """`on_light` is told whether the background is light; `on_late` is called when keys that were taken for the
        beginning of an answer are to be read after all."""
        self._reader = reader
        self._answers = answers
        self._on_light = on_light
        self._on_late = on_late

    @property
    def closed(self) -> bool:
        """Whether there is nothing more to read."""
        return self._reader.closed

    def read(self, count: int = 1024) -> str:
        """Keys as they were typed. Bytes that are no UTF-8 become replacement characters, as no model reads them."""
        late = self._answers.released()
        typed, light = self._answers.take(self._reader.read(count))
        if light is not None:
            self._on_light(light)
        if self._answers.holding:
            asyncio.get_running_loop().call_later(1.1 * HELD_S, self._on_late)
        return (late + typed).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def listening_input(asked: bool, on_light: Callable[[bool], None], on_late: Callable[[], None]) -> Input:
    """Standard input. `asked`: the terminal was asked for its background; see `Listener` for the rest."""
    keys = create_input()
    if isinstance(keys, Vt100Input):
        listener = Listener(keys.stdin_reader, Answers(expected=asked), on_light, on_late)
        keys.stdin_reader = listener  # type: ignore[assignment]  # it has all that is used of one
    return keys
