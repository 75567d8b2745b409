"""Moving about in a conversation: selecting, editing, asking again, branches, copying; what it costs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gptoss_tui.chat.tree import Node, new_id
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import Message
from gptoss_tui.tui.widgets.heading import Heading
from gptoss_tui.tui.widgets.turn import Turn
from tests.chat.talker import talking_checkpoint
from tests.tui.pilots import Driven, driven
from tests.tui.scripted import Script, ScriptedOpener, words

GREEDY = SamplingParams(temperature=0)


def _answers(test: Driven) -> list[str]:
    return [turn.answer for turn in test.main.chat.turns]


def _selected(test: Driven) -> Turn | None:
    return test.main.chat.selected


async def _talk(test: Driven, *prompts: str) -> None:
    for prompt in prompts:
        await test.ask(prompt)
        await test.phase("idle")


async def _click_on(test: Driven, text: str, widget: Heading | Turn) -> None:
    """Clicks the first place on a line over a message where `text` stands."""
    heading = widget if isinstance(widget, Heading) else widget.query(Heading).last()
    line = test.screen_lines()[heading.region.y][heading.region.x : heading.region.right]
    await test.pilot.click(heading, offset=(line.index(text), 0))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_walking_selects_turns_and_leaves_below_the_last(size: tuple[int, int]) -> None:
    opener = ScriptedOpener(Script(words("line \n\n" * 30)), Script(words("Two.")), Script(words("Three.")))
    async with driven(opener, size=size) as test:
        await _talk(test, "one", "two", "three")
        await test.type("a draft")
        for expected in (2, 1, 0, 0):
            await test.pilot.press("alt+up")
            await test.until(lambda expected=expected: _selected(test) is test.main.chat.turns[expected])  # type: ignore[misc]
        assert test.app.focused is test.main.chat
        await test.until(lambda: test.main.chat.turns[0].region.y <= test.main.chat.region.y + 2)
        for expected in (1, 2):
            await test.pilot.press("alt+down")
            await test.until(lambda expected=expected: _selected(test) is test.main.chat.turns[expected])  # type: ignore[misc]
        await test.pilot.press("alt+down")
        await test.until(lambda: test.app.focused is test.main.prompt)
        await test.until(lambda: _selected(test) is None)
        assert test.main.prompt.text == "a draft"


async def test_reading_down_goes_through_a_long_turn_before_the_next() -> None:
    opener = ScriptedOpener(Script(words("line \n\n" * 40)), Script(words("Two.")))
    async with driven(opener, size=(80, 24)) as test:
        await _talk(test, "one", "two")
        await test.pilot.press("alt+up", "alt+up")
        await test.until(lambda: _selected(test) is test.main.chat.turns[0])
        await test.until(lambda: test.main.chat.turns[0].region.y == test.main.chat.scrollable_content_region.y)
        steps = 0
        while _selected(test) is test.main.chat.turns[0]:
            await test.pilot.press("down")
            steps += 1
        assert steps > 10
        await test.pilot.press("up", "up")
        await test.until(lambda: _selected(test) is test.main.chat.turns[0])


async def test_what_can_be_done_is_shown_where_one_looks_and_nowhere_else() -> None:
    async with driven(ScriptedOpener(Script(words("One.")), Script(words("Half"), reason="length"))) as test:
        await _talk(test, "one", "two")
        assert "retry" not in "\n".join(str(heading.render()) for heading in test.main.query(Heading))
        await test.pilot.hover(test.main.chat.turns[0], offset=(4, 1))
        heading = test.main.chat.turns[0].query(Heading).last()
        await test.until(lambda: str(heading.render()).endswith("retry  edit  fork  copy"))
        await test.pilot.press("alt+up")
        heading = test.main.chat.turns[1].query(Heading).last()
        await test.until(lambda: "r retry  c continue  a edit  f fork" in str(heading.render()))
        await test.until(lambda: "to read: edit" in str(test.main.chat.border_subtitle))


async def test_a_message_is_edited_with_its_cost_and_the_draft_comes_back() -> None:
    opener = ScriptedOpener(Script(words("One.")), Script(words("Two.")), Script(words("Changed.")))
    async with driven(opener) as test:
        await _talk(test, "first question", "second question")
        await test.type("my draft")
        await test.pilot.press("alt+up", "alt+up", "e")
        await test.until(lambda: test.main.prompt.text == "first question")
        assert test.app.focused is test.main.prompt
        await test.until(lambda: "Edit 1 · reuses 30 tokens, prefills 10 · esc cancels" in test.text_of("#promptbar"))
        await test.pilot.press("escape")
        await test.until(lambda: test.main.prompt.text == "my draft")
        assert "Edit" not in test.text_of("#promptbar")
        assert _answers(test) == ["One.", "Two."]
        await test.pilot.press("alt+up", "alt+up", "e")
        await test.until(lambda: test.main.prompt.text == "first question")
        await test.type(" changed")
        await test.pilot.press("enter")
        await test.until(lambda: _answers(test) == ["Changed."])
        await test.phase("idle")
        assert test.main.chat.turns[0].prompt == "first question changed"
        assert test.main.prompt.text == "my draft"
        await test.until(lambda: "You  ‹ 2/2 ›" in test.text_of("#chat"))
        # The other branch is there, and all that followed in it.
        await test.pilot.press("alt+up", "left_square_bracket")
        await test.until(lambda: _answers(test) == ["One.", "Two."])
        await test.until(lambda: "You  ‹ 1/2 ›" in test.text_of("#chat"))
        assert _selected(test) is test.main.chat.turns[0]


async def test_retrying_keeps_the_answer_and_arrows_switch_by_key_and_mouse() -> None:
    opener = ScriptedOpener(Script(words("One.")), Script(words("Two.")), Script(words("Three.")))
    async with driven(opener) as test:
        await _talk(test, "question")
        for told in ("Two.", "Three."):
            await test.pilot.press("alt+r")
            await test.until(lambda told=told: _answers(test) == [told])  # type: ignore[misc]
            await test.phase("idle")
        await test.until(lambda: "gpt-oss  ‹ 3/3 ›" in test.text_of("#chat"))
        await test.until(lambda: "Retry: reuses 30 tokens, prefills 10" in test.text_of("#promptbar"))
        await test.pilot.press("alt+comma")
        await test.until(lambda: _answers(test) == ["Two."])
        await test.phase("idle")
        await test.pilot.press("alt+full_stop", "alt+full_stop")
        await test.until(lambda: _answers(test)[0] in ("Three.", "One."))
        await test.phase("idle")
        before = _answers(test)
        await test.until(lambda: "‹" in test.text_of("#chat"))
        await _click_on(test, "›", test.main.chat.turns[0])
        await test.until(lambda: _answers(test) != before)


async def test_an_answer_is_edited_and_gone_on_with() -> None:
    async with driven(ScriptedOpener(Script(words("The sky is green.")), Script(words("and so on.")))) as test:
        await _talk(test, "sky?")
        await test.pilot.press("alt+up")
        await _click_on(test, "edit", test.main.chat.turns[0])
        await test.until(lambda: test.main.prompt.text == "The sky is green.")
        await test.until(lambda: "Edit 1 · reuses" in test.text_of("#promptbar"))
        assert not test.main.prompt.remembers
        test.main.prompt.fill("The sky is blue …")
        await test.pilot.press("enter")
        await test.until(lambda: _answers(test) == ["and so on."])
        assert "The sky is blue" not in test.main.prompt.prompts.prompts


async def test_nothing_is_asked_while_an_answer_is_written_and_the_text_stays() -> None:
    hold = threading.Event()
    opener = ScriptedOpener(Script(words("One.")), Script(words("On and on"), hold=hold), Script(words("Three.")))
    async with driven(opener) as test:
        await _talk(test, "one")
        await test.ask("two")
        await test.phase("writing")
        await test.pilot.press("alt+up", "alt+up", "e")
        await test.until(lambda: test.main.prompt.text == "one")
        await test.pilot.press("enter")
        await test.until(lambda: any("is being written" in note.message for note in test.app._notifications))
        await test.until(lambda: test.main.prompt.text == "one")
        assert test.main.mover.editing is not None
        hold.set()
        await test.phase("idle")
        await test.pilot.press("enter")
        await test.until(lambda: _answers(test) == ["Three."])


async def test_copying_takes_the_selected_answer_and_its_code() -> None:
    async with driven(ScriptedOpener(Script(words("See:\n\n```\na = 1\n```\n\nDone.")), Script(words("Two.")))) as test:
        await _talk(test, "one", "two")
        await test.pilot.press("alt+up", "alt+up", "Y")
        await test.until(lambda: test.app.clipboard == "a = 1")
        await test.pilot.press("down", "y")
        await test.until(lambda: test.app.clipboard == "Two.")


async def test_ways_on_under_a_stopped_answer_can_be_clicked() -> None:
    opener = ScriptedOpener(Script(words("Half an"), reason="length"), Script(words("Whole.")))
    async with driven(opener) as test:
        await _talk(test, "all of it")
        await test.until(lambda: "alt+g continue   alt+r retry" in test.text_of("#chat"))
        note = test.main.query_one("Note.-warning")
        y = next(y for y, line in enumerate(test.screen_lines()) if "alt+r retry" in line)
        x = test.screen_lines()[y].index("alt+r retry")
        await test.pilot.click(note, offset=(x - note.region.x + 1, y - note.region.y))
        await test.until(lambda: _answers(test) == ["Whole."])


async def test_moves_on_a_real_model_reuse_what_was_read(tmp_path: Path) -> None:
    folder = talking_checkpoint(tmp_path, ["<|channel|>final<|message|>" + "Oh, yes" * 20 + "<|return|>"])
    async with driven(folder=folder, params=GREEDY, max_tokens=12, size=(200, 50)) as test:
        await _talk(test, "Hello there, is it " + "so " * 60)
        first = test.main.chat.turns[0].answer
        await test.pilot.press("alt+g")
        await test.until(lambda: len(test.main.chat.turns[0].answer) > len(first))
        await test.phase("idle")
        assert test.main.chat.turns[0].answer.startswith(first)
        await test.until(lambda: "Continue: reuses" in test.text_of("#promptbar"))
        cost = test.text_of("#promptbar")
        reused, read = (int(part.replace(",", "")) for part in _figures(cost))
        assert reused > 60
        assert read <= 2
        await test.pilot.press("alt+r")
        await test.until(lambda: "‹ 2/2 ›" in test.text_of("#chat"))
        await test.phase("idle")
        conversation = test.main.conductor.backend
        assert conversation is not None
        await test.pilot.press("alt+n")
        await test.until(lambda: "Fork:" in test.text_of("#promptbar"))
        await test.phase("idle")
        await test.until(lambda: "‹" not in test.text_of("#chat"))
        assert _answers(test)[0].startswith("Oh")


def _figures(cost: str) -> tuple[str, str]:
    words_of = cost.replace(",", "").split()
    at = words_of.index("reuses")
    return words_of[at + 1], words_of[at + 4]


async def test_a_long_conversation_is_drawn_a_window_at_a_time_and_stays_in_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gptoss_tui.tui.widgets.chat.MOST", 16)
    opener = ScriptedOpener()
    async with driven(opener, size=(80, 24)) as test:
        for number in range(20):
            for message in (Message.user(f"Question {number}"), Message.assistant("Yes.")):
                node = Node(new_id(), opener.session.tree.head, message.role, (message,))
                opener.session.tree.add(node)
                opener.session.tree.move(node.id)
        await test.main.conductor.moved()
        chat = test.main.chat
        await test.until(lambda: "Question 19" in test.text_of("#chat"))
        assert len(chat.turns) <= 12
        test.main.go_to("chat")
        drawn, top = len(chat.turns), chat.turns[0]
        chat.scroll_home(animate=False)
        await test.until(lambda: len(chat.turns) > drawn)
        await test.until(lambda: top.region.y > 0)
        # What stood at the top stands there still, below what came in above it.
        await test.until(lambda: abs(top.region.y - chat.scrollable_content_region.y) <= 2)
        selected = 19
        while selected:
            await test.pilot.press("alt+up")
            selected -= 1
            await test.until(lambda at=selected: chat.selected is not None and chat.selected.prompt == f"Question {at}")  # type: ignore[misc]
        assert len(chat.turns) == 20
        assert "further up" not in test.text_of("#chat")
        test.main.prompt.fill("one more")
        test.main.prompt.focus()
        await test.pilot.press("enter")
        await test.until(lambda: chat.turns[-1].answer == "Hello there.")
        assert len(chat.turns) <= 17
        await test.until(lambda: len(opener.session.path) == 42)
