"""Other models under the same conversation: chosen from the list or named, refused, failed, given up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gptoss_tui.chat.opening import open_model
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import LoadCancelled
from gptoss_tui.tui.screens.models import ModelScreen
from gptoss_tui.tui.widgets.turn import Note
from tests.chat.talker import talking_checkpoint
from tests.tui.pilots import Driven, driven


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models that answer differently, one that is half there, and one that breaks while it loads."""
    root = tmp_path_factory.mktemp("models")
    for name, words in (("one", "First"), ("two", "Second"), ("half", "Half"), ("broken", "Broken")):
        talking_checkpoint(root / name, [f"<|channel|>final<|message|>{words}<|return|>"])
    (root / "half" / "tokenizer.json").unlink()
    tokenizer = json.loads((root / "broken" / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] = {}
    (root / "broken" / "tokenizer.json").write_text(json.dumps(tokenizer))
    return root


@pytest.fixture(autouse=True)
def home(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but these models, and the bundled one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "config" / "gptoss").mkdir(parents=True)
    (tmp_path / "config" / "gptoss" / "config.toml").write_text(f'model-folders = ["{models}"]\n')


def notes(test: Driven) -> list[str]:
    return [str(note.render()) for note in test.main.query(Note)]


async def told(test: Driven, text: str) -> None:
    await test.until(lambda: any(text in note for note in notes(test)))


async def answered(test: Driven, prompt: str, answer: str) -> None:
    await test.ask(prompt)
    await test.until(lambda: test.main.chat.turns[-1].answer.strip() == answer)
    await test.phase("idle")


async def test_a_conversation_goes_on_with_the_model_that_is_named(models: Path) -> None:
    async with driven(folder=models / "one") as test:
        await answered(test, "Hello?", "First")
        old = test.main.conductor.backend
        assert old is not None
        await test.main.conductor.use_model(models / "one")
        assert test.main.conductor.backend is old  # it is loaded already
        test.main.front_end.execute(f"/model {models / 'two'}")
        await told(test, "two goes on with this conversation")
        assert any("Memory: " in note and " once it was let go" in note for note in notes(test))
        await answered(test, "And now?", "Second")
        backend = test.main.conductor.backend
        assert backend is not None
        assert backend.session is old.session
        assert [node.text for node in backend.session.path] == ["Hello?", "First", "And now?", "Second"]
        assert test.main.conductor.snapshot.info is backend.engine.info
        # What the new engine was given begins with what the old one said.
        assert backend.engine.layers()[1].tokens > 20


async def test_the_list_is_filtered_and_tells_each_fit(models: Path) -> None:
    async with driven(folder=models / "one") as test:
        await test.pilot.press("alt+m")
        await test.until(lambda: isinstance(test.app.screen, ModelScreen))
        await test.until(lambda: all(name in test.text_of("#models-found") for name in ("demo", "one", "two", "half")))
        assert "• " in next(line for line in test.text_of("#models-found").splitlines() if "one" in line)
        await test.type("two")
        await test.until(lambda: "demo" not in test.text_of("#models-found"))
        assert "GiB at 8,192 tokens" in test.text_of("#models-foot")
        await test.pilot.press("enter")
        await told(test, "two goes on with this conversation")


async def test_what_is_not_in_order_is_refused_and_the_model_stays(models: Path) -> None:
    async with driven(folder=models / "one") as test:
        await test.pilot.press("alt+m")
        await test.until(lambda: isinstance(test.app.screen, ModelScreen))
        await test.until(lambda: "half" in test.text_of("#models-found"))
        await test.type("half")
        await test.until(lambda: "problem: " in test.text_of("#models-foot"))
        await test.pilot.press("enter")
        await test.until(lambda: any("cannot be loaded" in note.message for note in test.app._notifications))
        assert isinstance(test.app.screen, ModelScreen)
        test.keys("escape")
        await test.until(lambda: test.app.screen is test.main)
        test.main.front_end.execute(f"/model {models / 'half'}")
        await told(test, "half is not in order")
        await test.phase("idle")
        await answered(test, "Still there?", "First")


async def test_where_the_other_one_fails_the_old_one_comes_back(models: Path) -> None:
    async with driven(folder=models / "one") as test:
        test.main.front_end.execute(f"/model {models / 'broken'}")
        await told(test, "one is back")
        await answered(test, "Still there?", "First")


def slow_to_load(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Lets the second model load until somebody gives up; the event is set once it has begun."""
    begun = threading.Event()

    def slow(folder: Path, on_progress: Any, cancelled: Callable[[], bool], **how: Any) -> Any:
        if folder.name != "two":
            return open_model(folder, on_progress, cancelled, **how)
        begun.set()
        while not cancelled():
            threading.Event().wait(0.01)
        raise LoadCancelled("Loading was cancelled")

    monkeypatch.setattr("gptoss_tui.chat.switching.open_model", slow)
    return begun


async def test_not_while_an_answer_is_being_written(models: Path, tmp_path: Path) -> None:
    rambling = "<|channel|>final<|message|>" + "Oh, yes" * 50 + "<|return|>"
    rambler = talking_checkpoint(tmp_path / "rambler", [rambling])
    async with driven(folder=rambler, params=SamplingParams(temperature=0)) as test:
        await test.ask("Go on")
        await test.phase("writing")
        before = test.main.conductor.backend
        test.main.front_end.execute(f"/model {models / 'two'}")
        await test.until(lambda: any("Not now: an answer" in note.message for note in test.app._notifications))
        assert test.main.conductor.backend is before
        test.keys("escape")
        await test.phase("idle")


async def test_leaving_does_not_wait_for_a_model_on_its_way(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = slow_to_load(monkeypatch)
    async with driven(folder=models / "one") as test:
        await answered(test, "Hello?", "First")
        test.main.front_end.execute(f"/model {models / 'two'}")
        await test.until(begun.is_set)
    assert test.main.conductor.backend is None


async def test_esc_brings_the_old_one_back(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = slow_to_load(monkeypatch)
    async with driven(folder=models / "one") as test:
        test.main.front_end.execute(f"/model {models / 'two'}")
        await test.until(begun.is_set)
        assert test.main.conductor.snapshot.phase == "loading"
        test.main.front_end.execute(f"/model {models / 'two'}")  # one at a time
        assert test.main.conductor.snapshot.phase == "loading"
        test.keys("escape")
        await told(test, "Loading was stopped. one is back")
        await answered(test, "Still there?", "First")


async def test_where_neither_can_be_loaded_another_one_can_be_chosen(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(folder: Path, *how: Any, **named: Any) -> Any:
        return open_model(models / "broken" if folder.name == "one" else folder, *how, **named)

    monkeypatch.setattr("gptoss_tui.chat.switching.open_model", lost)
    async with driven(folder=models / "one") as test:
        await answered(test, "Hello?", "First")
        test.main.front_end.execute(f"/model {models / 'broken'}")
        await test.phase("failed")
        await told(test, "could not be loaded again")
        test.main.front_end.execute(f"/model {models / 'two'}")
        await told(test, "two goes on with this conversation")
        await answered(test, "And now?", "Second")


async def test_a_first_model_that_failed_is_replaced(models: Path) -> None:
    async with driven(folder=models / "broken", loaded=False) as test:
        await test.phase("failed")
        test.main.front_end.execute(f"/model {models / 'two'}")
        await test.phase("idle")
        await answered(test, "Hello?", "Second")


async def test_names_are_completed(models: Path) -> None:
    async with driven(folder=models / "one") as test:
        test.main.front_end.execute("/model nowhere")
        await test.until(lambda: test.main.prompt.text == "/model nowhere")
        test.main.prompt.fill("/model tw")
        await test.until(lambda: f"{models.name}/two" in test.text_of("#suggestions"))
        await test.pilot.press("tab")
        assert test.main.prompt.text.strip() == f"/model {models / 'two'}"
