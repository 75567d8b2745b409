"""Sessions on real engines: answers that are cut off, and what cannot be asked at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gptoss_tui.chat.events import Token
from gptoss_tui.chat.session import Session, Turn
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import EngineBusy, ParameterError, PromptError
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Message
from tests.chat.conftest import wait_until
from tests.chat.sessions import DATE, finish, session_on


def test_stopped_in_analysis_the_answer_is_absent_from_the_next_prompt(muser: Engine, harmony: Harmony) -> None:
    session = session_on(muser, harmony)
    turn = session.send("Hello!")
    _interrupt_after(session, turn, 20)
    finished = finish(turn)
    assert finished.reason == "interrupted"
    assert finished.analysis.startswith("Hm, soHm, so")
    thought = session.messages[-1]
    assert (thought.channel, thought.text, thought.complete) == ("analysis", finished.analysis, False)
    second = session.send("Anybody?")
    assert list(second.prompt_ids) == harmony.render([Message.user("Hello!"), Message.user("Anybody?")], date=DATE)
    session.interrupt()
    finish(second)


def test_stopped_in_final_the_answer_is_closed(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony)
    turn = session.send("Hello!")
    _interrupt_after(session, turn, 20)
    finished = finish(turn)
    assert finished.reason == "interrupted"
    assert finished.text.startswith("Oh, yesOh, yes")
    assert not finished.messages[-1].complete
    closed = replace(finished.messages[-1], complete=True)
    assert session.messages == (Message.user("Hello!"), closed)
    second = session.send("Go on")
    assert list(second.prompt_ids) == harmony.render([*session.messages], date=DATE)
    wait_until(lambda: second.reused_tokens > 0)
    # All that was written is still in the caches, up to where `<|end|>` came in place of more.
    assert second.reused_tokens >= len(turn.prompt_ids) + finished.finished.completion_tokens
    session.interrupt()
    finish(second)


def _interrupt_after(session: Session, turn: Turn, tokens: int) -> None:
    for event in turn:
        if isinstance(event, Token) and event.step.index == tokens:
            session.interrupt()
            return
    raise AssertionError("it ended by itself")


def test_a_limit_ends_the_answer_and_closes_it(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony, max_tokens=12)
    assert finish(session.send("Hello!")).reason == "length"
    assert session.messages[-1].complete


def test_a_full_context_ends_the_answer_with_that_reason(short: Engine, harmony: Harmony) -> None:
    session = session_on(short, harmony)
    turn = session.send("Hello!")
    finished = finish(turn)
    assert finished.reason == "context"
    assert finished.finished.completion_tokens == 256 - len(turn.prompt_ids)
    assert session.messages[-1].complete


@pytest.mark.parametrize("text", ["", "  ", "\n\t "])
def test_an_empty_message_is_refused(talker: Engine, harmony: Harmony, text: str) -> None:
    session = session_on(talker, harmony)
    with pytest.raises(PromptError, match="empty") as caught:
        session.send(text)
    assert caught.value.hint
    assert (session.messages, session.turn) == ((), None)


def test_a_message_that_does_not_fit_is_refused_with_the_figures(short: Engine, harmony: Harmony) -> None:
    session = session_on(short, harmony, max_tokens=8)
    finish(session.send("Hello!"))
    before = session.messages
    needed = len(harmony.render([*before, Message.user("way too much " * 100)], date=DATE))
    with pytest.raises(PromptError, match=f"{needed:,} tokens.* 256") as caught:
        session.send("way too much " * 100)
    assert f"{needed - 255:,} tokens" in caught.value.hint
    assert (session.messages, session.turn) == (before, None)
    finish(session.send("Less"))


def test_one_turn_at_a_time(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony)
    turn = session.send("Hello!")
    with pytest.raises(EngineBusy):
        session.send("Hello?")
    with pytest.raises(EngineBusy):
        session.retry()
    assert session.turn is turn
    assert session.messages == (Message.user("Hello!"),)
    with pytest.raises(EngineBusy):
        session_on(rambler, harmony).send("Me first")
    session.interrupt()
    finish(turn)


def test_nothing_to_retry_and_no_call_to_answer(talker: Engine, harmony: Harmony) -> None:
    session = session_on(talker, harmony)
    with pytest.raises(PromptError, match="Nothing was asked"):
        session.retry()
    with pytest.raises(PromptError, match="No tool"):
        session.send_result("42")
    session.interrupt()
    finish(session.send("Hello!"))
    with pytest.raises(PromptError, match="No tool"):
        session.send_result("42")


def test_an_unknown_effort_is_refused_and_nothing_was_said(talker: Engine, harmony: Harmony) -> None:
    session = session_on(talker, harmony, effort="huge")
    with pytest.raises(ParameterError):
        session.send("Hello!")
    assert session.messages == ()


def test_clearing_in_mid_answer_leaves_nothing_behind(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony)
    turn = session.send("Hello!")
    next(event for event in turn if isinstance(event, Token) and event.step.index == 8)
    session.clear()
    assert (session.messages, session.turn) == ((), None)
    assert finish(turn).reason == "interrupted"
    assert session.messages == ()
    fresh = session.send("Hi")
    assert list(fresh.prompt_ids) == harmony.render([Message.user("Hi")], date=DATE)
    session.interrupt()
    finish(fresh)


def test_leaving_a_with_block_stops_and_keeps(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony)
    with session.send("Hello!") as turn:
        next(event for event in turn if isinstance(event, Token) and event.step.index == 8)
    assert turn.finished is not None
    assert turn.finished.reason == "interrupted"
    assert session.messages[-1].channel == "final"
