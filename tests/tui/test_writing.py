"""A conversation on scripted models: pace, thinking, knobs, stopping, queueing, endings."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gptoss_tui.chat.events import TurnReason
from gptoss_tui.tui.widgets.turn import Note, Thinking
from tests.tui.pilots import Driven, driven
from tests.tui.scripted import Script, ScriptedOpener, words


def _notes(test: Driven) -> str:
    return "\n".join(str(note.render()) for note in test.main.query(Note))


async def test_a_prompt_sent_while_loading_waits_visibly_and_is_answered() -> None:
    opener = ScriptedOpener(at_once=False)
    async with driven(opener, loaded=False) as test:
        await test.type("hi there")
        await test.pilot.press("enter")
        await test.until(lambda: test.main.chat.turns)
        await test.until(lambda: "queued until the model is loaded" in test.text_of("#chat"))
        await test.until(lambda: "1 queued" in test.screen_lines()[0])
        opener.let.set()
        await test.until(lambda: test.main.chat.turns[0].answer == "Hello there.")
        assert "queued" not in test.text_of("#chat")


async def test_escape_gives_a_queued_prompt_back() -> None:
    opener = ScriptedOpener(at_once=False)
    async with driven(opener, loaded=False) as test:
        await test.ask("not yet")
        await test.pilot.press("escape")
        await test.until(lambda: test.main.prompt.text == "not yet")
        assert not test.main.chat.turns


async def test_what_is_sent_while_writing_is_answered_next() -> None:
    hold = threading.Event()
    opener = ScriptedOpener(Script(words("First answer."), hold=hold), Script(words("Second answer.")))
    async with driven(opener) as test:
        await test.ask("one")
        await test.phase("writing")
        await test.ask("two")
        await test.until(lambda: "queued until this answer ends" in test.text_of("#chat"))
        hold.set()
        await test.until(lambda: len(opener.session.messages) == 4)
        await test.phase("idle")
        assert [turn.answer for turn in test.main.chat.turns] == ["First answer.", "Second answer."]


async def test_thinking_is_closed_while_it_streams_and_opens_by_key_and_mouse() -> None:
    hold = threading.Event()
    script = Script(words("Let me think about it.", "analysis") + words("Well then."), hold=hold)
    async with driven(ScriptedOpener(script)) as test:
        await test.ask("why?")
        await test.phase("writing")
        await test.until(lambda: test.main.query(Thinking))
        block = test.main.query_one(Thinking)
        await test.until(lambda: "▸ Thinking · 5 tokens" in test.text_of("#chat"))
        assert "Let me think" not in test.text_of("#chat")
        await test.pilot.press("alt+t")
        await test.until(lambda: "Let me think about it." in test.text_of("#chat"))
        await test.pilot.click(".thinking--head")
        await test.until(lambda: "Let me think" not in test.text_of("#chat"))
        block.focus()
        await test.pilot.press("enter")
        await test.until(lambda: block.opened)
        hold.set()
        await test.phase("idle")
        await test.pilot.press("x")
        assert test.app.clipboard == "Let me think about it."
        await test.pilot.press("alt+c")
        assert test.app.clipboard == "Well then."


async def test_a_knob_turned_while_writing_holds_from_the_next_token_on() -> None:
    hold = threading.Event()
    opener = ScriptedOpener(Script(words("one two three four five six"), hold=hold))
    async with driven(opener) as test:
        await test.ask("count")
        await test.phase("writing")
        await test.pilot.press("ctrl+s")
        await test.until(lambda: test.app.focused is test.main.sampling)
        await test.pilot.press("left", "left", "left", "shift+left")
        await test.until(lambda: opener.session.params.temperature == pytest.approx(0.69))
        hold.set()
        await test.phase("idle")
        await test.until(lambda: "0.69" in test.text_of("#tokens"))
        assert any(row.changed == "temperature 1 → 0.69" for row in test.main.tokens._rows)
        assert "◂" in test.text_of("#tokens")


async def test_knobs_take_typed_values_defaults_clicks_and_the_wheel() -> None:
    async with driven(size=(200, 50)) as test:
        session = test.main.conductor.backend.session if test.main.conductor.backend else None
        assert session is not None
        await test.pilot.press("ctrl+s")
        await test.until(lambda: test.app.focused is test.main.sampling)
        await test.pilot.press("down", "0", ".", "9", "enter")
        await test.until(lambda: session.params.top_p == 0.9)
        await test.pilot.press("backspace")
        await test.until(lambda: session.params.top_p == 1)
        await test.pilot.press("2", "enter")
        await test.until(lambda: any("top-p cannot be" in note.message for note in test.app._notifications))
        assert session.params.top_p == 1
        width = test.main.sampling.size.width
        await test.pilot.click("#sampling", offset=(width // 2, 3))
        await test.until(lambda: 20 < session.params.top_k < 180)
        await test.pilot.mouse_down("#sampling", offset=(width // 2, 1))
        await test.pilot.hover("#sampling", offset=(width - 1, 1))
        await test.pilot.mouse_up("#sampling", offset=(width - 1, 1))
        await test.until(lambda: session.params.temperature == 2)


async def test_escape_stops_and_alt_r_asks_again() -> None:
    hold = threading.Event()
    opener = ScriptedOpener(Script(words("A long answer that goes on."), hold=hold), Script(words("Another answer.")))
    async with driven(opener) as test:
        await test.ask("go on")
        await test.phase("writing")
        await test.pilot.press("escape")
        await test.phase("idle")
        await test.until(lambda: "Stopped." in _notes(test))
        await test.pilot.press("alt+r")
        await test.until(lambda: test.main.chat.turns[0].answer == "Another answer.")
        assert "Stopped." not in _notes(test)
        assert len(test.main.chat.turns) == 1


@pytest.mark.parametrize(
    ("reason", "told"),
    [("length", "--max-tokens"), ("context", "The context is full"), ("tool_call", "called a tool")],
)
async def test_an_answer_that_ends_early_says_why_and_how_to_go_on(reason: TurnReason, told: str) -> None:
    async with driven(ScriptedOpener(Script(words("Half an"), reason=reason))) as test:
        await test.ask("all of it")
        await test.until(lambda: told in _notes(test))


async def test_reading_a_long_prompt_shows_progress() -> None:
    script = Script(words("Read."), prompt_tokens=8_000, prefill_steps=40)
    async with driven(ScriptedOpener(script), size=(200, 50)) as test:
        await test.ask("a long text")
        await test.until(lambda: "of 8,000 tokens" in test.screen_lines()[0])
        assert "reading prompt" in test.screen_lines()[0]
        await test.phase("idle")


async def test_pausing_freezes_the_view_and_not_the_model() -> None:
    hold = threading.Event()
    opener = ScriptedOpener(Script(words("first half"), hold=None), Script(words("second " * 40), hold=hold))
    async with driven(opener) as test:
        await test.ask("one")
        await test.phase("idle")
        await test.pilot.press("alt+p")
        before = test.text_of("#tokens").splitlines()[1:-1]
        await test.ask("two")
        await test.phase("writing")
        await test.until(lambda: "newer" in test.text_of("#tokens"))
        assert test.text_of("#tokens").splitlines()[1:-1] == before
        hold.set()
        await test.phase("idle")
        await test.pilot.press("alt+p")
        await test.until(lambda: "second" in test.text_of("#tokens"))


async def test_a_new_conversation_is_asked_for_twice() -> None:
    opener = ScriptedOpener(about="A small model.")
    async with driven(opener) as test:
        await test.ask("hello")
        await test.phase("idle")
        await test.pilot.press("ctrl+l")
        await test.until(lambda: "ctrl+l again" in test.screen_lines()[0])
        assert test.main.chat.turns
        await test.pilot.press("ctrl+l")
        await test.until(lambda: not test.main.chat.turns)
        assert opener.session.messages == ()
        await test.until(lambda: "A small model." in test.text_of("#chat"))
        await test.ask("again")
        await test.until(lambda: test.main.chat.turns[0].answer == "Hello there.")


async def test_clearing_while_it_writes_leaves_nothing_behind() -> None:
    hold = threading.Event()
    opener = ScriptedOpener(Script(words("Never seen to its end."), hold=hold), Script(words("Fresh.")))
    async with driven(opener) as test:
        await test.ask("hello")
        await test.phase("writing")
        test.main.prompt.fill("/clear")
        await test.pilot.press("enter")
        await test.until(lambda: not test.main.chat.turns)
        await test.phase("idle")
        hold.set()
        await test.ask("again")
        await test.until(lambda: test.main.chat.turns[0].answer == "Fresh.")


async def test_the_first_ctrl_c_stops_or_warns_and_the_second_leaves() -> None:
    hold = threading.Event()
    async with driven(ScriptedOpener(Script(words("On and on."), hold=hold))) as test:
        await test.ask("hello")
        await test.phase("writing")
        await test.pilot.press("ctrl+c")
        await test.phase("idle")
        await test.pilot.press("ctrl+c")
        await test.until(lambda: "ctrl+c again to leave" in test.screen_lines()[0])
        await test.pilot.press("ctrl+c")
        await test.until(lambda: not test.app.is_running or test.app._exit)


async def test_figures_add_up_on_the_panes(tmp_path: Path) -> None:
    hold = threading.Event()
    opener = ScriptedOpener(Script(words("x " * 10), prompt_tokens=3_400, hold=hold))
    async with driven(opener, size=(200, 50)) as test:
        await test.ask("count")
        await test.until(lambda: "sees 3,410 of 3,410" in test.text_of("#layers"))
        assert "sees   127 of 3,410" in test.text_of("#layers")
        await test.until(lambda: "12 sliding · 12 full · 82.9 MiB" in test.text_of("#layers"))
        assert "3,410 of 131,072 · 127,662 left" in test.text_of("#kv")
        assert "3,409" in test.text_of("#tokens")
        hold.set()
        await test.phase("idle")
