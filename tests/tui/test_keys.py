"""Remapped keys do what they are bound to, and every place on the screen that names keys names the real ones."""

from __future__ import annotations

import threading

from gptoss_tui.keys import Keymap
from gptoss_tui.tui.screens.help import HelpScreen
from gptoss_tui.tui.widgets.turn import Note
from tests.tui.pilots import driven
from tests.tui.scripted import Script, ScriptedOpener, words


def _keymap(**changed: str) -> Keymap:
    sequences = {name.replace("_", "."): tuple((key,) for key in keys.split()) for name, keys in changed.items()}
    return Keymap(sequences)


async def test_a_remapped_key_acts_and_the_old_one_does_not() -> None:
    opener = ScriptedOpener(Script(words("One.")), Script(words("Two.")))
    async with driven(opener, keymap=_keymap(app_retry="ctrl+g", prompt_send="ctrl+t f5")) as test:
        await test.type("hello")
        await test.pilot.press("enter")
        assert test.main.prompt.text == "hello\n"
        await test.pilot.press("ctrl+t")
        await test.until(lambda: test.main.chat.turns and test.main.chat.turns[0].answer == "One.")
        await test.phase("idle")
        await test.pilot.press("alt+r")
        await test.pilot.press("ctrl+g")
        await test.until(lambda: test.main.chat.turns[0].answer == "Two.")


async def test_bars_hints_and_help_name_the_real_keys() -> None:
    hold = threading.Event()
    keymap = _keymap(app_retry="ctrl+g", app_new="f4", app_copy="", app_palette="f7")
    async with driven(ScriptedOpener(Script(words("One two."), hold=hold)), keymap=keymap, size=(200, 50)) as test:
        await test.until(lambda: "f7 palette" in test.screen_lines()[-1])
        await test.ask("hello")
        await test.phase("writing")
        await test.pilot.press("escape")
        await test.phase("idle")
        await test.until(lambda: any("ctrl+g retry" in str(note.render()) for note in test.main.query(Note)))
        await test.until(lambda: "ctrl+g retry" in test.screen_lines()[-1])
        bar = test.screen_lines()[-1]
        assert "f4 new" in bar
        assert "copy" not in bar
        await test.pilot.press("f4")
        await test.until(lambda: "f4 again" in test.screen_lines()[0])
        await test.pilot.press("question_mark")
        await test.until(lambda: isinstance(test.app.screen, HelpScreen))
        lines = str(test.app.screen.query_one("#help-text").render()).splitlines()
        assert next(line for line in lines if "Ask again; the answer so far" in line).startswith("ctrl+g ")
        assert next(line for line in lines if "Copy the answer as" in line).startswith("no key ")
        assert "command palette too (f7)" in lines[-1]


async def test_keys_that_work_everywhere_do_not_reach_under_a_sheet() -> None:
    async with driven() as test:
        await test.pilot.press("question_mark")
        await test.until(lambda: isinstance(test.app.screen, HelpScreen))
        await test.pilot.press("ctrl+o")
        assert test.main.query_one("#instruments").display
        await test.pilot.press("ctrl+c")
        await test.until(lambda: test.app.screen is test.main)
        assert "again to leave" not in test.screen_lines()[0]
