"""The prompt by key: lines, history, search, pastes, commands, help, palette."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.widgets import OptionList

from gptoss_tui.keys.table import ON_SCREEN
from gptoss_tui.tui.helptext import FIGURES
from gptoss_tui.tui.screens.help import HelpScreen
from gptoss_tui.tui.screens.history import HistoryScreen
from tests.tui.pilots import driven
from tests.tui.scripted import ScriptedOpener


async def test_lines_break_by_key_and_enter_sends_them_together() -> None:
    opener = ScriptedOpener()
    async with driven(opener) as test:
        await test.pilot.press("a", "ctrl+j", "b", "alt+enter", "c")
        assert test.main.prompt.text == "a\nb\nc"
        await test.pilot.press("enter")
        await test.until(lambda: opener.session.messages)
        assert opener.session.messages[0].text == "a\nb\nc"


@pytest.mark.parametrize("pasted", ["one\ntwo\n", "one\r\ntwo\r\n", "one\rtwo\r", "\x1b[31mone\x07\ntwo\n"])
async def test_a_paste_is_text_and_sends_nothing(pasted: str) -> None:
    async with driven() as test:
        test.app.post_message(events.Paste(pasted))
        await test.until(lambda: test.main.prompt.text)
        assert test.main.prompt.text == "one\ntwo\n".replace("one", "[31mone" if "\x1b" in pasted else "one")
        assert not test.main.chat.turns


async def test_keys_that_come_at_once_are_a_paste_even_without_brackets() -> None:
    async with driven() as test:
        for key, char in (("a", "a"), ("enter", "\r"), ("b", "b")):
            event = events.Key(key, char)
            # As a terminal's one write is parsed: all keys within microseconds.
            event.time = 100.0
            test.app.post_message(event)
        await test.until(lambda: test.main.prompt.text == "a\nb")
        assert not test.main.chat.turns


async def test_history_begins_at_the_edges_and_keeps_the_draft(tmp_path: Path) -> None:
    async with driven(history=tmp_path / "prompts.jsonl") as test:
        for text in ("first", "second"):
            await test.ask(text)
            await test.phase("idle")
        await test.type("draft")
        await test.pilot.press("up")
        assert test.main.prompt.text == "second"
        await test.pilot.press("up")
        assert test.main.prompt.text == "first"
        await test.pilot.press("down", "down")
        assert test.main.prompt.text == "draft"
    async with driven(history=tmp_path / "prompts.jsonl") as test:
        await test.pilot.press("up")
        assert test.main.prompt.text == "second"


async def test_ctrl_r_searches_and_gives_back_without_sending() -> None:
    async with driven() as test:
        test.main.prompt.prompts.prompts += ["explain tides", "explain qubits", "a poem"]
        await test.pilot.press("ctrl+r")
        await test.until(lambda: isinstance(test.app.screen, HistoryScreen))
        await test.pilot.press(*"tides")
        await test.until(lambda: test.app.screen.query_one(OptionList).option_count == 1)
        await test.pilot.press("enter")
        await test.until(lambda: test.main.prompt.text == "explain tides")
        assert not test.main.chat.turns
        assert test.app.focused is test.main.prompt


async def test_commands_are_offered_completed_and_done() -> None:
    opener = ScriptedOpener()
    async with driven(opener) as test:
        await test.type("/eff")
        await test.until(lambda: "/effort" in test.text_of("#suggestions"))
        await test.pilot.press("tab")
        assert test.main.prompt.text == "/effort "
        await test.type("high")
        await test.pilot.press("enter")
        await test.until(lambda: opener.session.effort == "high")
        await test.until(lambda: "effort high" in test.screen_lines()[0])
        assert not test.main.chat.turns


async def test_a_command_that_is_none_is_given_back() -> None:
    async with driven() as test:
        test.main.prompt.fill("/efort")
        await test.pilot.press("enter")
        await test.until(lambda: any("no command" in note.message for note in test.app._notifications))
        assert test.main.prompt.text == "/efort"


async def test_commands_that_need_a_model_wait_for_it() -> None:
    async with driven(ScriptedOpener(at_once=False), loaded=False) as test:
        test.main.prompt.fill("/retry")
        await test.pilot.press("enter")
        await test.until(lambda: any("not loaded yet" in note.message for note in test.app._notifications))
        test.main.prompt.fill("/help")
        await test.pilot.press("enter")
        await test.until(lambda: isinstance(test.app.screen, HelpScreen))


async def test_effort_goes_round_by_key() -> None:
    opener = ScriptedOpener()
    async with driven(opener) as test:
        seen = []
        for _ in range(3):
            await test.pilot.press("alt+e")
            seen.append(opener.session.effort)
        assert seen == ["high", "low", "medium"]


@pytest.mark.parametrize("pane", ["layers", "kv", "tokens", "sampling"])
async def test_every_pane_explains_itself(pane: str) -> None:
    async with driven() as test:
        test.main.go_to(pane)
        await test.until(lambda: test.app.focused is not None and test.app.focused.id == pane)
        await test.pilot.press("question_mark")
        await test.until(lambda: isinstance(test.app.screen, HelpScreen))
        assert FIGURES[pane][1][0][1][:20] in test.text_of("#help-text")
        await test.pilot.press("escape")
        await test.until(lambda: test.app.screen is test.main)


async def test_every_pane_is_reached_by_tab_and_left_by_escape() -> None:
    async with driven() as test:
        reached = set()
        for _ in range(8):
            await test.pilot.press("tab")
            reached.add(test.app.focused.id if test.app.focused else None)
        assert {"layers", "kv", "tokens", "sampling", "chat", "prompt"} <= reached
        await test.pilot.press("alt+2", "escape")
        await test.until(lambda: test.app.focused is test.main.prompt)


async def test_every_action_is_in_the_palette_and_every_binding_has_id_and_tooltip() -> None:
    async with driven() as test:
        commands = {command.help for command in test.app.get_system_commands(test.app.screen)}
        for actions in ON_SCREEN.values():
            for action in actions:
                assert action.id
                assert action.help.endswith(".")
                assert not action.palette or action.help in commands
        ids = [action.id for actions in ON_SCREEN.values() for action in actions]
        assert len(ids) == len(set(ids))
        await test.pilot.press("ctrl+p")
        await test.until(lambda: test.app.screen is not test.main)
        await test.pilot.press(*"history", "enter")
        await test.until(lambda: isinstance(test.app.screen, HistoryScreen))
