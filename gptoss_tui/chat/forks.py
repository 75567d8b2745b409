"""Paths: the one that is shown after a move that asks nothing, and those that become conversations. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from gptoss_tui.chat.asking import edited
from gptoss_tui.chat.moves import EditAnswer, Fork, Shorten, Still, Switch
from gptoss_tui.chat.tree import Ending, Node, Tree, new_id
from gptoss_tui.errors import PromptError
from gptoss_tui.harmony.messages import Message


def forked(path: Sequence[Node]) -> Tree:
    """A tree of these nodes, one after the other; the head is the last one."""
    tree = Tree()
    for node in path:
        copy = replace(node, id=new_id(), parent=tree.head)
        tree.add(copy)
        tree.move(copy.id)
    return tree


def tree_of(messages: Sequence[Message], vocabulary: str) -> Tree:
    """A conversation that was kept as messages; `vocabulary` is the digest of the one that their ids belong to."""
    tree = Tree()
    for role, group in groupby(messages, lambda message: message.role):
        # One answer may be several messages; a prompt or a tool's answer is one.
        run = tuple(group)
        for part in (run,) if role == "assistant" else ((message,) for message in run):
            ending: Ending | None = None
            if role == "assistant":
                ending = "tool_call" if part[-1].is_call else "stop"
            tree.add(Node(new_id(), tree.head, role, part, vocabulary=vocabulary, ending=ending, created=time.time()))
            tree.move(tree.nodes[-1].id)
    return tree


def turns(path: Sequence[Node]) -> list[list[Node]]:
    """The path cut before each prompt of a person."""
    parts: list[list[Node]] = []
    for node in path:
        if node.role == "user" or not parts:
            parts.append([])
        parts[-1].append(node)
    return parts


def shortened(path: Sequence[Node], size: Callable[[Sequence[Node]], int], most: int) -> list[Node]:
    """The path without its oldest turns: as many of the newest as take no more than `most` tokens, one at least.

    `size` tells how many tokens a path takes. Raises `PromptError` where nothing can be left out.
    """
    parts = turns(path)
    if len(parts) < 2:
        turn = "one turn" if parts else "no turn yet"
        raise PromptError(
            f"There is nothing to leave out: the conversation has {turn}", "Begin a new conversation (/clear)."
        )
    # Fewer turns never take more tokens, so the place is found by halving.
    low, high = 1, len(parts) - 1
    while low < high:
        middle = (low + high) // 2
        if size(_joined(parts[middle:])) <= most:
            high = middle
        else:
            low = middle + 1
    return _joined(parts[low:])


def path_after(move: Still, tree: Tree, size: Callable[[Sequence[Node]], int], most: int) -> Sequence[Node]:
    """What is shown after a move that asks nothing; `size` and `most` are `shortened`'s. Raises `PromptError`."""
    match move:
        case Switch(node=node_id):
            return tree.path(tree.leaf_under(node_id).id)
        case Fork(node=node_id):
            if not (path := tree.path(node_id)):
                raise PromptError("There is nothing to fork", "Send a message first.")
            return path
        case Shorten():
            return shortened(tree.path(), size, most)
        case EditAnswer():
            answer = edited(move, tree)
            return (*(tree.path(answer.parent) if answer.parent is not None else ()), answer)


def _joined(parts: Sequence[Sequence[Node]]) -> list[Node]:
    return [node for part in parts for node in part]
