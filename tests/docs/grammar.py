"""gptoss' own command line and slash commands, as tables: what a page may name, and what it must."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from gptoss_tui.chat.commands import COMMANDS as SLASH
from gptoss_tui.chat.commands import Command as Slash
from gptoss_tui.cli.arguments import COMMANDS, TUI
from gptoss_tui.repl.frontend import Frontend


@dataclass(frozen=True, slots=True)
class Entry:
    """One command, or one action of a command: `sessions export`."""

    name: str
    """Its words; empty for the terminal interface."""
    help: str
    parser: argparse.ArgumentParser

    @property
    def options(self) -> frozenset[str]:
        """Every way to write an option of it."""
        return frozenset(option for action in self.parser._actions for option in action.option_strings)


@cache
def entries() -> tuple[Entry, ...]:
    """Every command, the terminal interface first."""
    found: list[Entry] = []
    for name, command in {"": TUI, **COMMANDS}.items():
        parser = argparse.ArgumentParser(prog=f"gptoss {name}".strip(), allow_abbrev=False)
        command.add_arguments(parser)
        found += _with_actions(Entry(name, command.help, parser))
    return tuple(found)


def _with_actions(entry: Entry) -> Iterator[Entry]:
    yield entry
    for action in entry.parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, parser in action.choices.items():
                yield from _with_actions(Entry(f"{entry.name} {name}", helps.get(name, ""), parser))


def entry_of(words: list[str]) -> Entry:
    """The command that words after `gptoss` call: the longest name that begins them."""
    fitting = [each for each in entries() if words[: len(each.name.split())] == each.name.split()]
    return max(fitting, key=lambda each: len(each.name))


@cache
def slash_commands() -> tuple[Slash, ...]:
    """Those of the registry, and those that only the REPL has."""
    # What a front end adds is made without asking it for anything but its methods.
    return (*SLASH, *own_slash_commands())


@cache
def own_slash_commands() -> tuple[Slash, ...]:
    """Those that only the REPL has."""
    import asyncio
    import io
    from pathlib import Path

    from gptoss_tui.repl.lines import Lines
    from gptoss_tui.repl.options import ReplOptions

    async def made() -> Frontend:
        return Lines(ReplOptions(model=Path("nowhere")), source=io.StringIO(), target=io.StringIO())

    return tuple(asyncio.run(made()).own_commands)
