"""An answer's messages: as they go into the conversation, and as they are opened again to be gone on with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gptoss_tui.chat.tree import Figures, Node
from gptoss_tui.chat.turn import Turn
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Channel, Message


def folded(written: Sequence[Message]) -> list[Message]:
    """An answer as it goes into the conversation.

    Only the assistant's own words: a question or a tool's answer that the model made up is left out. A message that was
    cut off is closed, unless it is analysis or half a tool call: these nobody was told, so they stay open, and prompts
    leave them out. Text outside all channels is the answer where there is no other; otherwise it is put with the
    analysis.
    """
    messages: list[Message] = []
    for message in _own(written):
        if not message.complete and message.is_call:
            message = replace(message, channel="analysis", recipient=None, constrain=None)
        if not message.complete and message.channel != "analysis":
            message = replace(message, complete=True)
            if not message.text:
                continue
        messages.append(message)
    return messages


def reopened(harmony: Harmony, node: Node) -> list[Message]:
    """An answer as the prompt that goes on with it holds it: what was being written when it ended is open.

    Where it ended between two messages, all of them are whole, and the model begins the next one.
    """
    if node.token_ids and node.vocabulary == harmony.vocabulary.digest:
        written = parsed(harmony, node.token_ids)
        return [*_own(written)] if written and written[-1].role == "assistant" else [*folded(written)]
    messages = [*readable(harmony, node)]
    if messages and not messages[-1].is_call:
        messages[-1] = replace(messages[-1], complete=False)
    return messages


def rewritten(node: Node, text: str, *, left_open: bool) -> list[Message]:
    """An answer with another final text: what was thought before it stays as it was."""
    thought = [replace(message, complete=True) for message in node.messages if message.channel == "analysis"]
    return [*thought, replace(Message.assistant(text), complete=not left_open)]


def readable(harmony: Harmony, node: Node) -> tuple[Message, ...]:
    """A node's messages for a model with this vocabulary: ids of another one mean nothing to it."""
    if node.vocabulary == harmony.vocabulary.digest:
        return node.messages
    return tuple(replace(message, token_ids=None) for message in node.messages)


def recovered(harmony: Harmony, node: Node) -> Node:
    """An answer that was being written when the program ended: as if it had been stopped there."""
    if not node.token_ids or node.vocabulary != harmony.vocabulary.digest:
        return replace(node, ending="interrupted")
    return replace(node, ending="interrupted", messages=tuple(folded(parsed(harmony, node.token_ids))))


def messages_of(path: Sequence[Node], harmony: Harmony) -> list[Message]:
    """The messages of a path for a model with this vocabulary."""
    return [message for node in path for message in readable(harmony, node)]


def ended(node: Node, turn: Turn, written: Sequence[Message], model: str) -> Node:
    """The node of an answer whose last event was taken: with what was written, and how it ended."""
    finished = turn.finished
    ids = turn.written()
    figures = None
    if finished is not None:
        told = finished.finished
        figures = Figures(
            model=model,
            params=replace(turn.params, seed=told.seed),
            prompt_tokens=told.prompt_tokens,
            reused_tokens=told.reused_tokens,
            completion_tokens=len(ids),
            ttft_s=told.ttft_s,
            prefill_tps=told.prefill_tps,
            decode_tps=told.decode_tps,
        )
    return replace(
        node,
        messages=tuple(folded(written)),
        token_ids=ids,
        ending="fault" if finished is None else finished.reason,
        figures=figures,
    )


def parsed(harmony: Harmony, token_ids: Sequence[int]) -> list[Message]:
    """The messages that these ids, which follow `<|start|>assistant`, have written."""
    parser = harmony.parser()
    for token_id in token_ids:
        parser.feed(token_id)
    return parser.finish()


def _own(written: Sequence[Message]) -> list[Message]:
    """The assistant's messages, each in a channel."""
    own = [message for message in written if message.role == "assistant"]
    answered = any(message.channel == "final" or message.is_call for message in own)
    beside: Channel = "analysis" if answered else "final"
    placed = (replace(m, channel="commentary" if m.is_call else beside) if m.channel is None else m for m in own)
    return list(placed)
