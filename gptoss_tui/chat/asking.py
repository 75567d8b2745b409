"""What a move asks of the model: which nodes it adds or grows, and the prompt. Looks at the tree, changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gptoss_tui.chat.answers import messages_of, readable, reopened, rewritten
from gptoss_tui.chat.moves import Asking, Edit, EditAnswer, GoOn, Retry, Send, SendResult
from gptoss_tui.chat.tree import CONTINUABLE, Node, Tree, new_id
from gptoss_tui.errors import PromptError
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Message

Render = Callable[[Sequence[Message]], list[int]]
"""A conversation's messages to the ids of a prompt, under its instructions, effort, tools and date."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A move, ready to be made."""

    prompt: Node | None
    """The node to add before the answer's; None where the answer's parent is there already."""
    answer: Node
    """The answer that begins: its `ending` is `writing`."""
    grows: bool
    """True where the answer's node is in the tree already."""
    ids: list[int]
    """The whole prompt."""
    begun: list[int]
    """What of it belongs to the answer already."""


def asked(move: Asking, tree: Tree, harmony: Harmony, render: Render) -> Asked:
    """What `move` asks. Raises `PromptError` where it cannot be made."""
    match move:
        case Send(text=text):
            return _asked(Message.user(_said(text)), tree.head, tree, harmony, render)
        case SendResult(text=text):
            call = tree[tree.head].messages[-1:] if tree.head is not None else ()
            if not call or not call[0].is_call or call[0].recipient is None:
                raise PromptError("No tool was called", "Send a message instead.")
            return _asked(Message.tool(call[0].recipient, text), tree.head, tree, harmony, render)
        case Edit(node=node_id, text=text):
            prompt = tree[node_id]
            if prompt.role != "user":
                raise PromptError("This is no prompt", "/edit changes what you asked, /answer what the model said.")
            return _asked(Message.user(_said(text)), prompt.parent, tree, harmony, render)
        case Retry(node=wanted):
            return _again(wanted, tree, harmony, render)
        case GoOn(node=wanted):
            return _gone_on(wanted, tree, harmony, render)
        case EditAnswer(text=text, node=wanted):
            answer = edited(move, tree)
            answer = replace(answer, vocabulary=harmony.vocabulary.digest, messages=readable(harmony, answer))
            opened = rewritten(answer, text.strip(), left_open=True)
            return _answered(answer, None, tree, harmony, render, opened=opened)


def edited(move: EditAnswer, tree: Tree) -> Node:
    """The new sibling of an answer, with the text that a person gave it. Raises `PromptError`."""
    answer = last_answer(tree, move.node)
    if not move.text.strip():
        raise PromptError("The answer is empty", "Write what the model is to have said.")
    messages = tuple(rewritten(answer, move.text.strip(), left_open=False))
    return Node(
        new_id(),
        answer.parent,
        "assistant",
        messages,
        vocabulary=answer.vocabulary,
        ending="stop",
        edited=True,
        created=time.time(),
    )


def last_answer(tree: Tree, node_id: str | None) -> Node:
    """The answer of this id, or the last one shown. Raises `PromptError` where there is none."""
    if node_id is not None:
        node = tree[node_id]
        if node.role != "assistant":
            raise PromptError("This is no answer", "Choose one of the model's answers.")
        return node
    for node in reversed(tree.path()):
        if node.role == "assistant":
            return node
    raise PromptError("There is no answer yet", "Send a message first.")


def _said(text: str) -> str:
    if not text.strip():
        raise PromptError("The message is empty", "Write something to answer.")
    return text


def _asked(message: Message, parent: str | None, tree: Tree, harmony: Harmony, render: Render) -> Asked:
    """A new prompt, and an answer to it."""
    prompt = Node(new_id(), parent, message.role, (message,), created=time.time())
    return _answered(_new_answer(prompt.id), prompt, tree, harmony, render)


def _again(wanted: str | None, tree: Tree, harmony: Harmony, render: Render) -> Asked:
    present: Node | None = None
    if wanted is not None and tree[wanted].role == "assistant":
        present = tree[wanted]
        parent = present.parent
    elif wanted is not None:
        parent = wanted
    else:
        path = tree.path()
        places = [place for place, node in enumerate(path) if node.role == "user"]
        if not places:
            raise PromptError("Nothing was asked yet", "Send a message first.")
        parent = path[places[-1]].id
        present = next(iter(path[places[-1] + 1 :]), None)
    if present is not None and present.role == "assistant" and not present.messages and not present.token_ids:
        # It wrote nothing: there is nothing to keep.
        return _answered(present, None, tree, harmony, render, grows=True)
    return _answered(_new_answer(parent), None, tree, harmony, render)


def _gone_on(wanted: str | None, tree: Tree, harmony: Harmony, render: Render) -> Asked:
    if wanted is None and tree.head is not None and tree[tree.head].role != "assistant":
        # A prompt that was never answered: all of the answer is still to come.
        return _answered(_new_answer(tree.head), None, tree, harmony, render)
    answer = last_answer(tree, wanted)
    if answer.ending == "tool_call":
        raise PromptError("The answer waits for a tool", "/retry asks again.")
    ended_by_model = answer.ending not in CONTINUABLE and (answer.token_ids or not answer.edited)
    if ended_by_model:
        raise PromptError(
            "The answer is complete: the model ended it", "/answer changes it, /retry asks again, or ask for more."
        )
    opened = reopened(harmony, answer)
    if tree.children(answer.id):
        # What follows was said to the answer as it is.
        answer = replace(answer, id=new_id(), created=time.time())
        return _answered(answer, None, tree, harmony, render, opened=opened)
    return _answered(answer, None, tree, harmony, render, opened=opened, grows=True)


def _new_answer(parent: str | None) -> Node:
    return Node(new_id(), parent, "assistant", (), created=time.time())


def _answered(
    answer: Node,
    prompt: Node | None,
    tree: Tree,
    harmony: Harmony,
    render: Render,
    *,
    opened: Sequence[Message] = (),
    grows: bool = False,
) -> Asked:
    """`opened` is what the answer has said so far, the last message open where it is to go on in it."""
    parent = answer.parent if prompt is None else prompt.parent
    before = messages_of(tree.path(parent) if parent is not None else (), harmony)
    if prompt is not None:
        before += prompt.messages
    ids = render([*before, *opened])
    # Its own prompt ends with the beginning of the answer's first header, and so an answer's ids follow it.
    begun = ids[len(render(before)) :] if opened else []
    answer = replace(
        answer, token_ids=tuple(begun), vocabulary=harmony.vocabulary.digest, ending="writing", figures=None
    )
    return Asked(prompt, answer, grows, ids, begun)
