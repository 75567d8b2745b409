"""How long the TUI takes to draw a conversation, by its length: whole, and one page further up.

    python -m tests.benchmarks.tui_long

Prints seconds and the ratio to a conversation of ten turns, all in one process.
"""

from __future__ import annotations

import asyncio
import time

from gptoss_tui.chat.tree import Node, Tree, new_id
from gptoss_tui.harmony.messages import Message
from tests.tui.pilots import Driven, driven
from tests.tui.scripted import ScriptedOpener

LIST = "Computers use **qubits**, and `H` gates.\n\n- one\n- two\n\n```python\nprint('hello')\n```\n\n"
ANSWER = LIST + "And more. " * 40
TURNS = (10, 200, 1_000)
ROUNDS = 3


def conversation(turns: int) -> Tree:
    """As many turns of the same kind."""
    tree = Tree()
    for number in range(turns):
        thought = Message.assistant("I think about it. " * 10, channel="analysis")
        for node in (
            Node(new_id(), tree.head, "user", (Message.user(f"Question {number} about things"),)),
            Node(new_id(), None, "assistant", (thought, Message.assistant(ANSWER)), ending="stop"),
        ):
            parent = tree.head
            tree.add(Node(node.id, parent, node.role, node.messages, ending=node.ending))
            tree.move(node.id)
    return tree


async def drawn(test: Driven, tree: Tree, opener: ScriptedOpener) -> float:
    """Seconds until the conversation is on the screen."""
    opener.session.tree = tree
    began = time.perf_counter()
    await test.main.conductor.moved()
    await test.pilot.pause()
    return time.perf_counter() - began


async def main() -> None:
    """Measures in turn, and prints the best of each."""
    opener = ScriptedOpener()
    trees = {turns: conversation(turns) for turns in TURNS}
    best = dict.fromkeys(TURNS, float("inf"))
    async with driven(opener, size=(120, 36)) as test:
        for _ in range(ROUNDS):
            for turns, tree in trees.items():
                await drawn(test, Tree(), opener)
                best[turns] = min(best[turns], await drawn(test, tree, opener))
        first, began = test.main.chat.turns[0], time.perf_counter()
        test.main.chat.show_earlier()
        await test.until(lambda: test.main.chat.turns[0] is not first)
        await test.pilot.pause()
        page = time.perf_counter() - began
    for turns, seconds in best.items():
        print(f"{turns:>6,} turns  {seconds:6.2f} s  {seconds / best[TURNS[0]]:5.2f}")
    print(f"a page further up  {page:6.2f} s")


if __name__ == "__main__":
    asyncio.run(main())
