"""The prompts of before: kept in memory, and as JSON lines in a file that only its owner can read.

A file that cannot be read or written costs the memory of prompts, never the program. Knows no widget.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

KEPT = 1_000
"""Prompts read back from the file; when it holds twice as many, it is cut to these."""


def default_history_file() -> Path:
    """Where prompts are remembered on this machine."""
    from platformdirs import user_state_path

    return user_state_path("gptoss") / "prompts.jsonl"


def history_file(asked_for: Path | None, *, private: bool) -> Path | None:
    """Where prompts are remembered: the file that was asked for, else the usual one; None in a private talk."""
    return asked_for if asked_for is not None else None if private else default_history_file()


class PromptHistory:
    """A list of prompts and a place in it; `older` and `newer` walk, the draft is kept meanwhile."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.prompts: list[str] = _read(file) if file is not None else []
        self._at = len(self.prompts)
        self._draft = ""

    def add(self, prompt: str) -> None:
        """Remembers a prompt that was sent, once where it repeats the last one."""
        if prompt.strip() and (not self.prompts or self.prompts[-1] != prompt):
            self.prompts.append(prompt)
            if self._file is not None:
                with suppress(OSError):
                    _append(self._file, [prompt])
        self._at = len(self.prompts)
        self._draft = ""

    def older(self, present: str) -> str | None:
        """The prompt before this place; None at the oldest. `present` is kept as the draft where the walk begins."""
        if self._at == 0:
            return None
        if self._at >= len(self.prompts):
            self._draft = present
        self._at -= 1
        return self.prompts[self._at]

    def newer(self) -> str | None:
        """The prompt after this place, at last the draft; None where the walk has not begun."""
        if self._at >= len(self.prompts):
            return None
        self._at += 1
        return self._draft if self._at == len(self.prompts) else self.prompts[self._at]

    def search(self, words: str) -> list[str]:
        """Every different prompt that holds all of these words, newest first."""
        wanted = words.casefold().split()
        found: dict[str, None] = {}
        for prompt in reversed(self.prompts):
            if all(word in prompt.casefold() for word in wanted):
                found.setdefault(prompt)
        return list(found)


def _read(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    prompts: list[str] = []
    for line in lines:
        # A line that a crash cut short is skipped; the others are worth having.
        with suppress(json.JSONDecodeError):
            entry = json.loads(line)
            if isinstance(entry, dict) and isinstance(entry.get("prompt"), str):
                prompts.append(entry["prompt"])
    if len(lines) > 2 * KEPT:
        with suppress(OSError):
            kept = file.with_suffix(".new")
            kept.unlink(missing_ok=True)
            _append(kept, prompts[-KEPT:])
            kept.replace(file)
    return prompts[-KEPT:]


def _append(file: Path, prompts: Sequence[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = "".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
        stream.write(text)
