"""A home of its own in which documented commands run: empty folders, and tiny checkpoints under the names
that pages use."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path

from gptoss_tui.cli import main
from tests.docs.grammar import entry_of

ANSWER_TOKENS = 8
"""The longest answer where a page names no other."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command."""

    code: int
    out: bytes
    err: bytes


class Sandbox:
    """Runs commands in `folder`, which has what they name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._count = 0

    def gptoss(self, words: list[str], stdin: bytes, changes: dict[str, str]) -> Outcome:
        """Runs `gptoss` in this process, on descriptors of its own."""
        entry = entry_of(words)
        if "--max-tokens" in entry.options and "--max-tokens" not in words and not {"--help", "--version"} & {*words}:
            at = len(entry.name.split())
            words = [*words[:at], "--max-tokens", str(ANSWER_TOKENS), *words[at:]]
        # Settings that one page writes are not another's.
        self._count += 1
        fresh = self.home / f"{self._count}"
        fresh.mkdir(parents=True)
        ours = {
            "HOME": str(fresh),
            **{f"XDG_{kind}_HOME": str(fresh / kind.lower()) for kind in ("CONFIG", "STATE", "DATA", "CACHE")},
            "HF_HUB_CACHE": str(self.folder / "hub"),
            "HF_HUB_OFFLINE": "1",
            "TERM": "xterm-256color",
        }
        with _environment({**ours, **changes}), _inside(self.folder), _descriptors(fresh, stdin) as (out, err):
            _keep_conversations(words)
            try:
                code = main(words)
            except SystemExit as left:
                code = left.code if isinstance(left.code, int) else 1
        return Outcome(code, out.read_bytes(), err.read_bytes())

    def shell(self, command: str, stdin: bytes) -> Outcome:
        """Runs a small program."""
        done = subprocess.run(["sh", "-c", command], input=stdin, capture_output=True, cwd=self.folder, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)


def stages(command: str) -> list[list[tuple[str, str]]]:
    """A line as commands that follow each other, each as the stages of a pipe: (command, file for its output)."""
    lexer = shlex.shlex(command, posix=False, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found: list[list[tuple[str, str]]] = [[("", "")]]
    words = list(lexer)
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word in ("&&", ";", "||"):
            found.append([("", "")])
        elif word == "|":
            found[-1].append(("", ""))
        elif word == ">":
            found[-1][-1] = (found[-1][-1][0], words[at])
            at += 1
        else:
            text, target = found[-1][-1]
            found[-1][-1] = (f"{text} {word}".strip(), target)
    return found


def _keep_conversations(words: list[str]) -> None:
    """Where a command is about kept conversations: those that it names by id, and the files that it takes in."""
    if "sessions" not in words and "--resume" not in words:
        return
    from gptoss_tui.chat.store.library import Library
    from gptoss_tui.chat.store.transfer import as_json
    from tests.chat.store.archives import small

    library = Library()
    archive = small("Robots", "Tell me a story about a small robot.", "Once upon a time.")
    library.take_in(archive)
    for word in words:
        if re.fullmatch(r"[0-9a-f]{3,32}", word):
            # The id may be cut short where it is typed.
            named = replace(archive.conversation, id=word.ljust(32, "0"))
            library.take_in(replace(archive, conversation=named))
            if "restore" in words:
                library.delete(named.id)
        elif "import" in words and re.search(r"\.jsonl?$", word):
            Path(word).write_text(as_json(archive), encoding="utf-8")
    for option in {"-o", "--output"} & {*words}:
        Path(words[words.index(option) + 1]).unlink(missing_ok=True)


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _descriptors(folder: Path, stdin: bytes) -> Iterator[tuple[Path, Path]]:
    """Standard input, output and error on files, for Python and for whoever asks the system."""
    files = [folder / name for name in ("in", "out", "err")]
    files[0].write_bytes(stdin)
    before = [os.dup(number) for number in range(3)]
    streams = (sys.stdin, sys.stdout, sys.stderr)
    for number, file in enumerate(files):
        opened = os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        TextIOWrapper(os.fdopen(os.dup(number), "rb" if number == 0 else "wb"), encoding="utf-8", newline="")
        for number in range(3)
    )
    try:
        yield files[1], files[2]
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdin, sys.stdout, sys.stderr = streams
        for number, old in enumerate(before):
            os.dup2(old, number)
            os.close(old)
