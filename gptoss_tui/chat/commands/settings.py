"""The commands that show and change settings: sampling, seed, effort, instructions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gptoss_tui.chat.choices import Choice
from gptoss_tui.chat.commands.command import Command, FrontEnd
from gptoss_tui.chat.controls import CONTROLS, control, format_seed, parse_seed
from gptoss_tui.chat.session import Session
from gptoss_tui.errors import ParameterError
from gptoss_tui.harmony.messages import EFFORTS


def _set(session: Session, front_end: FrontEnd, arguments: str) -> None:
    name, _, value = arguments.strip().partition(" ")
    if not name:
        front_end.notify(" · ".join(f"{each.id} {each.format(each.get(session.params))}" for each in CONTROLS))
        return
    if name.lower() == "seed":
        _seed(session, front_end, value)
        return
    knob = control(name)
    if value.strip():
        session.params = knob.assign(session.params, knob.parse(value))
    front_end.notify(f"{knob.id} is {knob.format(knob.get(session.params))}")


def _settings(session: Session | None, typed: str) -> Iterable[Choice]:
    """The knobs; behind a knob's name, its present value and where it does nothing."""
    name, space, value = typed.partition(" ")
    if not space:
        known = {each.id: each.help for each in CONTROLS} | {"seed": "What the random draws follow from."}
        return [Choice(each, help) for each, help in known.items() if each.startswith(name.lower())]
    if name.lower() == "seed":
        offered = {"off": "a new one for each answer"}
    else:
        try:
            knob = control(name)
        except ParameterError:
            return []
        offered = {"off": "it does nothing"} if knob.off is not None else {knob.format(knob.low): "its least"}
        if session is not None:
            offered.setdefault(knob.format(knob.get(session.params)), "as it is")
    return [Choice(f"{name} {each}", help) for each, help in offered.items() if each.startswith(value.lower())]


def _seed(session: Session, front_end: FrontEnd, arguments: str) -> None:
    if arguments.strip():
        session.params = replace(session.params, seed=parse_seed(arguments))
    front_end.notify(f"seed is {format_seed(session.params.seed)}")


def _effort(session: Session, front_end: FrontEnd, arguments: str) -> None:
    wanted = arguments.strip().lower()
    found = [effort for effort in EFFORTS if wanted and effort.startswith(wanted)]
    if wanted and not found:
        raise ParameterError(f"effort cannot be {arguments.strip()!r}", f"Give one of {', '.join(EFFORTS)}.")
    if found:
        session.effort = found[0]
    front_end.notify(f"effort is {session.effort}{_price(session) if found else ''}")


def _instructions(session: Session, front_end: FrontEnd, arguments: str) -> None:
    wanted = arguments.strip()
    if wanted:
        session.instructions = None if wanted.lower() == "off" else wanted
    told = f"instructions: {session.instructions}" if session.instructions else "no instructions"
    front_end.notify(f"{told}{_price(session) if wanted else ''}")


def _price(session: Session) -> str:
    """What the next prompt costs now: every prompt begins with these settings."""
    if not session.path or session.turn is not None:
        return ""
    return f" · the next prompt {session.ahead().cost}"


COMMANDS: tuple[Command, ...] = (
    Command(
        "set",
        "Show or change a sampling setting, also while an answer is being written",
        _set,
        "[NAME [VALUE]]",
        offers=_settings,
    ),
    Command(
        "seed", "Show or fix the seed; off draws a new one for each answer", _seed, "[NUMBER|off]", values=("off",)
    ),
    Command("effort", "Show or change how long the model thinks", _effort, "[LEVEL]", values=EFFORTS),
    Command(
        "instructions",
        "Show or change what the model is told before the conversation; off removes it",
        _instructions,
        "[TEXT|off]",
        values=("off",),
    ),
)
