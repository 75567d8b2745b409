"""config.toml: every setting with its default, read into frozen values, and where each value came from.

One table of settings makes the file that `config_writing` writes, the checks, and what `gptoss config show` prints.
Python's own tomllib reads the file but tells no lines, so a scan of our own finds the line of a key. Knows no command
and no screen.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gptoss_tui.errors import GptOssError, ParameterError


class ConfigError(GptOssError):
    """A config.toml that cannot be used."""


Value = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    """As it is written: `sampling.temperature`; without a point, a key at the top of the file."""
    kind: type[str] | type[int] | type[float] | type[bool] | type[tuple[str, ...]]
    default: Value
    """None: not set, which the help explains."""
    help: str
    choices: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """The name that the command line gives it: `top_p`."""
        return self.name.rpartition(".")[2].replace("-", "_")

    def check(self, value: object) -> Value:
        """The value as it is used. Raises `ValueError` with what it should be."""
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if self.kind is tuple and isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        if not isinstance(value, self.kind) or (self.kind is not bool and isinstance(value, bool)):
            raise ValueError(f"write {_KINDS[self.kind]}")
        if self.choices and value not in self.choices:
            raise ValueError(f"write one of {', '.join(self.choices)}")
        assert isinstance(value, (str, int, float, bool))
        return value


_KINDS: Mapping[type, str] = {
    str: 'text in "…"',
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: 'texts in ["…", "…"]',
}

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "model", str, None, "What `gptoss` runs: a folder, a Hugging Face id, or demo. Not set: the best one found."
    ),
    Setting("model-folders", tuple, (), "Folders with checkpoints of your own, for `gptoss models` and /model."),
    Setting("theme", str, None, "The colours. Not set: what suits the terminal's background."),
    Setting("answer.effort", str, "medium", "How long the model thinks.", ("low", "medium", "high")),
    Setting("answer.instructions", str, None, "The developer message. Not set: none."),
    Setting("answer.max-tokens", int, None, "The longest answer. Not set: what the context leaves."),
    Setting("sampling.temperature", float, 1.0, "Divides the logits; 0 takes the likeliest token. 0 to 5."),
    Setting("sampling.top-p", float, 1.0, "Keeps the likeliest tokens that make up this share; 1.0 is off."),
    Setting("sampling.top-k", int, 0, "Keeps this many of the likeliest tokens; 0 is off."),
    Setting("sampling.min-p", float, 0.0, "Keeps tokens this many times as likely as the likeliest; 0.0 is off."),
    Setting("sampling.repetition-penalty", float, 1.0, "Makes recent tokens less likely; 1.0 is off."),
    Setting("sampling.seed", int, None, "The same seed gives the same answer. Not set: a new one each time."),
    Setting("conversation.save", bool, True, "Keep conversations on the disk, as they are held."),
    Setting("conversation.keep-going", bool, False, "When the line drops, finish the answer first, in the background."),
    Setting(
        "conversation.history-mib",
        int,
        256,
        "Memory for going back in a conversation without reading it again, in MiB.",
    ),
    Setting(
        "conversation.save-kv", bool, False, "Keep the prompt's state too: large, and a long talk resumes at once."
    ),
    Setting("ui.low-bandwidth", bool, False, "Draw less often, for slow links; in both front ends."),
    Setting("repl.thinking", str, "show", "Thinking in the REPL: dimmed as it comes, or one line.", ("show", "fold")),
    Setting("repl.editing", str, "emacs", "The keys that edit the prompt in the REPL.", ("emacs", "vi")),
    Setting("repl.plain", bool, False, "Bare lines without escape codes, for screen readers."),
)
"""Every setting, in the order of the file."""

KEYS = "keys"
"""The table that remaps keys: ids of bindings to keys, as Textual writes them."""


@dataclass(frozen=True, slots=True)
class Config:
    """What config.toml says."""

    file: Path
    written: Mapping[str, Value] = field(default_factory=dict)
    """Values that the file holds, by the settings' names."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Binding ids and the keys that they get."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of each key in the file, counted from 1."""

    @property
    def values(self) -> Mapping[str, Value]:
        """Every setting's value, by name: the file's, else the default."""
        return {each.name: self.written.get(each.name, each.default) for each in SETTINGS}

    def options(self) -> dict[str, Value]:
        """What the file says, by the command line's names: defaults for its options."""
        return {each.option: self.written[each.name] for each in SETTINGS if each.name in self.written}

    def origin(self, name: str, given: Collection[str] = ()) -> str:
        """Where a setting's value comes from; `given` are the options on the command line."""
        if next(each for each in SETTINGS if each.name == name).option in given:
            return "command line"
        return f"file, line {self.lines[name]}" if name in self.written else "default"

    def fault(self, name: str, what: str, hint: str) -> ConfigError:
        """What is wrong with a key of the file, with its line."""
        return _fault(self.file, self.lines.get(name, 0), what, hint)


def config_file() -> Path:
    """The settings' file, whether it is there or not."""
    return config_folder() / "config.toml"


def config_folder() -> Path:
    """Where config.toml and a person's own themes are."""
    from platformdirs import user_config_path

    return user_config_path("gptoss")


def read_config(file: Path | None = None) -> Config:
    """What `file` says (None: the one in `config_folder`); nothing where there is none. Raises `ConfigError`."""
    file = file if file is not None else config_file()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config(file)
    except OSError as fault:
        raise ConfigError(f"{file} cannot be read: {fault.strerror}", "Correct it, or move it away.") from fault
    except UnicodeDecodeError as fault:
        raise ConfigError(f"{file} is not text in UTF-8", "Save it as UTF-8, or move it away.") from fault
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"{file} is not TOML: {fault}", "Correct the line, or move the file away.") from fault
    lines = key_lines(text)
    keys: dict[str, str] = {}
    written: dict[str, Value] = {}
    known = {each.name: each for each in SETTINGS}
    for name, value in _flat(table, known):
        line = lines.get(name, 0)
        if name.startswith(f"{KEYS}."):
            if not isinstance(value, str):
                raise _fault(file, line, f"{name} cannot be {value!r}", 'Write keys in "…", such as "ctrl+g".')
            keys[name.removeprefix(f"{KEYS}.")] = value
            continue
        if name not in known:
            raise _fault(file, line, f"there is no setting {name}", _like(name, known))
        try:
            written[name] = known[name].check(value)
        except ValueError as fault:
            raise _fault(file, line, f"{name} cannot be {value!r}", f"Here, {fault}.") from fault
        _check_range(file, line, name, written[name])
    return Config(file, written, keys, lines)


def shown(value: Value) -> str:
    """A value as TOML has it; empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


_HEADER = re.compile(r"\s*\[\s*([\w.\"' -]+?)\s*\]")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_TRIPLE = re.compile(r"\"\"\"|'''")


def key_lines(text: str) -> dict[str, int]:
    """The line of each key of a valid TOML text, by its full name without quotes; long texts hold no keys."""
    found: dict[str, int] = {}
    table, closing = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if not closing:
            if header := _HEADER.match(line):
                table = _bare(header[1])
                found.setdefault(table, number)
            elif key := _KEY.match(line):
                found[f"{table}.{_bare(key[1])}".lstrip(".")] = number
        for mark in _TRIPLE.findall(line):
            closing = "" if closing == mark else closing or mark
    return found


def _bare(name: str) -> str:
    return re.sub(r"\s*\.\s*", ".", name.strip()).replace('"', "").replace("'", "")


def _flat(table: Mapping[str, object], known: Collection[str], prefix: str = "") -> list[tuple[str, object]]:
    """Every value by its full name; a table where none belongs is a value of its own."""
    values: list[tuple[str, object]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        inside = any(each.startswith(f"{name}.") for each in (*known, f"{KEYS}."))
        if isinstance(value, dict) and (inside or name.startswith(KEYS)):
            values += _flat(value, known, f"{name}.")
        else:
            values.append((name, value))
    return values


def _check_range(file: Path, line: int, name: str, value: Value) -> None:
    """Sampling has ranges, and `SamplingParams` knows them."""
    from gptoss_tui.engine.params import SamplingParams

    table, _, key = name.partition(".")
    try:
        if table == "sampling":
            make: Callable[..., SamplingParams] = SamplingParams
            make(**{key.replace("-", "_"): value})
        elif name == "answer.max-tokens" and isinstance(value, int) and value < 1:
            raise ParameterError(f"max-tokens cannot be {value}", "Give 1 or more.")
        elif name == "conversation.history-mib" and isinstance(value, int) and value < 0:
            raise ParameterError(f"history-mib cannot be {value}", "Give 0 or more.")
    except ParameterError as fault:
        raise _fault(file, line, fault.message, fault.hint) from fault


def _like(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"Did you mean {near[0]}?" if near else "`gptoss config show` lists what there is."


def _fault(file: Path, line: int, what: str, hint: str) -> ConfigError:
    return ConfigError(f"{file}, line {line}: {what}" if line else f"{file}: {what}", hint)
