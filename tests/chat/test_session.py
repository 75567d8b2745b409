"""Sessions on real engines: what is asked, what is told, and what is read again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from gptoss_tui.chat.events import Token, TurnEvent, TurnFinished
from gptoss_tui.engine.events import PrefillProgress
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Message, Tool
from tests.chat.conftest import wait_until
from tests.chat.sessions import DATE, GREEDY, finish, session_on


def seed_where(engine: Engine, harmony: Harmony, wanted: Callable[[TurnFinished], bool]) -> SamplingParams:
    """Parameters under which the answer to `Hello!` is as wanted: draws depend on seed and position only."""
    for seed in range(100):
        params = SamplingParams(seed=seed)
        if wanted(finish(session_on(engine, harmony, params, max_tokens=40).send("Hello!"))):
            return params
    raise AssertionError("no seed gives such an answer")


@pytest.fixture(scope="module")
def thoughtful(talker: Engine, harmony: Harmony) -> SamplingParams:
    """One message of analysis, then the answer."""
    return seed_where(
        talker, harmony, lambda told: [message.channel for message in told.messages] == ["analysis", "final"]
    )


def test_a_turn_tells_everything_in_order(talker: Engine, harmony: Harmony, thoughtful: SamplingParams) -> None:
    talker.forget()
    session = session_on(talker, harmony, thoughtful)
    turn = session.send("Hello!", top_logprobs=2, router=True)
    assert session.turn is turn
    events: list[TurnEvent] = list(turn)
    prefills = [event for event in events if isinstance(event, PrefillProgress)]
    tokens = [event for event in events if isinstance(event, Token)]
    assert events == [*prefills, *tokens, turn.finished]
    assert prefills[-1].done == prefills[-1].total == len(turn.prompt_ids)
    assert turn.reused_tokens == 0
    assert [token.step.index for token in tokens] == list(range(len(tokens)))
    assert all(len(token.step.alternatives) == 2 and len(token.step.experts) == 4 for token in tokens)
    finished = turn.finished
    assert finished is not None
    assert finished.finished.completion_tokens == len(tokens)
    assert "".join(token.piece for token in tokens) == (
        f"<|channel|>analysis<|message|>{finished.analysis}<|end|><|start|>assistant"
        f"<|channel|>final<|message|>{finished.text}<|return|>"
    )
    assert [token.piece for token in tokens if token.special] == [
        *("<|channel|>", "<|message|>", "<|end|>", "<|start|>", "<|channel|>", "<|message|>", "<|return|>")
    ]
    deltas = [delta for token in tokens for delta in token.deltas]
    assert "".join(delta.text for delta in deltas if delta.channel == "final") == finished.text
    assert finished.reason == "stop"
    assert session.turn is None
    assert session.messages == (Message.user("Hello!"), *finished.messages)


def test_the_next_prompt_holds_the_answer_as_sampled_and_no_analysis(
    talker: Engine, harmony: Harmony, thoughtful: SamplingParams
) -> None:
    session = session_on(talker, harmony, thoughtful, instructions="Be brief.", effort="low")
    finished = finish(session.send("Hello!"))
    answer = finished.messages[-1]
    second = session.send("And now?")
    expected = [Message.user("Hello!"), replace(answer, text="not looked at"), Message.user("And now?")]
    assert list(second.prompt_ids) == harmony.render(expected, instructions="Be brief.", effort="low", date=DATE)
    finish(second)


def test_the_next_turn_reads_only_what_is_new(talker: Engine, harmony: Harmony, thoughtful: SamplingParams) -> None:
    session = session_on(talker, harmony, thoughtful)
    answer = finish(session.send("Hello!")).messages[-1]
    begun = [Message.user("Hello!"), answer, replace(Message.user(""), complete=False)]
    beginning = harmony.render(begun, date=DATE)
    wait_until(lambda: talker.cached_tokens == len(beginning))
    turn = session.send("And now?")
    finish(turn)
    assert turn.reused_tokens == len(beginning)
    assert turn.prompt_ids[: len(beginning)] == tuple(beginning)


def test_a_retry_reads_one_token_and_draws_anew(talker: Engine, harmony: Harmony, thoughtful: SamplingParams) -> None:
    session = session_on(talker, harmony, thoughtful)
    first = session.send("Hello!")
    before = finish(first)
    session.params = SamplingParams()
    again = session.retry()
    after = finish(again)
    assert again.prompt_ids == first.prompt_ids
    assert again.reused_tokens == len(first.prompt_ids) - 1
    assert before.finished.seed != after.finished.seed
    assert session.messages[0] == Message.user("Hello!")
    assert [message for message in session.messages if message.role == "user"] == [Message.user("Hello!")]


def test_a_retry_with_a_seed_gives_the_same_again(talker: Engine, harmony: Harmony) -> None:
    session = session_on(talker, harmony, SamplingParams(seed=7))
    before = finish(session.send("Hello!"))
    assert finish(session.retry()).messages == before.messages


def test_reuse_is_exact_on_a_model_that_looks_at_everything(babbler: Engine, harmony: Harmony) -> None:
    """It writes no harmony, so its text becomes the answer; the second turn must be that of a cold start."""
    session = session_on(babbler, harmony, max_tokens=24)
    written = finish(session.send("Once"))
    assert {message.channel for message in written.messages} <= {None}
    assert {message.channel for message in session.messages[1:]} == {"final"}
    second = session.send("Go on")
    warm = [event.step.token_id for event in second if isinstance(event, Token)]
    assert second.reused_tokens > len(harmony.render([Message.user("Once")], date=DATE)) - 2
    babbler.forget()
    with babbler.generate(second.prompt_ids, GREEDY, max_tokens=24, stop_ids=harmony.stop_ids) as generation:
        cold = [event.token_id for event in generation if hasattr(event, "token_id")]
    assert warm == cold


def test_a_running_turn_follows_the_parameters(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony)
    turn = session.send("Hello!")
    next(turn)
    session.params = replace(session.params, top_k=3)
    assert turn.params.top_k == 3
    followed = next(event for event in turn if isinstance(event, Token) and event.step.params.top_k == 3)
    assert followed.step.params.temperature == 0
    turn.params = replace(turn.params, top_k=5)
    assert session.params.top_k == 3
    session.interrupt()
    finish(turn)


def test_a_tool_is_called_and_its_result_handed_over(caller: Engine, harmony: Harmony) -> None:
    tools = [Tool("weather", "Tells the weather.")]
    session = session_on(caller, harmony, tools=tools)
    finished = finish(session.send("Weather?"))
    assert finished.reason == "tool_call"
    assert finished.finished.reason == "stop"
    call = session.messages[-1]
    assert (call.recipient, call.constrain, call.text) == ("functions.weather", "json", '{"at":1}')
    turn = session.send_result('{"sunny":true}')
    result = Message.tool("functions.weather", '{"sunny":true}')
    assert list(turn.prompt_ids) == harmony.render([Message.user("Weather?"), call, result], tools=tools, date=DATE)
    finish(turn)
    assert session.messages[:3] == (Message.user("Weather?"), call, result)
    finish(session.retry())
    assert session.messages[0] == Message.user("Weather?")
    assert len(session.messages) == 2


def test_draining_never_blocks_and_misses_nothing(talker: Engine, harmony: Harmony, thoughtful: SamplingParams) -> None:
    woken = threading.Event()
    session = session_on(talker, harmony, thoughtful)
    turn = session.send("Hello!", on_event=woken.set)
    events: list[TurnEvent] = []
    while turn.finished is None:
        assert woken.wait(30)
        woken.clear()
        events += turn.drain()
    assert turn.drain() == []
    assert isinstance(events[-1], TurnFinished)
    tokens = [event for event in events if isinstance(event, Token)]
    assert len(tokens) == events[-1].finished.completion_tokens


def test_an_answer_that_nobody_watched_is_folded_in_all_the_same(talker: Engine, harmony: Harmony) -> None:
    session = session_on(talker, harmony, SamplingParams(seed=1))
    first = session.send("Hello!")
    wait_until(lambda: not talker.busy)
    second = session.send("And now?")
    assert first.over
    assert session.messages[0] == Message.user("Hello!")
    assert session.messages[-1] == Message.user("And now?")
    assert len(session.messages) > 2
    told = first.drain()
    assert told[-1] is first.finished
    assert list(first) == []
    finish(second)


def test_a_conversation_can_be_resumed(talker: Engine, harmony: Harmony) -> None:
    past = [Message.user("Hello!"), Message.assistant("Hm", "analysis"), Message.assistant("Hi")]
    session = session_on(talker, harmony, messages=past)
    turn = session.send("And now?")
    expected = [Message.user("Hello!"), Message.assistant("Hi"), Message.user("And now?")]
    assert list(turn.prompt_ids) == harmony.render(expected, date=DATE)
    finish(turn)
