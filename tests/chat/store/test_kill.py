"""kill -9 at many points: what was finished is there, and of what was being written all but the last moment."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gptoss_tui.chat.store.database import FILE, open_to_read
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from gptoss_tui.chat.tree import Node
from gptoss_tui.harmony.messages import Message
from tests.chat.store.conftest import Told
from tests.chat.store.writing import TOKENS
from tests.cli.program import environment

LOST_S = 4.0
"""One second is promised, and what was lost is printed. A machine that runs much else may keep a thread waiting."""

POINTS = 5


class Killed:
    """A process that wrote, was killed, and what it had said until then."""

    def __init__(self, folder: Path, lines: int) -> None:
        argv = [sys.executable, "-m", "tests.chat.store.writing", str(folder)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment()) as process:
            assert process.stdout is not None
            said = [process.stdout.readline().split() for _ in range(lines)]
            process.kill()
            self.at = time.monotonic()
            said += [line.split() for line in process.stdout.readlines()]
        self.conversation = next(line[1] for line in said if line[0] == "begun")
        self.finished = [line[1] for line in said if line[0] == "finished"]
        self.tokens: dict[str, list[float]] = {}
        """When each token of each answer was said."""
        for line in said:
            if line[0] == "token" and len(line) == 4:
                self.tokens.setdefault(line[1], []).append(float(line[3]))


def recover(node: Node) -> Node:
    """As a session does it that has the vocabulary."""
    return replace(node, ending="interrupted", messages=(Message.assistant(f"{len(node.token_ids)} tokens"),))


def test_kill_at_many_points(tmp_path: Path, told: Told) -> None:
    random.seed(5)
    killed: list[Killed] = []
    for _ in range(POINTS):
        # Each comes upon what the one before it left behind.
        killed.append(Killed(tmp_path, random.randrange(2, 3 * TOKENS)))
        store = Store(tmp_path, tell=told.append)
        assert store.ready()
        assert store.close(30)
    with closing(open_to_read(tmp_path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (0,)
    library = Library(tmp_path)
    library.read_back("v", recover)
    for process in killed:
        nodes = {node.id: node for node in library.get(process.conversation).tree.nodes}
        for finished in process.finished:
            assert nodes[finished].ending == "stop"
            assert len(nodes[finished].token_ids) == TOKENS
        last = list(process.tokens)[-1] if process.tokens else None
        if last is not None:
            saved = len(nodes[last].token_ids) if last in nodes else 0
            lost = process.tokens[last][saved:]
            seconds = process.at - lost[0] if lost else 0.0
            print(f"{len(process.finished)} turns finished, {saved} tokens saved, {len(lost)} lost: {seconds:.2f} s")
            assert seconds < LOST_S
            if last in nodes and last not in process.finished and saved < TOKENS:
                assert nodes[last].ending == "interrupted"
                assert nodes[last].token_ids == tuple(range(200_000, 200_000 + saved))
                assert nodes[last].text == f"{saved} tokens"
    assert told == []


def test_killed_while_a_file_is_made(tmp_path: Path, told: Told) -> None:
    argv = [sys.executable, "-m", "tests.chat.store.writing", str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment()) as process:
        while not (tmp_path / FILE).exists():
            assert process.poll() is None
        process.kill()
    store = Store(tmp_path, tell=told.append)
    assert store.flush(30)
    assert store.close(30)
    assert told == []
    assert Library(tmp_path).listed()[1:] == []


@pytest.mark.parametrize("lines", [2, 60])
def test_the_next_one_knows_what_was_left(tmp_path: Path, lines: int) -> None:
    killed = Killed(tmp_path, TOKENS + lines + 2)
    store = Store(tmp_path)
    assert store.ready()
    assert store.others() == []
    (listed,) = Library(tmp_path).listed()
    assert listed.id == killed.conversation
    assert listed.dropped is not None
    assert listed.open_by is None
    store.close(30)
