"""Slash commands on kept conversations, and what a keeper greets with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gptoss_tui.chat.commands import complete, execute
from gptoss_tui.chat.events import Token
from gptoss_tui.chat.keeper import Keeper
from gptoss_tui.chat.saving import PRIVATE, Saving
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.listing import overview
from gptoss_tui.chat.tree import Tree
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import GptOssError
from gptoss_tui.harmony import Harmony
from tests.chat.sessions import GREEDY, finish
from tests.chat.store.archives import small
from tests.chat.test_commands import Recorder, say


@pytest.fixture
def front_end(talker: Engine, harmony: Harmony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A conversation that is kept in a folder of its own, which is also the user's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    keeper = Keeper(Saving())
    yield opened(keeper, talker, harmony)
    keeper.close(dropped=False)


def opened(keeper: Keeper, engine: Engine, harmony: Harmony) -> Recorder:
    session = keeper.open(
        engine, harmony, Path("nowhere"), instructions=None, effort="medium", params=GREEDY, max_tokens=None
    )
    return Recorder(session, keeper)


def talk(front_end: Recorder, text: str) -> str:
    """Says something, and returns the conversation's id once that is kept."""
    finish(front_end.session.send(text))
    assert front_end.keeper is not None
    front_end.keeper.flush()
    return front_end.session.conversation.id


def titles(front_end: Recorder) -> list[str]:
    assert front_end.keeper is not None
    return [one.title for one in front_end.keeper.library.listed()]


class TestResume:
    def test_there_and_back(self, front_end: Recorder) -> None:
        first = talk(front_end, "Cakes")
        path = front_end.session.path
        say(front_end, "/clear")
        second = talk(front_end, "Qubits")
        assert say(front_end, f"/resume {first[:8]}") == ["<moved>"]
        assert (front_end.session.conversation.id, front_end.session.path) == (first, path)
        # Without a name: the one before.
        assert say(front_end, "/resume") == ["<moved>"]
        assert front_end.session.conversation.id == second
        assert say(front_end, "/resume cake") == ["<moved>"]
        talk(front_end, "More")
        assert [node.text for node in front_end.session.path if node.role == "user"] == ["Cakes", "More"]
        assert titles(front_end) == ["Cakes", "Qubits"]

    def test_this_one(self, front_end: Recorder) -> None:
        here = talk(front_end, "Cakes")
        assert say(front_end, f"/resume {here}") == ["This is that conversation."]

    def test_none(self, front_end: Recorder) -> None:
        talk(front_end, "Cakes")
        for text, fault in (("/resume", "no other"), ("/resume xyzzy", "There is no conversation xyzzy")):
            with pytest.raises(GptOssError, match=fault):
                say(front_end, text)

    def test_an_answer_that_was_left_is_there(
        self, rambler: Engine, harmony: Harmony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        keeper = Keeper(Saving())
        front_end = opened(keeper, rambler, harmony)
        turn = front_end.session.send("Go on")
        assert any(isinstance(event, Token) for event in turn)
        first = front_end.session.conversation.id
        say(front_end, "/clear")
        turn.wait()
        say(front_end, f"/resume {first}")
        assert front_end.session.path[-1].ending == "interrupted"
        assert front_end.session.path[-1].token_ids
        keeper.close(dropped=False)


class TestOthers:
    def test_sessions(self, front_end: Recorder) -> None:
        talk(front_end, "Cakes")
        assert say(front_end, "/sessions") == ["<sessions >"]
        assert say(front_end, "/sessions flour") == ["<sessions flour>"]
        assert front_end.keeper is not None
        assert "Cakes (open, process" in overview(front_end.keeper.library)
        assert "Cakes" in overview(front_end.keeper.library, "cakes")
        assert "Nowhere" in overview(front_end.keeper.library, "xyzzy")

    def test_rename(self, front_end: Recorder) -> None:
        assert say(front_end, "/rename") == ["It has no title yet."]
        with pytest.raises(GptOssError, match="nothing to name"):
            say(front_end, "/rename Tarts")
        talk(front_end, "Cakes")
        assert say(front_end, "/title  Tarts \n and pies") == ["This conversation is now called Tarts and pies"]
        talk(front_end, "More")
        assert titles(front_end) == ["Tarts and pies"]
        assert say(front_end, "/rename") == ["This conversation is called Tarts and pies"]

    def test_delete_and_restore(self, front_end: Recorder) -> None:
        here = talk(front_end, "Cakes")
        told = say(front_end, "/delete")
        assert told[0] == "<moved>"
        assert f"/restore {here[:8]}" in told[1]
        assert (titles(front_end), front_end.session.path) == ([], ())
        say(front_end, f"/restore {here[:8]}")
        assert titles(front_end) == ["Cakes"]
        say(front_end, "/delete cakes")
        assert titles(front_end) == []
        assert front_end.keeper is not None
        assert front_end.keeper.store is not None
        assert front_end.keeper.store.open_conversation == ""
        say(front_end, "/restore")
        assert titles(front_end) == ["Cakes"]
        with pytest.raises(GptOssError, match="nothing to delete"):
            say(front_end, "/delete")

    def test_import(self, front_end: Recorder, tmp_path: Path) -> None:
        talk(front_end, "Cakes")
        say(front_end, f"/export {tmp_path / 'cakes.json'}")
        assert front_end.keeper is not None
        here = front_end.session.conversation.id
        say(front_end, "/delete")
        front_end.keeper.library.purge(here)
        told = say(front_end, f"/import {tmp_path / 'cakes.json'}")
        assert f"/resume {here[:8]}" in told[0]
        say(front_end, f"/resume {here[:8]}")
        assert front_end.session.title == "Cakes"
        with pytest.raises(GptOssError, match="cannot be read"):
            say(front_end, f"/import {tmp_path / 'nothing'}")

    def test_completion(self, front_end: Recorder) -> None:
        first = talk(front_end, "Cakes")
        say(front_end, "/clear")
        talk(front_end, "Qubits")
        offered = complete("/resume ", session=front_end.session)
        assert [(choice.value, choice.help) for choice in offered] == [(f"/resume {first[:8]}", "Cakes")]
        assert complete("/resume cak", session=front_end.session) == offered
        assert complete("/restore ", session=front_end.session) == []

    @pytest.mark.parametrize("text", ["/sessions", "/resume", "/delete", "/restore", "/import x"])
    def test_a_private_talk(self, talker: Engine, harmony: Harmony, text: str) -> None:
        keeper = Keeper(PRIVATE)
        front_end = opened(keeper, talker, harmony)
        with pytest.raises(GptOssError, match="private talk"):
            execute(text, front_end.session, front_end)
        keeper.close(dropped=False)


class TestGreeting:
    def test_nothing_to_say(self, tmp_path: Path) -> None:
        told: list[str] = []
        keeper = Keeper(Saving(folder=tmp_path, tell=told.append))
        keeper.greet()
        assert told == []
        keeper.close(dropped=False)

    def test_another_one_runs(self, tmp_path: Path) -> None:
        told: list[str] = []
        store = Store(tmp_path)
        archive = small("Cakes")
        store.conversation(archive.conversation)
        store.flush(10)
        keeper = Keeper(Saving(folder=tmp_path, tell=told.append))
        keeper.greet()
        assert "Another gptoss runs (process " in told[0]
        store.finishing()
        keeper.greet()
        assert "is finishing an answer in the background, in “Cakes”" in told[1]
        assert f"gptoss --resume {archive.conversation.id[:8]}" in told[1]
        store.close(10)
        keeper.close(dropped=False)

    def test_one_that_lost_its_line_is_offered_until_another_began(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        archive = small("Cakes")
        store.conversation(archive.conversation)
        store.close(10, dropped=True)
        for later, lines in ((None, 1), (small("Later"), 0)):
            told: list[str] = []
            keeper = Keeper(Saving(folder=tmp_path, tell=told.append))
            assert keeper.store is not None
            if later is not None:
                keeper.store.conversation(later.conversation)
                keeper.flush()
            keeper.greet()
            assert len(told) == lines
            assert all("“Cakes” lost its terminal just now: /resume" in line for line in told)
            keeper.close(dropped=False)

    def test_a_trouble_is_told_instead(self, tmp_path: Path) -> None:
        told: list[str] = []
        (tmp_path / "file").touch()
        keeper = Keeper(Saving(folder=tmp_path / "file", tell=told.append))
        keeper.greet()
        assert len(told) == 1
        assert "Nothing is being saved" in told[0]
        keeper.close(dropped=False)


def test_a_private_talk_can_be_resumed_and_stays_as_it_was(talker: Engine, harmony: Harmony, tmp_path: Path) -> None:
    store = Store(tmp_path)
    archive = small("Cakes")
    store.adopt(archive)
    store.conversation(archive.conversation)
    for node in archive.tree.nodes:
        store.added(archive.conversation.id, node)
        store.moved(archive.conversation.id, node.id)
    store.close(10)
    keeper = Keeper(Saving(save=False, resume=archive.conversation.id, folder=tmp_path))
    front_end = opened(keeper, talker, harmony)
    finish(front_end.session.send("More"))
    assert len(front_end.session.path) == 4
    keeper.close(dropped=False)
    again = Keeper(Saving(resume=archive.conversation.id, folder=tmp_path))
    tree: Tree = opened(again, talker, harmony).session.tree
    assert len(tree) == 2
    again.close(dropped=False)
