"""The tree of a conversation as lines of text, and the numbers that name its nodes: #1 was said first. Pure."""

from __future__ import annotations

from gptoss_tui.chat import format
from gptoss_tui.chat.attach import prompt_of
from gptoss_tui.chat.tree import Node, Tree
from gptoss_tui.errors import ParameterError

_ENDINGS = {
    "writing": "being written",
    "length": "cut off",
    "context": "cut off: the context was full",
    "interrupted": "stopped",
    "tool_call": "waits for a tool",
    "fault": "ended by a fault",
}
_WIDEST = 60


def labelled(tree: Tree, label: str) -> Node:
    """The node that `#7` or `7` names. Raises `ParameterError`."""
    nodes = tree.nodes
    number = label.strip().removeprefix("#")
    if not number.isdecimal() or not 1 <= int(number) <= len(nodes):
        raise ParameterError(f"There is no {label.strip()!r} in this conversation", "/tree shows the numbers.")
    return nodes[int(number) - 1]


def summary(node: Node) -> str:
    """What a node says, in one line."""
    said = prompt_of(node.text) if node.role == "user" else node.text or node.thinking
    who = {"user": "You", "assistant": "gpt-oss", "tool": "Tool"}[node.role]
    notes = ", ".join(filter(None, (_ENDINGS.get(node.ending or ""), "changed by you" if node.edited else "")))
    return f"{who}: {format.title(said, _WIDEST) or 'nothing'}{f' ({notes})' if notes else ''}"


def branches_text(tree: Tree, node: Node) -> str:
    """A node and its siblings, one a line; the one that is shown is marked."""
    lines = (
        f"{'→' if each.id == node.id else ' '} {number}  {summary(each)}"
        for number, each in enumerate(tree.siblings(node.id), 1)
    )
    return "\n".join(lines)


def tree_text(tree: Tree) -> str:
    """Every node on a line with its number; what is shown is marked with an arrow."""
    numbers = {node.id: number for number, node in enumerate(tree.nodes, 1)}
    shown = {node.id for node in tree.path()}
    wide = len(str(len(numbers))) + 1
    lines: list[str] = []
    # (node, what stands before its line, what stands before the lines under it); a stack, as talks may be long.
    waiting = _branched(tree.children(None), "")
    while waiting:
        node, before, under = waiting.pop()
        mark = "→" if node.id in shown else " "
        lines.append(f"{mark} {f'#{numbers[node.id]}':<{wide}} {before}{summary(node)}")
        waiting += _branched(tree.children(node.id), under)
    return "\n".join(lines)


def _branched(nodes: tuple[Node, ...], under: str) -> list[tuple[Node, str, str]]:
    """The nodes at one place, the last one first; only where there are several do they step in."""
    if len(nodes) == 1:
        return [(nodes[0], under, under)]
    last = len(nodes) - 1
    return [
        (node, f"{under}{'└─' if at == last else '├─'} ", f"{under}{'   ' if at == last else '│  '}")
        for at, node in reversed(list(enumerate(nodes)))
    ]
