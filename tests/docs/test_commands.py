"""Every command that README.md and docs/*.md show is run, or checked as far as it can be: see `treatment`."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.docs.grammar import entries, entry_of
from tests.docs.pages import PAGES, ROOT, Shown, commands, program
from tests.docs.sandbox import Outcome, Sandbox, stages
from tests.docs.treatment import treatment

_EXTRAS = frozenset(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_works(page: Path, sandbox: Sandbox) -> None:
    for shown in commands(page):
        for pipe in stages(shown.text):
            _run(shown, pipe, sandbox)


def _run(shown: Shown, pipe: list[tuple[str, str]], sandbox: Sandbox) -> None:
    came = b""
    for text, target in pipe:
        command = re.sub(r"^((?:[A-Z_]+=\S+ )*)(\S+)", lambda found: found[1] + program(found[2]), text)
        if command.startswith("uv run ") and " gptoss" in command:
            command = command[command.index("gptoss") :]
        try:
            how = treatment(command).how
        except LookupError as unknown:
            pytest.fail(f"{shown}\n{unknown}")
        if how in ("run", "shell"):
            outcome = _for_real(shown, command, came, sandbox)
            if outcome is None:
                return
            assert outcome.code == 0, f"{shown}\n{outcome.err.decode()}"
            came = outcome.out
            if target:
                (sandbox.folder / target).write_bytes(came)
                came = b""
        else:
            _check(shown, how, shlex.split(command, comments=True))


def _for_real(shown: Shown, command: str, stdin: bytes, sandbox: Sandbox) -> Outcome | None:
    """What came of it; None where the program is not on this machine, which ends the pipe."""
    words = shlex.split(command, comments=True)
    changes = {}
    while "=" in words[0]:
        name, _, changes[name] = words.pop(0).partition("=")
    if words[0] == "gptoss":
        outcome = sandbox.gptoss(words[1:], stdin, changes)
        assert b"Traceback" not in outcome.err, f"{shown}\n{outcome.err.decode()}"
        return outcome
    if words[0] == "jq" and shutil.which("jq") is None:
        return None
    return sandbox.shell(command, stdin)


def _check(shown: Shown, how: str, words: list[str]) -> None:
    while re.match(r"[A-Z_]+=", words[0]):  # what it is given as its environment
        words = words[1:]
    match how:
        case "grammar":
            check_grammar(shown, words[1:])
        case "script":
            _check_script(shown, words[1:])
        case "install":
            named = {
                extra for word in words for found in re.findall(r"\[([\w,]+)\]", word) for extra in found.split(",")
            }
            named |= {words[at + 1] for at, word in enumerate(words) if word == "--extra"}
            named -= {"cpu", "cuda13"}  # of mlx
            assert named <= _EXTRAS, f"{shown}\nthere is no extra {named - _EXTRAS}"
        case _:
            if "gptoss" in words:
                check_grammar(shown, words[words.index("gptoss") + 1 :])


def check_grammar(shown: object, words: list[str]) -> None:
    """The command, its first choice and its options exist."""
    entry = entry_of(words)
    rest = words[len(entry.name.split()) :]
    for word in rest:
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in entry.options, f"{shown}\ngptoss {entry.name} has no {word}"
    if not entry.name and rest and re.fullmatch(r"[a-z]+", rest[0]):
        assert rest[0] == "demo", f"{shown}\nthere is no command {rest[0]}"
    for action in entry.parser._actions:
        # Of a command with actions, the first word is one of them.
        if action.choices and not action.option_strings and rest and re.fullmatch(r"[a-z]+", rest[0]):
            assert rest[0] in action.choices, f"{shown}\n{rest[0]} is none of {', '.join(action.choices)}"


def _check_script(shown: Shown, words: list[str]) -> None:
    # What stands before the script belongs to what starts it.
    words = words[next(at for at, word in enumerate(words) if word == "-m" or word.endswith(".py")) :]
    if words[0] == "-m":
        file = ROOT / f"{words[1].replace('.', '/')}.py"
        file = file if file.exists() else file.with_suffix("") / "__main__.py"
        words = words[1:]
    else:
        file = ROOT / words[0]
    assert file.exists(), shown
    known = file.read_text(encoding="utf-8")
    for word in words[1:]:
        if word.startswith("--"):
            assert f'"{word}"' in known, f"{shown}\n{file.name} has no {word}"


def test_every_command_of_the_program_is_shown_somewhere() -> None:
    shown = [each.text for page in PAGES for each in commands(page)]
    for entry in entries():
        assert any(re.search(rf"gptoss {entry.name}\b", text) for text in shown), f"gptoss {entry.name}"
