"""Random conversations for hypothesis, and small ones by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.tree import Figures, Node, Tree, new_id
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import CHANNELS, EFFORTS, Message

# Whatever a person pastes and a model writes: controls, NULs, lone surrogates, scripts, emoji.
ODD = ["", "\0", "\ud800", "\x1b]0;x\x07", "日本語のテキスト", "a\r\nb"]
texts = st.text(st.characters(), max_size=40) | st.sampled_from(ODD)
token_ids = st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 300), max_size=20).map(tuple)
ids = st.text("0123456789abcdef", min_size=32, max_size=32)
times = st.floats(0, 2e9, allow_nan=False)
speeds = st.floats(0, 1e6) | st.just(math.nan)
endings = st.none() | st.sampled_from(["stop", "length", "context", "interrupted", "tool_call", "fault"])

params: st.SearchStrategy[SamplingParams] = st.builds(
    SamplingParams,
    temperature=st.floats(0, 5),
    top_p=st.floats(0.01, 1),
    top_k=st.integers(0, 100),
    min_p=st.floats(0, 1),
    repetition_penalty=st.floats(0.1, 10),
    seed=st.none() | st.integers(0, 2**63 - 1),
)
messages: st.SearchStrategy[Message] = st.builds(
    Message,
    role=st.sampled_from(["user", "assistant", "tool"]),
    text=texts,
    channel=st.none() | st.sampled_from(CHANNELS),
    recipient=st.none() | texts,
    name=st.none() | texts,
    constrain=st.none() | texts,
    token_ids=st.none() | token_ids,
    complete=st.booleans(),
)
figures: st.SearchStrategy[Figures] = st.builds(
    Figures,
    model=texts,
    params=params,
    prompt_tokens=st.integers(0, 10**6),
    reused_tokens=st.integers(0, 10**6),
    completion_tokens=st.integers(0, 10**6),
    ttft_s=speeds,
    prefill_tps=speeds,
    decode_tps=speeds,
)
conversations: st.SearchStrategy[Conversation] = st.builds(
    Conversation,
    id=ids,
    title=texts,
    instructions=st.none() | texts,
    effort=st.sampled_from(EFFORTS),
    date=st.dates().map(str),
    model=texts,
    vocabulary=texts,
    params=params,
    created=times,
    origin=st.none() | ids,
)


@st.composite
def trees(draw: Callable[..., Any]) -> Tree:
    """A tree of a few nodes in which somebody has looked about."""
    nodes: list[Node] = []
    for node_id in draw(st.lists(ids, max_size=8, unique=True)):
        nodes.append(
            Node(
                id=node_id,
                parent=draw(st.none() | st.sampled_from([node.id for node in nodes])) if nodes else None,
                role=draw(st.sampled_from(["user", "assistant", "tool"])),
                messages=tuple(draw(st.lists(messages, max_size=3))),
                token_ids=draw(token_ids),
                vocabulary=draw(texts),
                ending=draw(endings),
                figures=draw(st.none() | figures),
                edited=draw(st.booleans()),
                created=draw(times),
            )
        )
    tree = Tree(nodes)
    for _ in range(draw(st.integers(0, 3))):
        tree.move(draw(st.none() | st.sampled_from([node.id for node in nodes])) if nodes else None)
    return tree


archives: st.SearchStrategy[Archive] = st.builds(Archive, conversation=conversations, tree=trees(), updated=times)


def parts(archive: Archive) -> tuple[str, ...]:
    """All of it, to be compared: as text, since NaN equals nothing."""
    tree = archive.tree
    return tuple(map(repr, (archive.conversation, tree.nodes, tree.head, sorted(map(repr, tree.looked.items())))))


def small(title: str = "A talk", *said: str) -> Archive:
    """A conversation of prompts and answers in turn."""
    nodes: list[Node] = []
    for place, text in enumerate(said or ("Hello?", "Hello there")):
        asked = place % 2 == 0
        message = Message.user(text) if asked else Message.assistant(text)
        nodes.append(
            Node(
                new_id(),
                nodes[-1].id if nodes else None,
                "user" if asked else "assistant",
                (message,),
                token_ids=() if asked else tuple(range(200_000, 200_000 + len(text))),
                vocabulary="v",
                ending=None if asked else "stop",
                created=float(place),
            )
        )
    conversation = Conversation(new_id(), title, date="2026-01-01", model="tiny", created=1.0)
    return Archive(conversation, Tree(nodes, nodes[-1].id))
