"""Conversations as files: JSON for programs, with every branch and id; Markdown for people, the path that is shown.

Both are read back: JSON exactly, Markdown as a new conversation of the same texts. Knows no database.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.store.codec import Archive, TransferError, from_json, to_json
from gptoss_tui.chat.tree import Ending, Node, Tree, new_id
from gptoss_tui.harmony.messages import Message
from gptoss_tui.visible import visible_json

# Invisible where Markdown is rendered. A line of somebody's text that looks like one gets a colon more.
_MARK = re.compile(r"<!-- gptoss:(?P<more>:*) (?P<kind>user|tool|thinking|answer|call)(?: (?P<name>\S+))? -->")


def as_json(archive: Archive) -> str:
    """The whole conversation as one line of JSON, its end included."""
    line = json.dumps(to_json(archive), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return visible_json(line) + "\n"


def as_markdown(archive: Archive) -> str:
    """What is shown of the conversation: the path to its head. Texts are as they were said."""
    conversation = archive.conversation
    lines = [f"# {_one_line(conversation.title) or 'Conversation'}", ""]
    about = [conversation.model, f"effort {conversation.effort}", conversation.date]
    lines += [" · ".join(_one_line(each) for each in about if each), ""]
    if conversation.instructions:
        lines += ["Instructions:", "", *(f"> {line}" for line in conversation.instructions.splitlines()), ""]
    for node in archive.tree.path():
        for kind, name, heading, text in _parts(node):
            mark = f"<!-- gptoss: {kind}{f' {name}' if name else ''} -->"
            lines += [mark, f"## {heading}", "", *(_escaped(line) for line in text.split("\n")), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _parts(node: Node) -> Iterator[tuple[str, str, str, str]]:
    """(kind, name, heading, text) of each thing that a node says."""
    if not node.messages and node.role == "assistant":
        yield "answer", "", "Answer", f"({len(node.token_ids):,} tokens)" if node.token_ids else "(nothing)"
    for message in node.messages:
        name = _name(message.recipient or message.name or "")
        if message.role == "user":
            yield "user", "", "You", message.text
        elif message.role == "tool":
            yield "tool", name, f"{name or 'Tool'} answers", message.text
        elif message.is_call:
            yield "call", name, f"Call of {name}", message.text
        elif message.channel == "analysis":
            yield "thinking", "", "Thinking", message.text
        else:
            yield "answer", "", "Answer", message.text


def _name(name: str) -> str:
    return re.sub(r"\s+|-->", "-", name)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(line: str) -> str:
    return line.replace("<!-- gptoss:", "<!-- gptoss::", 1) if _MARK.fullmatch(line) else line


def _unescaped(line: str) -> str:
    return line.replace("<!-- gptoss::", "<!-- gptoss:", 1) if _MARK.fullmatch(line) else line


def read_file(file: Path) -> list[Archive]:
    """The conversations in a file. Raises `TransferError`, with the file's name."""
    try:
        return read(file.read_bytes().decode("utf-8", "surrogatepass"))
    except OSError as fault:
        raise TransferError(f"{file} cannot be read: {fault.strerror}", "Check the name.") from fault
    except UnicodeDecodeError as fault:
        raise TransferError(f"{file} is no text", "`gptoss sessions export` writes what can be read here.") from fault
    except TransferError as fault:
        raise TransferError(f"{file}: {fault.message}", fault.hint) from fault


def read(text: str) -> list[Archive]:
    """The conversations in a file that was written here: JSON, one a line, or Markdown. Raises `TransferError`."""
    if not text.strip():
        raise TransferError("The file is empty", "`gptoss sessions export` writes what can be read here.")
    if not text.lstrip().startswith("{"):
        return [_from_markdown(text)]
    try:
        # As it was written, or set out over several lines by another program.
        return [from_json(json.loads(text))]
    except json.JSONDecodeError:
        pass
    archives: list[Archive] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                archives.append(from_json(json.loads(line)))
            except json.JSONDecodeError as fault:
                raise TransferError(f"Line {number} is no JSON: {fault}", "The file is damaged.") from fault
    return archives


def _from_markdown(text: str) -> Archive:
    lines = text.split("\n")
    starts = [at for at, line in enumerate(lines) if (mark := _MARK.fullmatch(line)) and not mark["more"]]
    if not starts:
        raise TransferError(
            "This is no conversation of gptoss",
            "`gptoss sessions export` writes what can be read here, JSON or Markdown.",
        )
    head = lines[: starts[0]]
    title = next((line.removeprefix("# ") for line in head if line.startswith("# ")), "")
    quoted = [line.removeprefix(">").removeprefix(" ") for line in head if line.startswith(">")]
    nodes: list[Node] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        mark = _MARK.fullmatch(lines[start])
        assert mark is not None
        body = [_unescaped(line) for line in lines[start + 1 : end]]
        if body[:1] and body[0].startswith("## "):
            body = body[1:]
        _append(nodes, mark["kind"], mark["name"] or "", "\n".join(body).strip("\n"))
    tree = Tree(nodes, nodes[-1].id)
    conversation = Conversation(
        new_id(),
        "" if title == "Conversation" else title,
        instructions="\n".join(quoted) or None,
        date=time.strftime("%Y-%m-%d"),
        created=time.time(),
    )
    return Archive(conversation, tree, time.time())


def _append(nodes: list[Node], kind: str, name: str, text: str) -> None:
    """Adds a message; an answer's parts make one node."""
    message = {
        "user": Message.user(text),
        "tool": Message.tool(name, text),
        "thinking": Message.assistant(text, "analysis"),
        "call": Message.assistant(text, "commentary", recipient=name),
        "answer": Message.assistant(text),
    }[kind]
    last = nodes[-1] if nodes else None
    if last is not None and message.role == last.role == "assistant" and last.messages[-1].channel == "analysis":
        nodes[-1] = _answer(last.id, last.parent, (*last.messages, message))
    elif message.role == "assistant":
        nodes.append(_answer(new_id(), last.id if last else None, (message,)))
    else:
        nodes.append(Node(new_id(), last.id if last else None, message.role, (message,), created=time.time()))


def _answer(node_id: str, parent: str | None, messages: Sequence[Message]) -> Node:
    ending: Ending = "tool_call" if messages[-1].is_call else "stop"
    return Node(node_id, parent, "assistant", tuple(messages), ending=ending, created=time.time())
