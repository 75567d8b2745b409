"""config.toml's [keys]: what it changes holds in both front ends, and what is wrong in it is named with its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import TextArea

from gptoss_tui.config import ConfigError, read_config
from gptoss_tui.keys import Keymap, keymap_of
from gptoss_tui.keys.action import Action
from gptoss_tui.keys.keymap import _conflicts
from gptoss_tui.keys.names import key_named
from gptoss_tui.keys.table import EDITING, PLACES, PROMPT, REPL
from gptoss_tui.repl.keys import key_sequences, keys_help
from tests.cli.program import gptoss


def keymap(folder: Path, keys: str) -> Keymap:
    """The keymap that a config.toml with these lines under [keys] makes."""
    file = folder / "config.toml"
    file.write_text(f"[keys]\n{keys}\n", encoding="utf-8")
    return keymap_of(read_config(file))


def test_the_table_has_no_conflicts_and_every_key_has_its_one_name() -> None:
    assert list(_conflicts(Keymap())) == []
    for place in PLACES:
        for action in place.actions:
            for key in action.keys.replace(" ", ",").split(","):
                assert key_named(key) == key, action.id


def test_an_id_is_one_action() -> None:
    seen: dict[str, Action] = {}
    for place in PLACES:
        for action in place.actions:
            # What it does is told for the front end that it is in: the REPL has no panes to go back from.
            assert replace(seen.setdefault(action.id, action), help=action.help) == action
            assert action.help.endswith((".", "v)."))


def test_editing_keys_are_those_of_the_text_area() -> None:
    own = {key for action in PROMPT for key in action.keys.split(",")} | {"ctrl+c"}
    theirs = {key.strip() for binding in TextArea.BINDINGS for key in str(getattr(binding, "key", "")).split(",")}
    assert {key for key in theirs if "super" not in key} - own == EDITING


@pytest.mark.parametrize(
    ("keys", "told", "hint"),
    [
        ('"app.stp" = "ctrl+g"', "line 2: there is no binding app.stp", "Did you mean app.stop?"),
        ('"app.copy" = "cmd+c"', "line 2: app.copy cannot be 'cmd+c': cmd never reaches", "Write keys"),
        ('"app.copy" = "ctrl+t"\n"app.retry" = "ctrl+t"', "ctrl+t is the key of both app.retry and app.copy", ""),
        ('"app.copy" = "alt+r"', "line 2: alt+r is the key of both app.retry and app.copy", "Choose another"),
        # An instrument's own key would hide one that works everywhere.
        ('"tokens.pause" = "alt+r"', "alt+r is the key of both tokens.pause and app.retry in the token pane", ""),
        ('"pane.help" = "space"', "space is the key of both tokens.pause and pane.help in the token pane", ""),
        ('"app.copy" = "k"', "line 2: app.copy cannot be k: it could not be typed any more", "Choose another"),
        ('"app.panes" = "k"', "app.panes cannot be k: it could not be typed any more", ""),
        ('"app.copy" = "ctrl+a"', "app.copy cannot be ctrl+a: it edits the prompt", ""),
        ('"app.retry" = "ctrl+x ctrl+r"', "keys one after the other are for repl.… alone", ""),
        ('"repl.edit" = "ctrl+c ctrl+e"', "ctrl+c is the key of both app.interrupt and repl.edit", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_line(keys: str, told: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as fault:
        keymap(tmp_path, keys)
    assert told in fault.value.message
    assert f"{tmp_path / 'config.toml'}, line " in fault.value.message
    assert hint in fault.value.hint


def test_two_actions_may_swap_keys_and_one_may_have_none(tmp_path: Path) -> None:
    changed = keymap(tmp_path, '"app.retry" = "alt+c"\n"app.copy" = "alt+r"\n"app.effort" = ""')
    assert (changed.first("app.retry"), changed.first("app.copy")) == ("alt+c", "alt+r")
    assert changed.first("app.effort") == "(no key)"


def test_a_priority_key_may_take_an_editing_key(tmp_path: Path) -> None:
    assert keymap(tmp_path, '"app.panes" = "ctrl+a"').first("app.panes") == "ctrl+a"


def test_keys_that_few_terminals_send_are_told(tmp_path: Path) -> None:
    (notice,) = keymap(tmp_path, '"app.copy" = "ctrl+i"').notices
    assert notice == "app.copy: only terminals with the kitty keyboard protocol send ctrl+i; others send tab."
    assert keymap(tmp_path, '"app.copy" = "ctrl+i,f5"').notices == ()


def test_the_repl_has_the_same_ids(tmp_path: Path) -> None:
    default = Keymap()
    assert key_sequences(default, "prompt.newline") == [("c-j",), ("escape", "enter")]
    assert key_sequences(default, "repl.edit") == [("c-x", "c-e")]
    assert key_sequences(default, "repl.more") == [("+",)]
    changed = keymap(tmp_path, '"app.stop" = "ctrl+g, alt+A"\n"repl.leave" = "ctrl+space"')
    assert key_sequences(changed, "app.stop") == [("c-g",), ("escape", "A")]
    assert key_sequences(changed, "repl.leave") == [("c-@",)]
    assert any(keys.startswith("ctrl+g, alt+shift+a") and "Stop" in text for keys, text in keys_help(changed))
    for action in REPL:
        assert key_sequences(default, action.id), action.id


def test_the_command_line_lists_the_keys_that_hold(tmp_path: Path) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    file = Path(gptoss("config", "path", env=env).out.strip())
    assert file.name == "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[keys]\n"app.retry" = "ctrl+g"\n', encoding="utf-8")
    listed = gptoss("config", "keys", env=env).out
    assert "ctrl+g" in next(line for line in listed.splitlines() if line.startswith("app.retry "))
    assert "(file, line 2)" in listed
    file.write_text('[keys]\n"app.rety" = "ctrl+g"\n', encoding="utf-8")
    for command in (["config", "keys"], ["config", "show"], ["repl", "demo"]):
        broken = gptoss(*command, env=env)
        assert broken.code == 1
        assert "line 2: there is no binding app.rety" in broken.err


def test_the_page_of_keys_is_current() -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    listed = gptoss("config", "keys", env={"XDG_CONFIG_HOME": "/nowhere", "HOME": "/nowhere"}).out
    block = "".join(f"    {line}".rstrip() + "\n" for line in listed.splitlines())
    assert page.endswith(block), "run `gptoss config keys` and put what it prints at the end of docs/keys.md"
