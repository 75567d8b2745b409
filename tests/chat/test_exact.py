"""After any moves about in a conversation the next answer is that of a cold start with the same tokens.

The model wanders: every token it writes depends on everything before, and its headers are often malformed. Lengths lie
around the window and the sizes of the prefill's chunks, and one engine can keep next to nothing for going back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gptoss_tui.chat.answers import messages_of
from gptoss_tui.chat.events import Token
from gptoss_tui.chat.moves import Edit, EditAnswer, Fork, GoOn, Move, Retry, Send, Shorten, Switch
from gptoss_tui.chat.session import Session
from gptoss_tui.chat.turn import Turn
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import PromptError
from gptoss_tui.harmony import Harmony
from tests.chat.sessions import DATE, GREEDY, session_on
from tests.chat.talker import talking_checkpoint

WINDOW = 32
CONTEXT = 640
WORDS = " one two three four five six seven two four six one three five seven one four two five six three seven"
WANDERING = (
    f"<|channel|>analysis<|message|>{WORDS}<|end|><|start|>assistant<|channel|>final<|message|>{WORDS}{WORDS}<|return|>"
)
LENGTHS = [1, 2, 7, 15, 31, 32, 33, 63, 64, 65, 127, 129]


@dataclass
class Engines:
    """Three on one checkpoint: one with room to go back, one with hardly any, one that always starts cold."""

    roomy: Engine
    tight: Engine
    cold: Engine


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    folder = talking_checkpoint(
        tmp_path_factory.mktemp("wanderer"), [WANDERING], context=CONTEXT, wandering=True, window=WINDOW
    )
    row_bytes = 2 * 2 * 32 * 4
    with (
        Engine.load(folder) as roomy,
        Engine.load(folder, history_bytes=2 * row_bytes * 96) as tight,
        Engine.load(folder) as cold,
    ):
        yield Engines(roomy, tight, cold)


def words(count: int) -> str:
    return " ".join(["one", "two", "three", "four", "five"][(count + at) % 5] for at in range(count))


def draw_move(draw: st.DrawFn, session: Session) -> Move:
    prompts = [node.id for node in session.tree.nodes if node.role == "user"]
    answers = [node.id for node in session.tree.nodes if node.role == "assistant"]
    text = words(draw(st.sampled_from(LENGTHS)))
    if not answers:
        return Send(text)
    moves: list[st.SearchStrategy[Move]] = [
        st.just(Send(text)),
        st.builds(Retry, st.sampled_from([None, *answers])),
        st.builds(Edit, st.sampled_from(prompts), st.just(text)),
        st.builds(GoOn, st.sampled_from([None, *answers])),
        st.builds(EditAnswer, st.just(text), st.sampled_from([None, *answers]), st.booleans()),
        st.builds(Switch, st.sampled_from([*prompts, *answers])),
        st.builds(Fork, st.sampled_from([None, *answers])),
        st.just(Shorten()),
    ]
    return draw(st.one_of(moves))


def check_prompt(session: Session, harmony: Harmony, turn: Turn) -> None:
    """The ids are what harmony makes of the path, and of what the answer has said so far."""
    node = session.tree[turn.node]
    before = session.tree.path(node.parent) if node.parent is not None else ()
    rendered = harmony.render(messages_of(before, harmony), effort=session.effort, date=DATE)
    assert list(turn.prompt_ids) == [*rendered, *turn.begun]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_sequence_of_moves_leads_to_the_answer_of_a_cold_start(
    data: st.DataObject, engines: Engines, harmony: Harmony
) -> None:
    engine = data.draw(st.sampled_from([engines.roomy, engines.tight]), "engine")
    session = session_on(engine, harmony)
    for _ in range(data.draw(st.integers(1, 7), "moves")):
        move = data.draw(st.composite(draw_move)(session), "move")
        session.params = SamplingParams(seed=data.draw(st.integers(0, 50), "seed"))
        session.max_tokens = data.draw(st.sampled_from([1, 2, 5, 16, 30]), "tokens")
        session.effort = data.draw(st.sampled_from(["medium", "medium", "medium", "high"]), "effort")
        try:
            turn = session.make(move)
        except PromptError:
            continue
        if turn is not None:
            check_prompt(session, harmony, turn)
            for _ in turn:
                pass
    session.params, session.max_tokens = GREEDY, 20
    lasts: list[Move] = [Send(words(3)), Retry(), GoOn()]
    last = data.draw(st.sampled_from(lasts), "last")
    try:
        plan = session.plan(last)
        final = session.make(last)
    except PromptError:
        return
    assert final is not None
    check_prompt(session, harmony, final)
    warm = [event.step.token_id for event in final if isinstance(event, Token)]
    assert final.prompt_ids == plan.ids
    engines.cold.forget()
    with engines.cold.generate(final.prompt_ids, GREEDY, max_tokens=20, stop_ids=harmony.stop_ids) as generation:
        generation.wait()
        assert warm == list(generation.written)
