"""What moves would cost, and how long a text is, worked out beside the interface: rendering a long talk takes a moment.

Only the newest question of a kind is answered. Knows no widget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gptoss_tui.chat.attach import FileSize, mentioned, size_of, with_files
from gptoss_tui.chat.moves import Send
from gptoss_tui.errors import GptOssError

if TYPE_CHECKING:
    from gptoss_tui.chat.moves import Move, Plan
    from gptoss_tui.tui.ports import SessionPort

PAUSE_S = 0.25
"""How long a person must not have typed before the text is counted."""
LONG = 100
"""Tokens from which a text's length is worth telling."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Size:
    """What is being typed, as it would be sent."""

    tokens: int
    """Of the text, the files not counted."""
    files: tuple[FileSize, ...]
    plan: Plan | None
    """None where nothing can be asked now."""

    @property
    def told(self) -> str:
        """For people: the length where it is long, and the cost."""
        total = self.tokens + sum(file.tokens for file in self.files)
        parts = [f"{total:,} tokens"] if total >= LONG else []
        if self.plan is not None:
            over = 1 - self.plan.room
            parts.append(self.plan.cost if over <= 0 else f"{over:,} tokens more than the context holds")
        return " · ".join(parts)


class Costs:
    """Asks and answers; used on the interface's thread."""

    def __init__(self) -> None:
        self._newest: dict[str, object] = {}
        self._under_way = asyncio.Lock()
        self._known: dict[tuple[str, int, int], FileSize] = {}
        """Files that were counted, by name, time and size."""

    async def plan(self, session: SessionPort, move: Callable[[], Move]) -> Plan:
        """What the move would cost. Raises `GptOssError` where it cannot be made; `move` may raise it too."""
        async with self._under_way:
            return await asyncio.to_thread(lambda: session.plan(move()))

    async def newest(self, kind: str, work: Callable[[], T], pause_s: float = PAUSE_S) -> T | None:
        """What `work` returns, a moment later and on a thread; None where the same kind is asked again meanwhile."""
        self._newest[kind] = ticket = object()
        await asyncio.sleep(pause_s)
        async with self._under_way:
            if self._newest[kind] is not ticket:
                return None
            found = await asyncio.to_thread(work)
        return found if self._newest[kind] is ticket else None

    def forget(self, kind: str) -> None:
        """Nobody wants to know any more."""
        self._newest[kind] = None

    def size(self, text: str, session: SessionPort, *, idle: bool) -> Size:
        """Counts what is being typed. Blocks; reads the files that it names."""
        files = tuple(self._file(name, session) for name in mentioned(text))
        plan: Plan | None = None
        if idle and not any(file.fault for file in files):
            try:
                plan = session.plan(Send(with_files(text, session)))
            except GptOssError:
                plan = None  # it will be told when it is sent
        return Size(session.count(text), files, plan)

    def _file(self, name: str, session: SessionPort) -> FileSize:
        try:
            about = Path(name).expanduser().stat()
        except (OSError, RuntimeError):
            return size_of(name, session)
        key = (name, about.st_mtime_ns, about.st_size)
        if key not in self._known:
            self._known[key] = size_of(name, session)
        return self._known[key]


def plans(session: SessionPort, moves: Mapping[str, Callable[[], Move]]) -> dict[str, Plan]:
    """What each of these would cost, by name; those that cannot be made are left out. Blocks."""
    found: dict[str, Plan] = {}
    for name, move in moves.items():
        try:
            found[name] = session.plan(move())
        except GptOssError:
            continue
    return found


def compared(found: Mapping[str, Plan]) -> str:
    """Several costs in one line: `to read: edit 48 · retry 1 tokens`."""
    if not found:
        return ""
    if len(found) == 1:
        ((name, plan),) = found.items()
        return f"{name} {plan.cost}"
    return "to read: " + " · ".join(f"{name} {plan.prefill:,}" for name, plan in found.items()) + " tokens"
