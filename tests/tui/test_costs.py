"""What is told about costs, turns and memory, without a screen: pure values, and the order in which questions count."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gptoss_tui.chat.moves import Plan, Retry
from gptoss_tui.chat.tree import Node, Tree
from gptoss_tui.engine.events import MemoryUse
from gptoss_tui.harmony.messages import Message
from gptoss_tui.tui.costs import Costs, Size, compared
from gptoss_tui.tui.snapshot import Snapshot
from gptoss_tui.tui.turnview import views
from gptoss_tui.tui.widgets.kv import KvPane
from tests.tui.scripted import INFO, ScriptedEngine, ScriptedSession, layer_states


def _plan(tokens: int, reused: int, context: int = 10_000) -> Plan:
    return Plan(Retry(), tuple(range(tokens)), reused, context)


async def test_only_the_newest_question_of_a_kind_is_answered() -> None:
    costs = Costs()
    asked: list[int] = []

    def work(number: int) -> int:
        asked.append(number)
        return number

    first = asyncio.create_task(costs.newest("typed", lambda: work(1), 0.02))
    other = asyncio.create_task(costs.newest("selected", lambda: work(2), 0.0))
    await asyncio.sleep(0)
    second = asyncio.create_task(costs.newest("typed", lambda: work(3), 0.0))
    assert [*await asyncio.gather(first, other, second)] == [None, 2, 3]
    assert sorted(asked) == [2, 3]
    third = asyncio.create_task(costs.newest("typed", lambda: work(4), 0.02))
    await asyncio.sleep(0)
    costs.forget("typed")
    assert await third is None


def test_a_text_is_measured_with_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("word " * 200)
    (tmp_path / "picture.png").write_bytes(b"\0\1")
    session, costs = ScriptedSession(ScriptedEngine(), []), Costs()
    size = costs.size("see @notes.txt", session, idle=True)
    assert [(file.name, file.tokens, file.fault) for file in size.files] == [("notes.txt", 200, "")]
    assert size.told == "202 tokens · reuses 30 tokens, prefills 10"
    (tmp_path / "notes.txt").write_text("changed since")
    assert costs.size("see @notes.txt", session, idle=True).files[0].tokens == 2
    size = costs.size("see @picture.png", session, idle=True)
    assert size.files[0].fault
    assert size.plan is None
    assert costs.size("short", session, idle=False).told == ""


def test_costs_in_one_line() -> None:
    assert compared({}) == ""
    assert compared({"retry": _plan(10, 9)}) == "retry reuses 9 tokens, prefills 1"
    assert compared({"edit": _plan(1_058, 10), "retry": _plan(10, 9)}) == "to read: edit 1,048 · retry 1 tokens"
    assert Size(3, (), _plan(30, 0, context=20)).told == "11 tokens more than the context holds"


def test_turns_know_their_number_and_their_branches() -> None:
    tree = Tree()
    said = {"a": Message.user("a"), "b": Message.assistant("b"), "c": Message.user("c"), "d": Message.assistant("d")}

    def add(name: str, parent: str | None, text: str = "") -> None:
        message = said[text or name]
        tree.add(Node(name, parent, message.role, (message,), ending="stop" if message.role == "assistant" else None))

    for name, parent, text in (("a", None, ""), ("b", "a", ""), ("c", "b", ""), ("d", "c", ""), ("d2", "c", "d")):
        add(name, parent, text)
    add("a2", None, "a")
    tree.move("d2")
    first, second = views(tree)
    assert (first.number, first.ids, second.number, second.ids) == (1, ("a", "b"), 2, ("c", "d2"))
    assert first.prompt is not None
    assert (first.prompt.at, len(first.prompt.others)) == (1, 2)
    assert second.answer is not None
    assert second.answer.at == 2
    assert second.answer.beside(-1) == tree["d"]
    assert first.answer is not None
    assert first.answer.beside(1) is None
    assert not second.continues


@pytest.mark.parametrize(("width", "height"), [(34, 4), (56, 4), (74, 5)])
def test_what_is_kept_is_aligned_and_fits(width: int, height: int) -> None:
    pane = KvPane()
    memory = MemoryUse(12 * 2**20, 3 * 2**20, 90 * 2**20, 2, 256 * 2**20)
    pane.snapshot = Snapshot(info=INFO, layers=layer_states(3_412), memory=memory)
    rows = ["".join(text for text, _ in row) for row in pane.build(width, height)]
    assert len(rows) == height
    assert all(len(row) <= width for row in rows)
    assert rows[3].endswith("105 MiB of 256 MiB")
    if height > 4:
        assert rows[4].split() == ["history", "12.0", "MiB", "pins", "3.00", "MiB", "2", "branches", "90.0", "MiB"]
