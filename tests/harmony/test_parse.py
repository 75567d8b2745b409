"""Parsing what is well-formed, as OpenAI's strict parser does, one token at a time."""

from __future__ import annotations

from dataclasses import replace

import openai_harmony as openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Delta, Message
from tests.harmony.parsing import assert_consistent, bare, ids_of, parse, said
from tests.harmony.strategies import texts

RECIPIENTS = st.sampled_from(["functions.weather", "functions.get_user_location_2", "browser.search", "python"])


@st.composite
def completions(draw: st.DrawFn) -> str:
    """A well-formed completion after `<|start|>assistant`, spelled out."""
    parts: list[str] = []
    for _ in range(draw(st.integers(0, 3))):
        channel = draw(st.sampled_from(["analysis", "commentary"]))
        parts.append(f"<|channel|>{channel}<|message|>{draw(content())}<|end|><|start|>assistant")
    if draw(st.booleans()):
        channel, recipient = draw(st.sampled_from(["analysis", "commentary"])), draw(RECIPIENTS)
        kind = draw(st.sampled_from(["", " <|constrain|>json", "<|constrain|>json", " code"]))
        where = draw(st.booleans())
        header = f" to={recipient}<|channel|>{channel}{kind}" if where else f"<|channel|>{channel} to={recipient}{kind}"
        parts.append(f"{header}<|message|>{draw(content())}<|call|>")
    else:
        parts.append(f"<|channel|>final<|message|>{draw(content())}<|return|>")
    return "".join(parts)


def content() -> st.SearchStrategy[str]:
    return texts().filter(lambda text: "<|" not in text)


@settings(max_examples=150, deadline=None)
@given(spelled=completions(), cut_at=st.integers(0, 400))
def test_well_formed_answers_are_read_as_openai_does(
    harmony: Harmony, oracle: openai.HarmonyEncoding, spelled: str, cut_at: int
) -> None:
    ids = ids_of(harmony, spelled)
    messages, deltas = parse(harmony, ids)
    theirs = oracle.parse_messages_from_completion_tokens(ids, openai.Role.ASSISTANT, strict=True)
    assert [_fields(message) for message in messages] == [_foreign_fields(message) for message in theirs]
    assert all(message.complete for message in messages)
    assert_consistent(harmony, messages, deltas)
    # Streaming: at any moment the open message says what OpenAI's streaming parser says.
    stream = openai.StreamableParser(oracle, openai.Role.ASSISTANT)
    parser = harmony.parser()
    for token_id in ids[:cut_at]:
        stream.process(token_id)
        delta = "".join(delta.text for delta in parser.feed(token_id))
        assert parser.channel == stream.current_channel
        assert delta == (stream.last_content_delta or "") or parser.channel is None


def _fields(message: Message) -> tuple[object, ...]:
    return message.role, message.channel, message.recipient, message.constrain, message.text


def _foreign_fields(message: openai.Message) -> tuple[object, ...]:
    kind = message.content_type and message.content_type.removeprefix("<|constrain|>")
    return message.author.role.value, message.channel, message.recipient, kind, message.content[0].text


@settings(max_examples=60, deadline=None)
@given(text=texts(), answer=texts(), name=st.sampled_from(["functions.weather", "functions.f"]))
def test_a_rendered_conversation_parses_to_itself(harmony: Harmony, text: str, answer: str, name: str) -> None:
    call = replace(Message.assistant(answer, "commentary", name), constrain="json")
    messages = [Message.user(text), Message.assistant(text, "analysis"), call, Message.tool(name, answer)]
    parser = harmony.parser(role=None)
    first = harmony.render(messages)
    system = ids_of(harmony, "<|end|>")[0]
    for token_id in first[first.index(system) + 1 :]:
        parser.feed(token_id)
    assert bare(parser.finish()) == messages


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(st.binary(max_size=6), max_size=6))
def test_bytes_are_decoded_as_python_does_it(cut: Harmony, parts: list[bytes]) -> None:
    header, end = ids_of(cut, "<|channel|>final<|message|>"), ids_of(cut, "<|end|>")
    single = {cut.vocabulary.token_bytes(i): i for i in range(256)}
    body = [single[bytes([byte])] for byte in b"".join(parts)]
    messages, deltas = parse(cut, [*header, *body, *end])
    assert messages[0].text == b"".join(parts).decode("utf-8", "replace")
    assert messages[0].token_ids == tuple(body)
    assert_consistent(cut, messages, deltas)


@pytest.mark.parametrize(
    ("header", "recipient", "constrain"),
    [
        (" to=functions.f<|channel|>commentary", "functions.f", None),
        ("<|channel|>commentary to=functions.f", "functions.f", None),
        ("<|channel|>commentary to=functions.f <|constrain|>json", "functions.f", "json"),
        ("<|channel|>commentary to=functions.f<|constrain|> json", "functions.f", "json"),
        ("<|channel|>commentary to=functions.f json", "functions.f", "json"),
        ("assistant to=functions.f<|channel|>commentary", "functions.f", None),
        ("<|constrain|>json<|channel|>commentary to=functions.f", "functions.f", "json"),
        ("<|channel|>commentary", None, None),
    ],
)
def test_where_a_recipient_may_stand(
    harmony: Harmony, header: str, recipient: str | None, constrain: str | None
) -> None:
    (message,), _ = parse(harmony, ids_of(harmony, header + "<|message|>{}<|call|>"))
    assert (message.role, message.channel, message.text) == ("assistant", "commentary", "{}")
    assert (message.recipient, message.constrain) == (recipient, constrain)


def test_text_without_a_header_is_streamed_at_once(harmony: Harmony) -> None:
    """A model that knows no harmony must be readable while it writes, not when it stops."""
    parser = harmony.parser()
    ids = harmony.vocabulary.encode("Once upon a time")
    assert [[delta.text for delta in parser.feed(i)] for i in ids] == [["Once"], [" upon"], [" a"], [" time"]]
    assert parser.channel is None


def test_the_channel_of_the_moment(harmony: Harmony) -> None:
    parser = harmony.parser()
    seen = []
    for token_id in ids_of(harmony, "<|channel|>final<|message|>Hi<|end|>"):
        parser.feed(token_id)
        seen.append(parser.channel)
    assert seen == [None, None, "final", "final", None]


def test_a_character_in_parts_comes_when_it_is_whole(harmony: Harmony) -> None:
    parser = harmony.parser()
    for token_id in ids_of(harmony, "<|channel|>final<|message|>"):
        parser.feed(token_id)
    *parts, last = harmony.vocabulary.encode("🦆")
    assert [parser.feed(i) for i in parts] == [[]] * len(parts)
    assert parser.feed(last) == [Delta("final", "🦆")]


def test_an_open_message_keeps_the_ids_of_a_character_that_was_cut(harmony: Harmony) -> None:
    duck = harmony.vocabulary.encode("🦆")
    (message,), _ = parse(harmony, [*ids_of(harmony, "<|channel|>final<|message|>A "), *duck[:-1]])
    assert (message.text, message.complete) == ("A ", False)
    parser = harmony.parser(resume=message)
    assert parser.channel == "final"
    assert parser.feed(duck[-1]) == [Delta("final", "🦆")]
    parser.feed(harmony.vocabulary.special["<|return|>"])
    (whole,) = parser.finish()
    assert (whole.text, whole.complete, whole.channel) == ("A 🦆", True, "final")
    assert whole.token_ids == (*harmony.vocabulary.encode("A "), *duck)


def test_a_message_made_of_text_can_be_resumed(harmony: Harmony) -> None:
    begun = replace(Message.assistant("Once", "commentary", "functions.f"), constrain="json", complete=False)
    parser = harmony.parser(resume=begun)
    (delta,) = parser.feed(harmony.vocabulary.encode(" upon")[0])
    assert delta == Delta("commentary", " upon", "functions.f")
    assert bare(parser.finish()) == [replace(begun, text="Once upon")]


def test_finish_changes_nothing(harmony: Harmony) -> None:
    ids = ids_of(
        harmony, "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>"
    )
    parser, other = harmony.parser(), harmony.parser()
    for token_id in ids:
        assert parser.feed(token_id) == other.feed(token_id)
        assert parser.finish() == parser.finish()
    assert parser.finish() == other.finish()


def test_endoftext_ends_a_message_like_the_other_stops(harmony: Harmony) -> None:
    messages, _ = parse(harmony, ids_of(harmony, "<|channel|>final<|message|>Hi<|endoftext|>"))
    assert said(messages) == [("final", "Hi")]
    assert messages[0].complete
