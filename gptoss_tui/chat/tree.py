"""A conversation as a tree: every prompt and every answer is a node, and what is shown is the path to one of them.

Nothing that was said goes away: an edit, a retry or another answer is a sibling of what was there, and moving about is
choosing another head. Values and moves only: knows no engine, no session and no file.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import PromptError
from gptoss_tui.harmony.messages import Message, Role

Ending = Literal["writing", "stop", "length", "context", "interrupted", "tool_call", "fault"]
"""How an answer ended; `writing` while it has not. The others are a turn's reasons, and `fault` where a fault ended
it."""

CONTINUABLE: frozenset[Ending] = frozenset({"writing", "length", "context", "interrupted", "fault"})
"""Endings after which the model has more to say. `writing` is found where a process died over its answer."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How an answer came about, as the engine told it. Of one that was continued: all of its tokens, the last times."""

    model: str
    """The model's name."""
    params: SamplingParams
    """What chose its last token; the seed is the one in use."""
    prompt_tokens: int
    reused_tokens: int
    """Prompt tokens that needed no prefill."""
    completion_tokens: int
    """Tokens written, headers and stop token included."""
    ttft_s: float
    """Seconds to the first token; NaN without one."""
    prefill_tps: float
    """Prompt tokens read a second; NaN where nothing was prefilled."""
    decode_tps: float
    """Tokens a second after the first; NaN with fewer than two."""


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a conversation: what a person asked, what a tool said, or one whole answer."""

    id: str
    """uuid4, as 32 hexadecimal digits."""
    parent: str | None
    """The node that it follows; None at the beginning of the conversation."""
    role: Role
    messages: tuple[Message, ...]
    """As they go into the next prompt. An answer may have several, such as analysis and final; none where it wrote
    nothing."""
    token_ids: tuple[int, ...] = ()
    """An answer's ids as the model wrote them, headers and stop token included; empty for a prompt, and for an answer
    that a person wrote."""
    vocabulary: str = ""
    """The digest of the vocabulary that its ids, also those in the messages, belong to; empty where it has none."""
    ending: Ending | None = None
    """How an answer ended; None for a prompt."""
    figures: Figures | None = None
    """None for a prompt, and for an answer that the model did not write or has not finished."""
    edited: bool = False
    """True for an answer that a person changed."""
    created: float = 0.0
    """Unix time in seconds."""

    @property
    def text(self) -> str:
        """What was said to the other one: the prompt, or the answer's final channel."""
        told = (m.text for m in self.messages if self.role != "assistant" or m.channel in ("final", None))
        return "\n\n".join(text for text in told if text)

    @property
    def thinking(self) -> str:
        """An answer's analysis."""
        return "\n\n".join(m.text for m in self.messages if m.role == "assistant" and m.channel == "analysis")


def new_id() -> str:
    """An id for a node or a conversation."""
    return uuid.uuid4().hex


class Tree:
    """The nodes of one conversation in order of creation, and the head: the last node of what is shown."""

    def __init__(
        self, nodes: Iterable[Node] = (), head: str | None = None, looked: Mapping[str | None, str] | None = None
    ) -> None:
        """`nodes`, parents before children; `head` is one of them, or None before the beginning.

        `looked` is what another tree's `looked` was. Raises `ValueError` where a parent or the head is missing.
        """
        self._nodes: dict[str, Node] = {}
        self._children: dict[str | None, list[str]] = {None: []}
        self._looked: dict[str | None, str] = {}
        self._head: str | None = None
        for node in nodes:
            self.add(node)
        self._looked = {parent: child for parent, child in (looked or {}).items() if child in self._nodes}
        self.move(head)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node, in order of creation."""
        return tuple(self._nodes.values())

    @property
    def head(self) -> str | None:
        """The last node of the path; None where the path is empty."""
        return self._head

    @property
    def looked(self) -> dict[str | None, str]:
        """For each node (None: the beginning) the child that was on the path last. What `leaf_under` goes by."""
        return dict(self._looked)

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node_id: str | None) -> bool:
        return node_id in self._nodes

    def __getitem__(self, node_id: str) -> Node:
        """The node of this id. Raises `PromptError` where there is none: ids come from people and from screens."""
        node = self._nodes.get(node_id)
        if node is None:
            raise PromptError("There is no such place in this conversation", "/tree shows what there is.")
        return node

    def path(self, to: str | None = None) -> tuple[Node, ...]:
        """The nodes from the beginning to `to`, itself included; to the head where that is None."""
        at = self._head if to is None else self[to].id
        backwards: list[Node] = []
        while at is not None:
            node = self._nodes[at]
            backwards.append(node)
            at = node.parent
        return tuple(reversed(backwards))

    def children(self, node_id: str | None) -> tuple[Node, ...]:
        """What follows a node, in order of creation; None: the conversation's beginnings."""
        return tuple(self._nodes[child] for child in self._children.get(node_id, ()))

    def siblings(self, node_id: str) -> tuple[Node, ...]:
        """The node and whatever stands at the same place, in order of creation."""
        return self.children(self[node_id].parent)

    def leaf_under(self, node_id: str) -> Node:
        """Where the path through this node went when it was last looked at; its newest child where it never was."""
        node = self[node_id]
        while children := self._children[node.id]:
            node = self._nodes[self._looked.get(node.id, children[-1])]
        return node

    def add(self, node: Node) -> None:
        """A new node; the head stays. Raises `ValueError` for an id that is taken and for a parent that is missing."""
        if node.id in self._nodes:
            raise ValueError(f"node {node.id} is there already")
        if node.parent is not None and node.parent not in self._nodes:
            raise ValueError(f"node {node.id} follows {node.parent}, which is not there")
        self._nodes[node.id] = node
        self._children[node.id] = []
        self._children[node.parent].append(node.id)

    def replace(self, node: Node) -> None:
        """The same node with other contents. Raises `ValueError` where it is not there, or stands somewhere else."""
        present = self._nodes.get(node.id)
        if present is None or present.parent != node.parent:
            raise ValueError(f"node {node.id} is not there")
        self._nodes[node.id] = node

    def move(self, head: str | None) -> None:
        """Makes `head` the last node of the path; None: before the beginning. Raises `ValueError` for one not there."""
        if head is not None and head not in self._nodes:
            raise ValueError(f"node {head} is not there")
        self._head = head
        while head is not None:
            parent = self._nodes[head].parent
            self._looked[parent] = head
            head = parent
