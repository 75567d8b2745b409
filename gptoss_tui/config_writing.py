"""Writes config.toml: all of it at its defaults, or one setting into a file that a person has written.

What stands there is left as it is, comments too. Knows no command and no screen.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from gptoss_tui.config import KEYS, SETTINGS, ConfigError, Setting, Value, config_file, key_lines, read_config, shown


def default_text() -> str:
    """A config.toml with every setting at its default, commented out so that it stays the default."""
    lines = ["# gptoss: remove the # before a setting to change it. `gptoss config show` tells what holds, and why."]
    table = ""
    for each in SETTINGS:
        place, _, key = each.name.rpartition(".")
        if place != table:
            lines += ["", f"[{place}]"]
            table = place
        choices = f" One of {', '.join(each.choices)}." if each.choices else ""
        lines += ["", f"# {each.help}{choices}", f"# {key} = {shown(each.default) or _examples(each)}"]
    lines += [
        "",
        f"[{KEYS}]",
        "",
        "# Keys of the terminal interface, by the binding's id; `gptoss config keys` lists them.",
    ]
    return "\n".join([*lines, '# "app.stop" = "escape,ctrl+g"', ""])


def write_default(file: Path | None = None) -> Path:
    """Writes `default_text` where no file is yet, and returns its path. Raises `ConfigError`."""
    file = file if file is not None else config_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(default_text())
    except FileExistsError as fault:
        raise ConfigError(f"{file} exists already", "Edit it, or move it away first.") from fault
    except OSError as fault:
        raise ConfigError(f"{file} cannot be written: {fault.strerror}", "Check the folder.") from fault
    return file


def keep(name: str, value: Value, file: Path | None = None) -> str:
    """Sets one setting in the file, which is made where there is none; says so. Raises `ConfigError`."""
    file = file if file is not None else config_file()
    if not file.exists():
        write_default(file)
    read_config(file)
    try:
        text = file.read_text(encoding="utf-8")
        changed = with_setting(text, name, value)
        # Beside the file itself where that is a link, and replaced in one go: half a file would be none.
        real = file.resolve()
        fresh = real.with_name(f"{real.name}.new")
        fresh.write_text(changed, encoding="utf-8")
        fresh.chmod(real.stat().st_mode)
        os.replace(fresh, real)
    except OSError as fault:
        raise ConfigError(f"{file} cannot be written: {fault.strerror}", "Check the folder.") from fault
    return f"{name} = {shown(value)} is kept in {file}"


def with_setting(text: str, name: str, value: Value) -> str:
    """The text of a config.toml with one setting changed. Raises `ConfigError` where that cannot be done."""
    table, _, key = name.rpartition(".")
    lines = text.splitlines()
    written = f"{key} = {shown(value)}"
    found = key_lines(text)
    if name in found:
        at = found[name] - 1
        # Where the table is part of the key, it stays so.
        before = lines[at].partition("=")[0].rstrip()
        lines[at] = f"{before} = {shown(value)}"
    else:
        lines.insert(*_place(lines, found, table, key, written))
    changed = "\n".join([*lines, ""])
    try:
        done = _value(tomllib.loads(changed), name) == value
    except tomllib.TOMLDecodeError:
        done = False
    if not done:
        raise ConfigError(f"{name} cannot be set in config.toml by the program", f"Write it there yourself: {written}")
    return changed


def _place(lines: list[str], found: dict[str, int], table: str, key: str, written: str) -> tuple[int, str]:
    """Where a setting belongs that the file does not have, and the line for it."""
    headers = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    if table and table not in found:
        return len(lines), f"\n[{table}]\n{written}"
    first = found[table] if table else 0
    end = next((number for number in headers if number >= first), len(lines))
    for number in range(first, end):
        if re.match(rf"#\s*{re.escape(key)}\s*=", lines[number]):
            # Under the line that tells the default.
            return number + 1, written
    return first, written


def _value(table: object, name: str) -> object:
    for part in name.split("."):
        table = table.get(part) if isinstance(table, dict) else None
    return table


def _examples(setting: Setting) -> str:
    return {"model": '"demo"', "theme": '"gptoss-dark"', "answer.instructions": '"Answer briefly."'}.get(
        setting.name, "1000"
    )
