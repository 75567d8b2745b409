"""Moves about in a conversation, on real engines: where they lead, what they ask, and what they leave as it was."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gptoss_tui.chat.events import Token, TurnFinished
from gptoss_tui.chat.moves import Edit, EditAnswer, Fork, GoOn, Retry, Send, Shorten, Switch
from gptoss_tui.chat.session import Session
from gptoss_tui.chat.turn import Turn
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import EngineBusy, PromptError
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Message
from tests.chat.conftest import CALLING, wait_until
from tests.chat.recorder import RecordingJournal
from tests.chat.sessions import DATE, finish, session_on
from tests.chat.talker import spelled_ids


def stop_after(session: Session, turn: Turn, tokens: int) -> TurnFinished:
    for event in turn:
        if isinstance(event, Token) and event.step.index == tokens:
            session.interrupt()
    assert turn.finished is not None
    return turn.finished


def texts(session: Session) -> list[str]:
    return [node.text for node in session.path]


def asked_two(engine: Engine, harmony: Harmony, **options: object) -> tuple[Session, RecordingJournal]:
    journal = RecordingJournal()
    session = session_on(engine, harmony, SamplingParams(seed=7), journal=journal, **options)
    for text in ("Hello!", "And now?"):
        finish(session.send(text))
    return session, journal


def test_a_retry_keeps_the_old_answer_beside_the_new_one(talker: Engine, harmony: Harmony) -> None:
    session, _ = asked_two(talker, harmony)
    old = session.path[-1]
    finish(session.retry())
    assert session.tree.siblings(old.id) == (old, session.path[-1])
    first = session.path[1]
    finish(session.retry(first.id))
    assert [node.role for node in session.path] == ["user", "assistant"]
    assert [sibling.id for sibling in session.tree.siblings(first.id)] == [first.id, session.path[-1].id]
    session.switch(first.id)
    assert session.path[-1].id == session.tree.siblings(old.id)[-1].id


def test_an_edit_is_a_sibling_of_the_prompt(talker: Engine, harmony: Harmony) -> None:
    session, journal = asked_two(talker, harmony)
    before = session.path
    turn = session.edit(before[0].id, "Good day!")
    assert list(turn.prompt_ids) == harmony.render([Message.user("Good day!")], date=DATE)
    finish(turn)
    assert texts(session)[0] == "Good day!"
    assert len(session.path) == 2
    session.switch(before[0].id)
    assert session.path == before
    (kept,) = journal.kept.values()
    assert kept.tree.nodes == session.tree.nodes
    assert (kept.tree.head, kept.written) == (session.tree.head, {})
    assert kept.conversation == session.conversation
    assert kept.conversation.title == "Hello!"


@pytest.mark.parametrize("cut", [1, 4, 20])
def test_an_answer_goes_on_where_it_was_stopped(rambler: Engine, harmony: Harmony, cut: int) -> None:
    """In the middle of its header (1), at the beginning of the text (4), and behind some words."""
    whole = finish(session_on(rambler, harmony, max_tokens=60).send("Hello!"))
    session = session_on(rambler, harmony, max_tokens=60)
    stopped = stop_after(session, session.send("Hello!"), cut)
    assert stopped.reason == "interrupted"
    answer = session.path[-1]
    turn = session.go_on()
    more = finish(turn)
    (grown,) = session.tree.siblings(answer.id)
    assert (grown.id, turn.node) == (answer.id, answer.id)
    assert grown.text == more.text
    assert grown.text.startswith(answer.text)
    assert grown.text.startswith(whole.text)
    assert grown.ending == "length"
    assert grown.token_ids == turn.written() == turn.begun + turn.written()[len(turn.begun) :]
    assert [*harmony.render([Message.user("Hello!")], date=DATE), *turn.begun] == [*turn.prompt_ids]


def test_thinking_goes_on_where_it_was_stopped(muser: Engine, harmony: Harmony) -> None:
    session = session_on(muser, harmony, max_tokens=40)
    stop_after(session, session.send("Hello!"), 20)
    before = session.path[-1].thinking
    turn = session.go_on()
    expected = [Message.user("Hello!"), replace(session.path[-1].messages[-1], complete=False)]
    assert list(turn.prompt_ids) == harmony.render(expected, date=DATE)
    deltas = [delta for event in turn if isinstance(event, Token) for delta in event.deltas]
    assert {delta.channel for delta in deltas} == {"analysis"}
    after = session.path[-1]
    assert after.thinking == before + "".join(delta.text for delta in deltas)
    assert (len(session.path), after.ending) == (2, "length")
    finish(session.send("Well?"))
    assert session.messages[1].channel == "analysis"


def test_half_a_tool_call_goes_on_as_a_call(caller: Engine, harmony: Harmony) -> None:
    begun = spelled_ids(harmony, CALLING.partition('at"')[0])
    session = session_on(caller, harmony, max_tokens=len(begun))
    assert finish(session.send("Weather?")).reason == "length"
    assert session.path[-1].messages[-1].recipient is None, "a call that was not made is none"
    session.max_tokens = None
    turn = session.go_on()
    assert finish(turn).reason == "tool_call"
    (call,) = session.path[-1].messages
    assert (call.recipient, call.text) == ("functions.weather", '{"at":1}')
    half = replace(call, text='{"', token_ids=None, complete=False)
    assert list(turn.prompt_ids) == harmony.render([Message.user("Weather?"), half], date=DATE)
    finish(session.send_result("sunny"))


def test_what_was_followed_by_a_question_goes_on_beside_itself(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony, max_tokens=10)
    for text in ("Hello!", "And now?"):
        finish(session.send(text))
    answer = session.path[1]
    finish(session.go_on(answer.id))
    same, longer = session.tree.siblings(answer.id)
    assert same == answer
    assert longer.text.startswith(answer.text)
    assert len(longer.text) > len(answer.text)
    assert session.path[-1] == longer


def test_an_answer_that_a_person_wrote(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony, max_tokens=10)
    finish(session.send("Hello!"))
    written = session.path[-1]
    assert session.edit_answer("Oh", go_on=False) is None
    edited = session.path[-1]
    assert (edited.text, edited.edited, edited.ending, edited.token_ids) == ("Oh", True, "stop", ())
    assert session.tree.siblings(edited.id) == (written, edited)
    turn = session.edit_answer("Oh, no! Oh", written.id)
    assert turn is not None
    open_answer = replace(Message.assistant("Oh, no! Oh"), complete=False)
    assert list(turn.prompt_ids) == harmony.render([Message.user("Hello!"), open_answer], date=DATE)
    finish(turn)
    assert session.path[-1].text.startswith("Oh, no! Oh, yes")
    assert session.path[-1].edited
    second = session.send("And now?")
    messages = [Message.user("Hello!"), *session.path[1].messages, Message.user("And now?")]
    assert list(second.prompt_ids) == harmony.render(messages, date=DATE)
    finish(second)


def test_a_changed_answer_keeps_what_was_thought(talker: Engine, harmony: Harmony) -> None:
    past = [Message.user("Hello!"), Message.assistant("Hm", "analysis"), Message.assistant("Hi")]
    session = session_on(talker, harmony, messages=past)
    turn = session.edit_answer("Hello")
    assert turn is not None
    opened = [*past[:2], replace(Message.assistant("Hello"), complete=False)]
    assert list(turn.prompt_ids) == harmony.render(opened, date=DATE)
    finish(turn)
    assert (session.path[-1].thinking, session.path[-1].text) == ("Hm", "Hello there")


def test_a_fork_is_a_conversation_of_its_own(talker: Engine, harmony: Harmony) -> None:
    session, journal = asked_two(talker, harmony)
    old, before = session.conversation, session.path
    session.fork(before[1].id)
    assert session.messages == tuple(message for node in before[:2] for message in node.messages)
    assert not {node.id for node in session.path} & {node.id for node in before}
    assert (session.conversation.origin, session.date) == (old.id, old.date)
    finish(session.send("Elsewhere"))
    first, second = journal.kept.values()
    assert first.tree.path() == before
    assert second.tree.path() == session.path
    assert second.conversation.id == session.conversation.id != old.id


def test_shortening_leaves_out_the_oldest_turns(short: Engine, harmony: Harmony) -> None:
    session = session_on(short, harmony, max_tokens=16)
    while session.plan(Send("And now?")).room > 0:
        finish(session.send("And now?"))
    with pytest.raises(PromptError) as full:
        session.send("And now?")
    assert "/shorten" in full.value.hint
    plan = session.plan(Shorten())
    before = session.path
    session.shorten()
    assert len(plan.ids) <= 128
    assert session.messages == tuple(m for node in before[-len(session.path) :] for m in node.messages)
    one_more = harmony.render([*before[-len(session.path) - 2].messages, *session.messages], date=DATE)
    assert len(one_more) > 128 - 16
    finish(session.send("And now?"))


def test_one_turn_cannot_be_shortened(talker: Engine, harmony: Harmony) -> None:
    session = session_on(talker, harmony)
    with pytest.raises(PromptError, match="nothing to leave out"):
        session.shorten()
    with pytest.raises(PromptError, match="nothing to fork"):
        session.fork()
    finish(session.send("Hello!"))
    with pytest.raises(PromptError, match="nothing to leave out"):
        session.shorten()


def test_a_plan_tells_what_a_move_will_cost(talker: Engine, harmony: Harmony) -> None:
    talker.forget()
    session, _ = asked_two(talker, harmony)
    path = session.path
    wait_until(lambda: talker.cached_tokens == len(session.ahead().ids))
    for move in (Send("Well?"), Retry(), Edit(path[2].id, "Well?"), Edit(path[0].id, "Hi"), EditAnswer("Hello")):
        plan = session.plan(move)
        turn = session.make(move)
        assert turn is not None
        finish(turn)
        assert turn.prompt_ids == plan.ids
        assert turn.reused_tokens == plan.reused
        assert plan.cost == f"reuses {plan.reused:,} tokens, prefills {len(plan.ids) - plan.reused:,}"
        session.switch(path[-1].id)
        wait_until(lambda: talker.cached_tokens == len(session.ahead().ids))


def test_settings_are_part_of_the_cost(talker: Engine, harmony: Harmony) -> None:
    session, _ = asked_two(talker, harmony)
    cheap = session.plan(Send("Well?"))
    session.instructions = "Be brief."
    dear = session.plan(Send("Well?"))
    assert dear.prefill > cheap.prefill
    assert dear.reused < cheap.reused - 10


def test_while_an_answer_is_written_nothing_else_moves(rambler: Engine, harmony: Harmony) -> None:
    session = session_on(rambler, harmony)
    turn = session.send("Hello!")
    next(turn)
    path = session.path
    for move in (Send("Hi"), Retry(), Edit(path[0].id, "Hi"), GoOn(), Switch(path[0].id), Fork(), EditAnswer("Hi")):
        with pytest.raises(EngineBusy):
            session.make(move)
    assert session.path == path
    session.interrupt()
    finish(turn)


def test_moves_that_cannot_be_made(talker: Engine, caller: Engine, harmony: Harmony) -> None:
    session = session_on(talker, harmony)
    for move in (Retry(), GoOn(), EditAnswer("Hi"), Switch("nowhere"), Edit("nowhere", "Hi")):
        with pytest.raises(PromptError) as caught:
            session.plan(move)
        assert caught.value.hint
    finish(session.send("Hello!"))
    prompt, answer = session.path
    for move in (Edit(answer.id, "Hi"), Edit(prompt.id, " "), GoOn(prompt.id), GoOn(), EditAnswer(" ")):
        with pytest.raises(PromptError):
            session.make(move)
    assert session.path == (prompt, answer)
    calling = session_on(caller, harmony)
    finish(calling.send("Weather?"))
    with pytest.raises(PromptError, match="waits for a tool"):
        calling.go_on()


def test_clearing_keeps_what_was_written_in_the_old_conversation(rambler: Engine, harmony: Harmony) -> None:
    journal = RecordingJournal()
    session = session_on(rambler, harmony, journal=journal)
    turn = session.send("Hello!")
    next(event for event in turn if isinstance(event, Token) and event.step.index == 8)
    session.clear()
    assert session.path == ()
    wait_until(lambda: not rambler.busy)
    second = session.send("Hi")
    (old, new) = journal.kept.values()
    assert (old.tree.path()[-1].ending, new.tree.path()[-1].ending) == ("interrupted", "writing")
    assert old.tree.path()[-1].text.startswith("Oh, yes")
    session.close()
    assert second.finished is not None
    assert new.tree.path()[-1].ending == "interrupted"


def test_what_is_being_written_can_be_read_from_outside(rambler: Engine, harmony: Harmony) -> None:
    """As a journal does: by id, without anybody taking events; and a session makes an answer of it again."""
    journal = RecordingJournal()
    session = session_on(rambler, harmony, journal=journal, max_tokens=30)
    session.send("Hello!")
    (kept,) = journal.kept.values()
    ((node_id, written),) = kept.written.items()
    wait_until(lambda: len(written()) == 30)
    # The program ends here.
    kept.tree.replace(replace(kept.tree[node_id], token_ids=written()))
    again = session_on(rambler, harmony, conversation=kept.conversation, tree=kept.tree, journal=journal, max_tokens=9)
    answer = again.path[-1]
    assert (answer.ending, answer.text[:7]) == ("interrupted", "Oh, yes")
    assert kept.tree[node_id] == answer
    session.close()
    assert session.path[-1].text == answer.text
    finish(again.go_on())


def test_plans_may_be_asked_for_on_another_thread(talker: Engine, harmony: Harmony) -> None:
    """Whoever asks may be the one that finds the answer done; its reader still gets every event, once."""
    session = session_on(talker, harmony, SamplingParams(seed=7))
    over = threading.Event()

    def ask_on() -> None:
        while not over.is_set():
            session.plan(Send("And now?"))

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask_on) for _ in range(2)]
        try:
            for text in ("Hello!", "And now?", "Well?") * 5:
                turn = session.send(text)
                written: list[int] = []
                while not isinstance(events[-1] if (events := turn.drain()) else None, TurnFinished):
                    written += [event.step.token_id for event in events if isinstance(event, Token)]
                written += [event.step.token_id for event in events if isinstance(event, Token)]
                assert tuple(written) == turn.written() == session.path[-1].token_ids
        finally:
            over.set()
        for each in asking:
            each.result()
    assert len(session.path) == 30


def test_ids_of_another_vocabulary_are_not_used(talker: Engine, harmony: Harmony) -> None:
    session, _ = asked_two(talker, harmony)
    foreign = [replace(node, vocabulary="another") for node in session.path]
    for node in foreign:
        session.tree.replace(node)
    turn = session.send("Well?")
    spelled = [replace(message, token_ids=None) for message in session.messages]
    assert list(turn.prompt_ids) == harmony.render(spelled, date=DATE)
    finish(turn)
