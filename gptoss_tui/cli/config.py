"""`gptoss config init|show|path|keys`: writes a config.toml to begin with, tells what holds and why, lists the keys."""

from __future__ import annotations

import argparse

from gptoss_tui.cli.arguments import sampling_params
from gptoss_tui.cli.output import Output
from gptoss_tui.cli.tui import check_theme
from gptoss_tui.config import KEYS, SETTINGS, Config, Value, config_file, read_config, shown
from gptoss_tui.config_writing import write_default
from gptoss_tui.errors import EXIT_OK
from gptoss_tui.keys import keymap_of
from gptoss_tui.keys.table import PLACES


def main(options: argparse.Namespace) -> int:
    """Does it; returns the exit code. Raises `ConfigError`."""
    output = Output()
    match options.action:
        case "init":
            output.write(f"Wrote {write_default()}\n")
        case "path":
            output.write(f"{config_file()}\n")
        case "keys":
            _keys(read_config(), output)
        case _:
            _show(read_config(), options, output)
    return EXIT_OK


def _show(config: Config, options: argparse.Namespace, output: Output) -> None:
    """Every value, and whether it is the default, the file's or the command line's; one out of range is told."""
    keymap_of(config)
    sampling_params(options)
    check_theme(config, options.theme or config.values["theme"])
    given: dict[str, Value] = {name: value for name, value in vars(options).items() if value is not None}
    output.write(f"# {config.file}{'' if config.file.exists() else ' (not there: gptoss config init writes it)'}\n")
    rows = []
    for each in SETTINGS:
        value = given.get(each.option, config.values[each.name])
        rows.append((each.name, shown(value) or "not set", config.origin(each.name, given)))
    rows += [
        (f"{KEYS}.{name}", shown(keys), f"file, line {config.lines[f'{KEYS}.{name}']}")
        for name, keys in config.keys.items()
    ]
    _table(rows, output)


def _keys(config: Config, output: Output) -> None:
    """Every action's id, its keys as they hold now, and what it does; one that the file changes says so."""
    keymap = keymap_of(config)
    for at, place in enumerate(PLACES):
        output.write(f"{'' if not at else chr(10)}# {place.title}\n")
        rows = []
        for action in place.actions:
            changed = action.id in keymap.changed
            line = f" (file, line {config.lines[f'{KEYS}.{action.id}']})" if changed else ""
            rows.append((action.id, keymap.shown(action) or "no key", f"{action.help}{line}"))
        _table(rows, output)
    for notice in keymap.notices:
        output.write(f"\n# {notice}\n")


def _table(rows: list[tuple[str, str, str]], output: Output) -> None:
    wide = [max(len(row[at]) for row in rows) for at in (0, 1)]
    for first, second, third in rows:
        output.write(f"{first:<{wide[0]}}  {second:<{wide[1]}}  {third}\n")
