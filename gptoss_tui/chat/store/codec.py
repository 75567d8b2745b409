"""Conversations as plain JSON values and back, exactly: what a file carries from one machine to another.

Reading trusts nothing: a value of the wrong kind is a `TransferError` that says where it stands. Knows no file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.store.packing import LARGEST_ID
from gptoss_tui.chat.tree import Ending, Figures, Node, Tree
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import GptOssError
from gptoss_tui.harmony.messages import CHANNELS, EFFORTS, Message, Role

FORMAT = "gptoss-conversation"
VERSION = 1

_ROLES = get_args(Role)
_ENDINGS = get_args(Ending)
_LONGEST_ID = 64

Json = dict[str, Any]


class TransferError(GptOssError):
    """A file that is no conversation of ours."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One whole conversation."""

    conversation: Conversation
    tree: Tree
    updated: float = 0.0
    """Unix seconds."""


def to_json(archive: Archive) -> Json:
    """The conversation as JSON values; NaN, which JSON lacks, is null."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "conversation": {
            **asdict(archive.conversation),
            "updated": archive.updated,
            "head": archive.tree.head,
            "looked": list(archive.tree.looked.values()),
        },
        "nodes": [node_to_json(node) for node in archive.tree.nodes],
    }


def node_to_json(node: Node) -> Json:
    """One node, its fields by name."""
    return {
        "id": node.id,
        "parent": node.parent,
        "role": node.role,
        "messages": [_message_to_json(message) for message in node.messages],
        "token_ids": list(node.token_ids),
        "vocabulary": node.vocabulary,
        "ending": node.ending,
        "figures": None if node.figures is None else figures_to_json(node.figures),
        "edited": node.edited,
        "created": node.created,
    }


def _message_to_json(message: Message) -> Json:
    ids = message.token_ids
    return {**asdict(message), "token_ids": None if ids is None else list(ids)}


def figures_to_json(figures: Figures) -> Json:
    """How an answer came about; NaN is null."""
    fields = asdict(figures)
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in fields.items()}


def from_json(value: object) -> Archive:
    """What `to_json` made. Raises `TransferError`."""
    top = _Fields(value, "the file")
    if top.fields.get("format") != FORMAT:
        raise TransferError("This is no conversation of gptoss", "`gptoss sessions export --json` writes such files.")
    if top.whole("version") > VERSION:
        raise TransferError("A newer gptoss has written this conversation", "Update gptoss.")
    told = _Fields(top.fields.get("conversation"), "conversation")
    conversation = Conversation(
        id=told.id("id"),
        title=told.text("title"),
        instructions=told.maybe_text("instructions"),
        effort=told.choice("effort", EFFORTS),
        date=told.text("date"),
        model=told.text("model"),
        vocabulary=told.text("vocabulary"),
        params=params_from_json(told.fields.get("params"), "conversation.params"),
        created=told.number("created"),
        origin=told.maybe_id("origin"),
    )
    nodes = [node_from_json(node, f"nodes[{place}]") for place, node in enumerate(top.list("nodes"))]
    parents = {node.id: node.parent for node in nodes}
    looked = [_id(child, "conversation.looked") for child in told.list("looked")]
    try:
        tree = Tree(nodes, told.maybe_id("head"), {parents[child]: child for child in looked if child in parents})
    except ValueError as fault:
        raise TransferError(f"The conversation is no tree: {fault}", _HINT) from fault
    return Archive(conversation, tree, told.number("updated"))


def node_from_json(value: object, where: str = "node") -> Node:
    """What `node_to_json` made. Raises `TransferError`."""
    told = _Fields(value, where)
    ending = told.fields.get("ending")
    figures = told.fields.get("figures")
    return Node(
        id=told.id("id"),
        parent=told.maybe_id("parent"),
        role=told.choice("role", _ROLES),
        messages=tuple(_message(each, f"{where}.messages[{at}]") for at, each in enumerate(told.list("messages"))),
        token_ids=told.ids("token_ids"),
        vocabulary=told.text("vocabulary"),
        ending=None if ending is None else told.choice("ending", _ENDINGS),
        figures=None if figures is None else figures_from_json(figures, f"{where}.figures"),
        edited=told.truth("edited"),
        created=told.number("created"),
    )


def _message(value: object, where: str) -> Message:
    told = _Fields(value, where)
    channel = told.fields.get("channel")
    return Message(
        role=told.choice("role", _ROLES),
        text=told.text("text"),
        channel=None if channel is None else told.choice("channel", CHANNELS),
        recipient=told.maybe_text("recipient"),
        name=told.maybe_text("name"),
        constrain=told.maybe_text("constrain"),
        token_ids=None if told.fields.get("token_ids") is None else told.ids("token_ids"),
        complete=told.truth("complete"),
    )


def figures_from_json(value: object, where: str = "figures") -> Figures:
    """What `figures_to_json` made. Raises `TransferError`."""
    told = _Fields(value, where)
    return Figures(
        model=told.text("model"),
        params=params_from_json(told.fields.get("params"), f"{where}.params"),
        prompt_tokens=told.whole("prompt_tokens"),
        reused_tokens=told.whole("reused_tokens"),
        completion_tokens=told.whole("completion_tokens"),
        ttft_s=told.number("ttft_s", nan=True),
        prefill_tps=told.number("prefill_tps", nan=True),
        decode_tps=told.number("decode_tps", nan=True),
    )


def params_from_json(value: object, where: str = "params") -> SamplingParams:
    """Sampling parameters from their fields by name. Raises `TransferError`."""
    told = _Fields(value, where)
    try:
        return SamplingParams(**told.fields)
    except (TypeError, GptOssError) as fault:
        raise TransferError(f"{where}: {fault}", _HINT) from fault


_HINT = "The file is damaged, or something else has written it."


def _wrong(where: str, wanted: str) -> TransferError:
    return TransferError(f"{where} is not {wanted}", _HINT)


def _id(value: object, where: str) -> str:
    # An id is a name only, but it goes into file names, command lines and screens.
    plain = isinstance(value, str) and value.isascii() and value.replace("-", "").isalnum()
    if not plain or len(str(value)) > _LONGEST_ID:
        raise _wrong(where, "an id")
    return str(value)


class _Fields:
    """An object of the file, and where it stands."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise _wrong(where, "an object")
        self.fields: Mapping[str, Any] = value
        self._where = where

    def _get(self, name: str, kinds: tuple[type, ...], wanted: str) -> Any:
        value = self.fields.get(name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise _wrong(f"{self._where}.{name}", wanted)
        return value

    def text(self, name: str) -> str:
        return str(self._get(name, (str,), "text"))

    def maybe_text(self, name: str) -> str | None:
        return None if self.fields.get(name) is None else self.text(name)

    def id(self, name: str) -> str:
        return _id(self.fields.get(name), f"{self._where}.{name}")

    def maybe_id(self, name: str) -> str | None:
        return None if self.fields.get(name) is None else self.id(name)

    def choice(self, name: str, choices: Sequence[str]) -> Any:
        value = self.text(name)
        if value not in choices:
            raise _wrong(f"{self._where}.{name}", f"one of {', '.join(choices)}")
        return value

    def truth(self, name: str) -> bool:
        return bool(self._get(name, (bool,), "true or false"))

    def whole(self, name: str) -> int:
        value: int = self._get(name, (int,), "a whole number")
        if not -(2**63) <= value < 2**63:
            raise _wrong(f"{self._where}.{name}", "a whole number of 64 bits")
        return value

    def number(self, name: str, *, nan: bool = False) -> float:
        if nan and self.fields.get(name) is None:
            return math.nan
        value = float(self._get(name, (int, float), "a number"))
        if not math.isfinite(value):
            raise _wrong(f"{self._where}.{name}", "a finite number")
        return value

    def list(self, name: str) -> Sequence[object]:
        value: Sequence[object] = self._get(name, (list,), "a list")
        return value

    def ids(self, name: str) -> tuple[int, ...]:
        ids = self.list(name)
        if not all(type(each) is int and 0 <= each <= LARGEST_ID for each in ids):
            raise _wrong(f"{self._where}.{name}", "a list of token ids")
        return tuple(each for each in ids if isinstance(each, int))
