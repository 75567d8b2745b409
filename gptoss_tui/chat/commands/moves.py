"""The commands that move about in a conversation. Before the model is asked, what that costs is told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gptoss_tui.chat.attach import prompt_of, with_files
from gptoss_tui.chat.choices import Choice
from gptoss_tui.chat.commands.command import Command, FrontEnd
from gptoss_tui.chat.commands.treetext import branches_text, labelled, tree_text
from gptoss_tui.chat.moves import Edit, EditAnswer, Fork, GoOn, Move, Retry, Send, Shorten, Switch
from gptoss_tui.chat.session import Session
from gptoss_tui.chat.tree import Node
from gptoss_tui.errors import EngineBusy, ParameterError, PromptError


def _clear(session: Session, front_end: FrontEnd, arguments: str) -> None:
    session.clear()
    front_end.moved()


def _retry(session: Session, front_end: FrontEnd, arguments: str) -> None:
    _make(Retry(), session, front_end)


def _go_on(session: Session, front_end: FrontEnd, arguments: str) -> None:
    _make(GoOn(), session, front_end)


def _stop(session: Session, front_end: FrontEnd, arguments: str) -> None:
    if session.turn is None:
        front_end.notify("Nothing is being written.")
    session.interrupt()


def _edit(session: Session, front_end: FrontEnd, arguments: str) -> None:
    match = re.match(r"(\d+)(?:\s+|\Z)", arguments)
    number = int(match[1]) if match else 1
    text = arguments[match.end() :] if match else arguments
    prompt = _prompt(session, number)
    if text.strip():
        _make(Edit(prompt.id, with_files(text, session, before=prompt.text)), session, front_end)
    else:
        front_end.fill(f"/edit {number} {prompt_of(prompt.text)}")


def _edit_answer(session: Session, front_end: FrontEnd, arguments: str) -> None:
    text = arguments.strip()
    if not text:
        answers = [node for node in session.path if node.role == "assistant"]
        if not answers:
            raise PromptError("There is no answer yet", "Send a message first.")
        front_end.fill(f"/answer {answers[-1].text}")
        return
    open_end = next((end for end in ("...", "…") if text.endswith(end)), "")
    _make(EditAnswer(text.removesuffix(open_end), go_on=bool(open_end)), session, front_end)


def _branch(session: Session, front_end: FrontEnd, arguments: str) -> None:
    wanted = arguments.strip().lower()
    if wanted.startswith("#"):
        _make(Switch(labelled(session.tree, wanted).id), session, front_end)
        return
    forks = [node for node in session.path if len(session.tree.siblings(node.id)) > 1]
    if not forks:
        raise PromptError("There is only one branch", "/retry and /edit make others; /tree shows all there is.")
    present = forks[-1]
    siblings = session.tree.siblings(present.id)
    at = siblings.index(present)
    if not wanted:
        front_end.show(branches_text(session.tree, present))
        return
    if wanted in ("next", "prev"):
        at = (at + (1 if wanted == "next" else -1)) % len(siblings)
    elif wanted.isdecimal() and 1 <= int(wanted) <= len(siblings):
        at = int(wanted) - 1
    else:
        raise ParameterError(
            f"There is no branch {arguments.strip()!r}",
            f"Give next, prev, 1 to {len(siblings)}, or a #number of /tree.",
        )
    _make(Switch(siblings[at].id), session, front_end)


def _tree(session: Session, front_end: FrontEnd, arguments: str) -> None:
    if not session.path:
        raise PromptError("The conversation is empty", "Send a message first.")
    front_end.show(tree_text(session.tree))


def _fork(session: Session, front_end: FrontEnd, arguments: str) -> None:
    wanted = arguments.strip()
    _make(Fork(labelled(session.tree, wanted).id if wanted else None), session, front_end)


def _shorten(session: Session, front_end: FrontEnd, arguments: str) -> None:
    _make(Shorten(), session, front_end)


def _cost(session: Session, front_end: FrontEnd, arguments: str) -> None:
    if arguments.strip():
        plan = session.plan(Send(with_files(arguments, session)))
        front_end.notify(f"{len(plan.ids):,} of {plan.context:,} tokens: {plan.cost}")
        return
    lines = [f"a new prompt: {session.ahead().cost}, and the prompt itself"]
    for name, move in _likely(session):
        try:
            lines.append(f"{name}: {session.plan(move).cost}")
        except PromptError:
            # What cannot be done now is not listed.
            continue
    front_end.show("\n".join(lines))


def _likely(session: Session) -> Iterable[tuple[str, Move]]:
    yield "/retry", Retry()
    yield "/continue", GoOn()
    prompts = [node for node in session.path if node.role == "user"]
    if prompts:
        yield "/edit", Edit(prompts[-1].id, prompts[-1].text)
        yield f"/edit {len(prompts)}, the first prompt", Edit(prompts[0].id, prompts[0].text)
    forks = [node for node in session.path if len(session.tree.siblings(node.id)) > 1]
    if forks:
        siblings = session.tree.siblings(forks[-1].id)
        yield "/branch next", Switch(siblings[(siblings.index(forks[-1]) + 1) % len(siblings)].id)
    yield "/fork", Fork()
    yield "/shorten", Shorten()


def _make(move: Move, session: Session, front_end: FrontEnd) -> None:
    """Tells the cost and makes the move; what cannot be made is refused before anything is told."""
    if session.turn is not None and not session.turn.over:
        raise EngineBusy("An answer is being written", "Stop it first (/stop).")
    plan = session.plan(move)
    if not isinstance(move, Fork | Switch):
        plan.check()
    front_end.notify(plan.cost[0].upper() + plan.cost[1:] + ".")
    front_end.make(move)


def _prompt(session: Session, number: int) -> Node:
    """The prompt that is so many prompts back; 1 is the last one."""
    prompts = [node for node in session.path if node.role == "user"]
    if not prompts:
        raise PromptError("Nothing was asked yet", "Send a message first.")
    if not 1 <= number <= len(prompts):
        raise ParameterError(
            f"There is no prompt {number}", f"1 is the last one, {len(prompts)} the first; /edit 1 7 makes it 7."
        )
    return prompts[-number]


def _prompts(session: Session | None, typed: str) -> Iterable[Choice]:
    prompts = [node for node in session.path if node.role == "user"] if session is not None else []
    return [
        Choice(str(number), prompt_of(node.text))
        for number, node in enumerate(reversed(prompts), 1)
        if str(number).startswith(typed)
    ]


def _branches(session: Session | None, typed: str) -> Iterable[Choice]:
    found = [Choice("next", "the branch after this one"), Choice("prev", "the branch before this one")]
    if session is not None:
        forks = [node for node in session.path if len(session.tree.siblings(node.id)) > 1]
        siblings = session.tree.siblings(forks[-1].id) if forks else ()
        found += [Choice(str(number), prompt_of(node.text)) for number, node in enumerate(siblings, 1)]
    return [choice for choice in found if choice.value.startswith(typed.lower())]


COMMANDS: tuple[Command, ...] = (
    Command("clear", "Begin a new conversation", _clear, aliases=("new",)),
    Command("stop", "Stop the answer and keep what was written", _stop),
    Command("continue", "Let the model go on with an answer that was stopped or cut off", _go_on, aliases=("more",)),
    Command("retry", "Ask again; the answer so far stays, as a branch", _retry),
    Command(
        "edit",
        "Change a prompt and ask it: N counts back, 1 is the last one. Without TEXT: write it in the prompt",
        _edit,
        "[N] [TEXT]",
        offers=_prompts,
    ),
    Command(
        "answer",
        "Change the last answer; where TEXT ends in … the model goes on behind it",
        _edit_answer,
        "[TEXT]",
    ),
    Command(
        "branch",
        "List the branches here, or go to one: next, prev, its number, or a #number of /tree",
        _branch,
        "[next|prev|N|#N]",
        offers=_branches,
    ),
    Command("tree", "Show everything that was said, with all branches", _tree),
    Command("fork", "Go on in a new conversation that begins like this one, up to #N of /tree", _fork, "[#N]"),
    Command("shorten", "Go on in a new conversation without the oldest turns: half the context is free", _shorten),
    Command("cost", "Show what moves, or a prompt, would cost: tokens reused and tokens to read", _cost, "[PROMPT]"),
)
