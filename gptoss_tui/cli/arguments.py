"""The command line's grammar: a table of commands, the options they share, and which command is meant.

The first argument is a command or a model. A new command is a row in `COMMANDS`, a function that adds its arguments,
and a module with `main(options) -> int`. Runs no command and imports none.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from gptoss_tui import __version__
from gptoss_tui.cli import desk, keeping
from gptoss_tui.errors import CheckpointError, ParameterError
from gptoss_tui.visible import visible

if TYPE_CHECKING:
    from gptoss_tui.engine.params import SamplingParams

LOW_BANDWIDTH_HELP = "draw less often, for slow links"
MODEL_HELP = "a folder, a Hugging Face id in the local cache, or demo; default: the best one found here, else demo"


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the program."""

    help: str
    """One line for the list of commands."""
    module: str
    """Where its `main(options) -> int` is; imported when it is called."""
    add_arguments: Callable[[argparse.ArgumentParser], None]


def parse(argv: Sequence[str]) -> tuple[Command, argparse.Namespace]:
    """Which command is meant, and its options. Leaves by `SystemExit` on --help, --version and wrong usage."""
    name = argv[0] if argv and argv[0] in COMMANDS else ""
    command = COMMANDS[name] if name else TUI
    parser = _Parser(
        prog=f"gptoss {name}".strip(),
        description=f"{command.help[0].upper()}{command.help[1:]}.",
        epilog="" if name else _list_of_commands(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    if not name and argv and not argv[0].startswith("-"):
        parser.first = argv[0]
    # Intermixed, so that options may stand between the words of a prompt; Python 3.11's takes no `--` that way.
    read = parser.parse_args if "--" in argv else parser.parse_intermixed_args
    words = keeping.with_resume(argv[1:] if name else argv)
    options = read(words)
    if name != CONFIG and hasattr(options, "temperature"):
        # Only now, so that --help and wrong usage do not depend on the file.
        from gptoss_tui.config import read_config

        config = read_config()
        given = keeping.given(options, words, (*_KNOBS, "seed"))
        written: dict[str, object] = {**config.options(), "config": config, "given": given}
        if hasattr(options, "model_option"):
            written["configured_model"] = written.pop("model", None)
        parser.set_defaults(**written)
        options = read(words)
    return command, options


class _Parser(argparse.ArgumentParser):
    """Repeats what was wrong, as arguments may come from a file's name, so that no terminal obeys it."""

    first = ""
    """The first word, where it is no command and so is taken for a model."""

    def error(self, message: str) -> NoReturn:
        if self.first and message.startswith("unrecognized"):
            near = get_close_matches(self.first, list(COMMANDS), 1)
            message += f" (there is no command {self.first}{f': did you mean {near[0]}?' if near else ''})"
        super().error(visible(message))


def sampling_params(options: argparse.Namespace) -> SamplingParams:
    """The sampling options as a value. Raises `ParameterError` for one out of range."""
    from gptoss_tui.engine.params import SamplingParams

    if options.max_tokens is not None and options.max_tokens < 1:
        raise ParameterError(f"max tokens cannot be {options.max_tokens}", "Give 1 or more.")
    return SamplingParams(**_asked(options))


def sampling_for(options: argparse.Namespace) -> Callable[[Path], SamplingParams]:
    """The sampling to begin with on the model in a folder: what its makers suggest, under what was asked for."""

    def params(folder: Path) -> SamplingParams:
        from gptoss_tui.models.generation import sampling_defaults

        return replace(sampling_defaults(folder), **_asked(options))

    return params


def find_model(options: argparse.Namespace, name: str | None) -> Path:
    """The folder of the model with this name, or of the best one.

    Raises `CheckpointError`, and `ConfigError` with its line for a name that config.toml gives.
    """
    from gptoss_tui.models.find import resolve

    if name is None or name != options.config.written.get("model"):
        return resolve(name, COMMANDS)
    try:
        return resolve(name)
    except CheckpointError as fault:
        what = f"{fault.message[:1].lower()}{fault.message[1:]}"
        raise options.config.fault("model", what, fault.hint) from fault


def history_bytes(options: argparse.Namespace) -> int:
    """What the engine may keep for going back without reading again, as the settings say."""
    mib = options.config.values["conversation.history-mib"]
    assert isinstance(mib, int)
    return mib * 2**20


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """The sampling options that were given, on the command line or in the settings."""
    given = {name: getattr(options, name) for name in (*_KNOBS, "seed")}
    return {name: value for name, value in given.items() if value is not None}


def _tui(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--version", action="version", version=f"gptoss {__version__}")
    parser.add_argument("--theme", metavar="NAME", help="the colours; default: what suits the terminal's background")
    parser.add_argument("--low-bandwidth", action="store_true", help=LOW_BANDWIDTH_HELP)
    parser.add_argument("--model", dest="model_option", metavar="MODEL", help="the same as MODEL")
    keeping.front_end(parser)
    _answer_options(parser)


def _repl(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--model", dest="model_option", metavar="MODEL", help="the same as MODEL")
    _repl_options(parser)


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("init", "show", "path", "keys"), help=_CONFIG_HELP)
    parser.add_argument("--model", metavar="MODEL", help=MODEL_HELP)
    _repl_options(parser)
    # What is not given is the file's business.
    parser.set_defaults(**dict.fromkeys(vars(parser.parse_args(["show"]))))


_CONFIG_HELP = "write a config.toml; tell what holds, and why; name the file; list the keys and what they do"


def _repl_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plain", action="store_true", help="bare lines without escape codes, for screen readers")
    parser.add_argument("--low-bandwidth", action="store_true", help=LOW_BANDWIDTH_HELP)
    parser.add_argument("--theme", metavar="NAME", help="the colours; default: what suits the terminal's background")
    parser.add_argument("--thinking", choices=("show", "fold"), default="show", help="the thinking: dimmed, or a line")
    parser.add_argument("--editing", choices=("emacs", "vi"), default="emacs", help="the keys that edit the prompt")
    keeping.front_end(parser)
    _answer_options(parser)


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="*", metavar="PROMPT", help="the prompt; - appends standard input to it")
    parser.add_argument(
        "--file", action="append", default=[], metavar="PATH", help="put a text file behind the prompt; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="events as JSON Lines instead of text")
    parser.add_argument("--show-analysis", action="store_true", help="the model's thinking, on standard error")
    parser.add_argument("--model", metavar="MODEL", help=MODEL_HELP)
    keeping.one_answer(parser)
    _answer_options(parser)


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a folder, a Hugging Face id in the local cache, or demo")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of Markdown")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs: at most a minute and a half")
    parser.add_argument("--minutes", type=float, metavar="N", help="how long it may take (default: 10)")


_KNOBS: dict[str, tuple[type[float], float, str]] = {
    "temperature": (float, 1.0, "0 takes the likeliest token; 0 to 5"),
    "top_p": (float, 1.0, "keep the likeliest tokens that make up this share; 1 is off"),
    "top_k": (int, 0, "keep this many of the likeliest tokens; 0 is off"),
    "min_p": (float, 0.0, "keep tokens this many times as likely as the likeliest; 0 is off"),
    "repetition_penalty": (float, 1.0, "make recent tokens less likely; 1 is off"),
}
"""The fields of `SamplingParams` that are options: type, OpenAI's default, help."""


def _answer_options(parser: argparse.ArgumentParser) -> None:
    """What every command that lets the model write understands."""
    sampling = parser.add_argument_group("sampling")
    for name, (kind, default, text) in _KNOBS.items():
        option = f"--{name.replace('_', '-')}"
        sampling.add_argument(
            option, type=kind, metavar="N", help=f"{text} (default: the model's own wish, else {default})"
        )
    sampling.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same answer")
    answer = parser.add_argument_group("answer")
    answer.add_argument("--max-tokens", type=int, metavar="N", help="longest answer; default: what the context leaves")
    answer.add_argument("--effort", choices=("low", "medium", "high"), default="medium", help="how long to think")
    answer.add_argument("--instructions", metavar="TEXT", help="the developer message")


CONFIG = "config"

COMMANDS = {
    "repl": Command("chat in plain lines, for slow links and small terminals", "gptoss_tui.cli.repl", _repl),
    "run": Command("one answer to standard output", "gptoss_tui.cli.run", _run),
    "sessions": Command(
        "the kept conversations: list, search, show, export, delete", "gptoss_tui.cli.sessions", keeping.sessions
    ),
    CONFIG: Command("settings and keys: write a config.toml, or tell what holds", "gptoss_tui.cli.config", _config),
    "bench": Command("measure this engine beside mlx-lm's on the same model", "gptoss_tui.cli.bench", _bench),
    "inspect": Command("a checkpoint's model card, read from its files", "gptoss_tui.cli.inspect", desk.inspect),
    "models": Command("the checkpoints on this machine", "gptoss_tui.cli.models", desk.models),
    "pull": Command("download a checkpoint from Hugging Face", "gptoss_tui.cli.pull", desk.pull),
    "convert": Command("an original checkpoint to MLX, quantised", "gptoss_tui.cli.convert", desk.convert),
    "doctor": Command("what is right here and what is not, with remedies", "gptoss_tui.cli.doctor", desk.doctor),
}
"""Every command, by name."""

TUI = Command("chat with gpt-oss and watch it work", "gptoss_tui.cli.tui", _tui)
"""What runs where no command is named."""


def _list_of_commands() -> str:
    rows = "\n".join(f"  gptoss {name:9}{command.help}" for name, command in COMMANDS.items())
    return f"commands (gptoss COMMAND --help tells more):\n{rows}\n\nA folder with a command's name needs ./ before it."
