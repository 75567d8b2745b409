"""The interface on the real engine: a tiny checkpoint, loaded, asked, watched, stopped and left."""

from __future__ import annotations

from pathlib import Path

import pytest

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.tui.widgets.turn import Note
from tests.chat.talker import talking_checkpoint
from tests.tui.pilots import driven

RAMBLING = "<|channel|>final<|message|>" + "Oh, yes" * 50 + "<|return|>"
GREEDY = SamplingParams(temperature=0)


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thinks, then answers `Hello there`."""
    return talking_checkpoint(tmp_path_factory.mktemp("talker"))


@pytest.fixture(scope="module")
def rambler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Greedy, it never stops."""
    return talking_checkpoint(tmp_path_factory.mktemp("rambler"), [RAMBLING])


async def test_a_prompt_is_answered_and_every_pane_tells_of_it(talker: Path) -> None:
    async with driven(folder=talker, params=SamplingParams(seed=3)) as test:
        await test.ask("Hello?")
        await test.phase("idle")
        await test.until(lambda: test.main.chat.turns[0].answer)
        assert "there" in test.main.chat.turns[0].answer
        await test.until(lambda: "<|return|>" in test.text_of("#tokens"))
        await test.until(lambda: "2 sliding · 2 full" in test.text_of("#layers"))
        assert "CPU" in test.screen_lines()[0] or "Metal" in test.screen_lines()[0]
        await test.ask("And again?")
        await test.phase("idle")
        await test.until(lambda: any("reused" in str(note.render()) for note in test.main.query(Note)))


async def test_temperature_turned_in_mid_answer_marks_its_token(rambler: Path) -> None:
    async with driven(folder=rambler, params=GREEDY, size=(200, 50)) as test:
        await test.ask("Go on")
        await test.phase("writing")
        test.keys("ctrl+s")
        await test.until(lambda: test.app.focused is test.main.sampling)
        test.keys("0", "full_stop", "5", "enter")
        await test.until(lambda: any(row.changed for row in test.main.tokens._rows))
        row = next(row for row in test.main.tokens._rows if row.changed)
        assert (row.changed, row.temperature) == ("temperature 0 → 0.5", 0.5)
        test.keys("escape")
        await test.phase("idle")
        assert test.main.chat.turns[0].answer.startswith("Oh, yes")


async def test_an_answer_of_limited_length_says_so(rambler: Path) -> None:
    async with driven(folder=rambler, params=GREEDY, max_tokens=20) as test:
        await test.ask("Go on")
        await test.phase("idle")
        await test.until(lambda: any("--max-tokens" in str(note.render()) for note in test.main.query(Note)))


async def test_a_full_context_says_so(tmp_path: Path) -> None:
    async with driven(folder=talking_checkpoint(tmp_path, [RAMBLING], context=256), params=GREEDY) as test:
        await test.ask("Go on")
        await test.phase("idle")
        await test.until(lambda: any("context is full: 256" in str(note.render()) for note in test.main.query(Note)))
        await test.ask("word " * 300)
        await test.phase("idle")
        await test.until(lambda: any("context holds 256" in str(note.render()) for note in test.main.query(Note)))


async def test_a_folder_that_is_no_model_is_told_with_a_hint(tmp_path: Path) -> None:
    async with driven(folder=tmp_path / "missing", loaded=False) as test:
        await test.phase("failed")
        await test.until(lambda: "✕ no model" in test.screen_lines()[0])
        test.main.prompt.fill("Hello?")
        await test.pilot.press("enter")
        await test.until(lambda: test.app._notifications)
        assert test.main.prompt.text == "Hello?"
        errors = [str(note.render()) for note in test.main.query(Note) if note.has_class("-error")]
        assert len(errors) == 1
        assert len(errors[0].splitlines()) == 2


async def test_leaving_while_it_writes_closes_the_engine(rambler: Path) -> None:
    async with driven(folder=rambler, params=GREEDY) as test:
        await test.ask("Go on")
        await test.phase("writing")
        test.keys("ctrl+q")
        await test.until(lambda: test.app._exit)
        test.app.close()
        assert test.main.conductor.backend is not None
        assert not test.main.conductor.backend.engine.busy
