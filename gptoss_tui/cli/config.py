"""`gptoss config init|show`: writes a config.toml to begin with, and tells what holds and why."""

from __future__ import annotations

import argparse

from gptoss_tui.cli.output import Output
from gptoss_tui.config import SETTINGS, Value, read_config, shown, write_default
from gptoss_tui.errors import EXIT_OK


def main(options: argparse.Namespace) -> int:
    """Does it; returns the exit code. Raises `ConfigError`."""
    output = Output()
    if options.action == "init":
        output.write(f"Wrote {write_default()}\n")
        return EXIT_OK
    config = read_config()
    given: dict[str, Value] = {name: value for name, value in vars(options).items() if value not in (None, False)}
    output.write(f"# {config.file}{'' if config.file.exists() else ' (not there: gptoss config init writes it)'}\n")
    rows = []
    for each in SETTINGS:
        value = given.get(each.option, config.values[each.name])
        rows.append((each.name, shown(value) or "not set", config.origin(each.name, given)))
    rows += [
        (f"keys.{name}", shown(keys), f"file, line {config.lines[f'keys.{name}']}")
        for name, keys in config.keys.items()
    ]
    wide = [max(len(row[at]) for row in rows) for at in (0, 1)]
    for name, text, origin in rows:
        output.write(f"{name:<{wide[0]}}  {text:<{wide[1]}}  {origin}\n")
    return EXIT_OK
