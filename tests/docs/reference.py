"""Writes docs/commands.md from the program's own grammar, so that it says what `--help` and `/help` say.

python -m tests.docs.reference
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from gptoss_tui.chat.commands import Command
from tests.docs.grammar import Entry, entries, own_slash_commands, slash_commands
from tests.docs.pages import ROOT

FILE = ROOT / "docs" / "commands.md"
COMMAND = "python -m tests.docs.reference"

_BEGINNING = f"""# Commands

Made from the program's own grammar by `{COMMAND}`; a test holds that it is current.
`gptoss COMMAND --help` says the same in the terminal.

The first argument is a command or a model. A model is a folder, a Hugging Face id that is in the local cache, or
`demo`; a folder with a command's name needs `./` before it. Where no model is named, config.toml's is taken, else the
best one found on this machine, else the bundled one. Exit codes: 0 done, 1 a fault (one line on standard error, a hint
under it), 2 wrong usage, 130 interrupted.

"""

_SLASH = """## Slash commands

In both front ends, also while an answer is being written where that makes sense. A message that begins with a slash
needs a space before it. Tab completes names and what they take.

"""


def text() -> str:
    """The page."""
    parts = [_BEGINNING]
    parts += [f"- [{_title(entry)}](#{_title(entry).replace(' ', '-')}): {entry.help}\n" for entry in entries()]
    parts.append("- [Slash commands](#slash-commands)\n\n")
    parts += [_section(entry) for entry in entries()]
    own = own_slash_commands()
    parts += [_SLASH, *_slash([each for each in slash_commands() if each not in own])]
    if own:
        parts += ["\nOnly in `gptoss repl`:\n\n", *_slash(own)]
    return "".join(parts)


def _title(entry: Entry) -> str:
    return f"gptoss {entry.name}".strip()


def _section(entry: Entry) -> str:
    words = [f"[{a.metavar or a.dest}]" if a.nargs in ("?", "*") else _name(a) for a in _positionals(entry)]
    usage = " ".join([_title(entry), "[OPTIONS]", *words])
    help = f"{entry.help[:1].upper()}{entry.help[1:]}"
    parts = [f"## {_title(entry)}\n\n{help}.\n\n```text\n{usage}\n```\n\n"]
    rows = [f"| `{_cell(_name(a))}` | {_cell(a.help)} |\n" for a in _positionals(entry)]
    rows += [f"| {_options(action)} | {_cell(action.help)} |\n" for action in entry.parser._actions if _counts(action)]
    if rows:
        parts += ["| | |\n|---|---|\n", *rows, "\n"]
    return "".join(parts)


def _positionals(entry: Entry) -> Iterator[argparse.Action]:
    return (action for action in entry.parser._actions if not action.option_strings)


def _counts(action: argparse.Action) -> bool:
    return bool(action.option_strings) and not isinstance(action, argparse._HelpAction)


def _name(action: argparse.Action) -> str:
    if action.choices and action.metavar is None:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest)


def _options(action: argparse.Action) -> str:
    takes = "" if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction) else f" {_name(action)}"
    return ", ".join(f"`{option}{takes}`" for option in action.option_strings).replace("|", "\\|")


def _cell(text: str | None) -> str:
    return (text or "").replace("%%", "%").replace("|", "\\|").replace("<", "\\<")


def _slash(commands: Sequence[Command]) -> Iterator[str]:
    yield "| | |\n|---|---|\n"
    for each in commands:
        also = f" (also {', '.join(f'`/{name}`' for name in each.aliases)})" if each.aliases else ""
        usage = each.usage.replace("|", "\\|")
        yield f"| `{usage}` | {_cell(each.help)}{also} |\n"


def main() -> None:
    """Writes it."""
    FILE.write_text(text(), encoding="utf-8")
    print(FILE.relative_to(ROOT))


if __name__ == "__main__":
    main()
