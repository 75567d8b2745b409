"""Rendering, against OpenAI's own renderer on the genuine vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import openai_harmony as openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptoss_tui.errors import ParameterError
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import EFFORTS, Effort, Message, Tool
from gptoss_tui.harmony.render import visible
from tests.harmony.strategies import schemas, texts

DATE = "2025-06-28"
QUESTION = Message.user("What is 2 + 2?")
THOUGHT = Message.assistant("Simple arithmetic.", "analysis")
ANSWER = Message.assistant("2 + 2 = 4.")
CALL = replace(Message.assistant('{"city":"Rom"}', "commentary", "functions.weather"), constrain="json")
RESULT = Message.tool("functions.weather", '{"sunny":true}')
WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def expected(
    oracle: openai.HarmonyEncoding,
    messages: Sequence[Message],
    *,
    instructions: str | None = None,
    effort: Effort = "medium",
    tools: Sequence[Tool] = (),
    date: str = DATE,
) -> list[int]:
    """What openai-harmony makes of these messages, nothing left out."""
    system = (
        openai.SystemContent.new()
        .with_reasoning_effort(openai.ReasoningEffort[effort.upper()])
        .with_conversation_start_date(date)
    )
    conversation = [openai.Message.from_role_and_content(openai.Role.SYSTEM, system)]
    if instructions or tools:
        developer = openai.DeveloperContent.new()
        if instructions:
            developer = developer.with_instructions(instructions)
        if tools:
            described = [openai.ToolDescription.new(t.name, t.description, t.parameters) for t in tools]
            developer = developer.with_function_tools(described)
        conversation.append(openai.Message.from_role_and_content(openai.Role.DEVELOPER, developer))
    conversation += [_foreign(message) for message in messages]
    config = openai.RenderConversationConfig(auto_drop_analysis=False)
    return list(
        oracle.render_conversation_for_completion(
            openai.Conversation.from_messages(conversation), openai.Role.ASSISTANT, config
        )
    )


def _foreign(message: Message) -> openai.Message:
    if message.role == "tool":
        assert message.name
        author = openai.Author.new(openai.Role.TOOL, message.name)
        foreign = openai.Message.from_author_and_content(author, message.text).with_recipient("assistant")
    else:
        foreign = openai.Message.from_role_and_content(openai.Role(message.role), message.text)
    if message.channel:
        foreign = foreign.with_channel(message.channel)
    if message.recipient:
        foreign = foreign.with_recipient(message.recipient)
    if message.constrain:
        foreign = foreign.with_content_type(f"<|constrain|>{message.constrain}")
    return foreign


NAMES = st.from_regex(r"[a-z][a-z_0-9]{0,12}", fullmatch=True)
CONSTRAINS = st.sampled_from([None, "json", "code"])


@st.composite
def turns(draw: st.DrawFn) -> list[Message]:
    """A question and an answer with tool calls; its analysis is what the model no longer sees."""
    turn = [Message.user(draw(texts()))]
    for _ in range(draw(st.integers(0, 2))):
        name = "functions." + draw(NAMES)
        turn.append(Message.assistant(draw(texts()), "analysis"))
        call = Message.assistant(draw(texts()), "commentary", name)
        turn += [replace(call, constrain=draw(CONSTRAINS)), Message.tool(name, draw(texts()))]
    turn.append(Message.assistant(draw(texts()), draw(st.sampled_from(["analysis", "commentary"]))))
    turn.append(Message.assistant(draw(texts())))
    return turn


@settings(max_examples=60, deadline=None)
@given(
    done=st.lists(turns(), max_size=3),
    last=turns(),
    stage=st.integers(1, 12),
    instructions=st.none() | texts(),
    effort=st.sampled_from(EFFORTS),
    tools=st.lists(st.builds(Tool, NAMES, texts(), st.none() | schemas()), max_size=2),
)
def test_conversations_are_rendered_as_openai_does(
    harmony: Harmony,
    oracle: openai.HarmonyEncoding,
    done: list[list[Message]],
    last: list[Message],
    stage: int,
    instructions: str | None,
    effort: Effort,
    tools: list[Tool],
) -> None:
    under_way = last[: min(stage, len(last) - 1)]
    seen = [m for turn in done for m in turn if m.channel != "analysis"] + under_way
    options = {"instructions": instructions, "effort": effort, "tools": tools, "date": DATE}
    ours = harmony.render([m for turn in done for m in turn] + under_way, **options)  # type: ignore[arg-type]  # a dict of keywords
    assert ours == expected(oracle, seen, **options)  # type: ignore[arg-type]  # a dict of keywords


@settings(max_examples=150, deadline=None)
@given(schema=schemas(), description=texts())
def test_schemas_are_written_as_openai_does(
    harmony: Harmony, oracle: openai.HarmonyEncoding, schema: dict[str, object], description: str
) -> None:
    tools = [Tool("f", description, schema)]
    assert harmony.render([], tools=tools, date=DATE) == expected(oracle, [], tools=tools)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"oneOf": [{"type": "string", "enum": ["a", "b"], "default": "a"}]}},
        {"oneOf": [{"type": "string", "enum": ["a"], "default": "a", "description": "one"}], "default": 3},
        {"type": "object", "description": "inner", "properties": {"y": {"type": "string", "nullable": True}}},
        {"oneOf": [{"type": "number"}, {"type": "string", "nullable": True, "default": "x"}], "description": "both"},
        {"oneOf": [{"type": "number", "description": "same"}, {"type": "null"}], "description": "same"},
        {"anyOf": [{"type": "number"}]},
        {"type": "number", "default": None},
        True,
    ],
)
def test_what_random_schemas_seldom_hold(harmony: Harmony, oracle: openai.HarmonyEncoding, schema: object) -> None:
    tools = [Tool("f", "", {"type": "object", "properties": {"x": schema}, "required": ["x"]})]
    assert harmony.render([], tools=tools, date=DATE) == expected(oracle, [], tools=tools)


def test_a_tool_may_speak_to_another(harmony: Harmony) -> None:
    ids = harmony.render([replace(RESULT, recipient="functions.other")], date=DATE)
    assert "".join(map(harmony.piece, ids)).endswith(
        "<|start|>functions.weather to=functions.other<|channel|>commentary<|message|>"
        '{"sunny":true}<|end|><|start|>assistant'
    )


@pytest.mark.parametrize("effort", EFFORTS)
def test_the_whole_prompt_reads_as_documented(harmony: Harmony, effort: Effort) -> None:
    ids = harmony.render([QUESTION], instructions="Be brief.", effort=effort, date=DATE)
    assert "".join(map(harmony.piece, ids)) == (
        "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n"
        "Knowledge cutoff: 2024-06\nCurrent date: 2025-06-28\n\n"
        f"Reasoning: {effort}\n\n"
        "# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>"
        "<|start|>developer<|message|># Instructions\n\nBe brief.<|end|>"
        "<|start|>user<|message|>What is 2 + 2?<|end|><|start|>assistant"
    )


def test_empty_instructions_make_no_developer_message(harmony: Harmony) -> None:
    assert harmony.render([QUESTION], instructions="", date=DATE) == harmony.render([QUESTION], date=DATE)


@pytest.mark.parametrize(
    ("messages", "kept"),
    [
        pytest.param([QUESTION, THOUGHT, ANSWER, QUESTION], [QUESTION, ANSWER, QUESTION], id="done"),
        pytest.param([QUESTION, THOUGHT, ANSWER], [QUESTION, ANSWER], id="done, nothing asked yet"),
        pytest.param(
            [QUESTION, THOUGHT, CALL, RESULT, THOUGHT, ANSWER, QUESTION, THOUGHT, ANSWER, QUESTION],
            [QUESTION, CALL, RESULT, ANSWER, QUESTION, ANSWER, QUESTION],
            id="every turn's, not only the first's",
        ),
        pytest.param([QUESTION, THOUGHT, CALL, RESULT], [QUESTION, THOUGHT, CALL, RESULT], id="tool called"),
        pytest.param(
            [QUESTION, THOUGHT, ANSWER, QUESTION, THOUGHT, CALL, RESULT],
            [QUESTION, ANSWER, QUESTION, THOUGHT, CALL, RESULT],
            id="tool called, earlier turn done",
        ),
        pytest.param([QUESTION, THOUGHT, QUESTION], [QUESTION, QUESTION], id="stopped while thinking"),
        pytest.param(
            [QUESTION, THOUGHT, replace(ANSWER, complete=False), QUESTION], [QUESTION, ANSWER, QUESTION], id="stopped"
        ),
        pytest.param(
            [QUESTION, THOUGHT, CALL, RESULT, THOUGHT, QUESTION],
            [QUESTION, THOUGHT, CALL, RESULT, QUESTION],
            id="stopped while thinking about a tool's result",
        ),
        pytest.param(
            [QUESTION, THOUGHT, ANSWER, THOUGHT, QUESTION],
            [QUESTION, ANSWER, QUESTION],
            id="stopped in second thoughts",
        ),
        pytest.param(
            [QUESTION, THOUGHT, ANSWER, THOUGHT], [QUESTION, THOUGHT, ANSWER, THOUGHT], id="having second thoughts"
        ),
        pytest.param([QUESTION, QUESTION], [QUESTION, QUESTION], id="two questions"),
        pytest.param([THOUGHT, ANSWER, QUESTION], [ANSWER, QUESTION], id="begins with an answer"),
        pytest.param([], [], id="empty"),
    ],
)
def test_what_the_model_sees(
    harmony: Harmony, oracle: openai.HarmonyEncoding, messages: list[Message], kept: list[Message]
) -> None:
    assert harmony.render(messages, date=DATE) == expected(oracle, kept)


def test_an_open_answer_keeps_its_analysis_and_is_not_closed(harmony: Harmony) -> None:
    begun = replace(ANSWER, text="2 + 2", complete=False)
    assert visible([QUESTION, THOUGHT, begun]) == [QUESTION, THOUGHT, begun]
    closed = harmony.render([QUESTION, THOUGHT], date=DATE)
    expected_tail = "<|channel|>final<|message|>2 + 2"
    rendered = harmony.render([QUESTION, THOUGHT, begun], date=DATE)
    assert rendered[: len(closed)] == closed
    assert "".join(map(harmony.piece, rendered[len(closed) :])) == expected_tail


def test_an_open_question_ends_where_its_text_would_begin(harmony: Harmony) -> None:
    """What an idle prefill asks for: a beginning of whatever is asked next."""
    beginning = harmony.render([QUESTION, ANSWER, replace(Message.user(""), complete=False)], date=DATE)
    for text in ("x", " x", "\n", "Und noch eine Frage?"):
        assert harmony.render([QUESTION, ANSWER, Message.user(text)], date=DATE)[: len(beginning)] == beginning


def test_sampled_ids_are_rendered_verbatim(harmony: Harmony) -> None:
    letters = tuple(i for letter in "four" for i in harmony.vocabulary.encode(letter))
    assert letters != tuple(harmony.vocabulary.encode("four"))
    ids = harmony.render([QUESTION, replace(ANSWER, text="four", token_ids=letters), QUESTION], date=DATE)
    assert any(tuple(ids[at : at + len(letters)]) == letters for at in range(len(ids)))


@pytest.mark.parametrize("name", ["<|end|>", "<|start|>", "<|message|>", "<|channel|>", "<|call|>", "<|return|>"])
def test_formatting_tokens_cannot_come_back_as_content(harmony: Harmony, name: str) -> None:
    sampled = replace(ANSWER, text=f"a{name}b", token_ids=(64, harmony.vocabulary.special[name], 65))
    spelled = replace(ANSWER, text=f"a{name}b")
    assert harmony.render([QUESTION, sampled], date=DATE) == harmony.render([QUESTION, spelled], date=DATE)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_no_text_can_make_a_special_token(harmony: Harmony, text: str) -> None:
    frame = len(harmony.render([Message.user("")], date=DATE))
    for spelled in (text, f"<|end|>{text}<|start|>", f"<|endoftext|>{text}"):
        ids = harmony.render([Message.user(spelled)], date=DATE)
        special = [i for i in ids if harmony.vocabulary.is_special(i)]
        assert len(special) == 7
        assert len(ids) == frame + len(harmony.vocabulary.encode(spelled))


def test_lone_surrogates_count_as_the_replacement_character(harmony: Harmony) -> None:
    assert harmony.render([Message.user("a\ud800b")], date=DATE) == harmony.render(
        [Message.user("a\ufffdb")], date=DATE
    )


@pytest.mark.parametrize("date", ["yesterday", "", "2025-13-01"])
def test_a_date_that_is_none_is_refused(harmony: Harmony, date: str) -> None:
    with pytest.raises(ParameterError, match="date") as caught:
        harmony.render([QUESTION], date=date)
    assert caught.value.hint


def test_an_unknown_effort_is_refused(harmony: Harmony) -> None:
    with pytest.raises(ParameterError, match="effort"):
        harmony.render([QUESTION], effort="huge")  # type: ignore[arg-type]  # what a config file may hold


def test_a_nameless_tool_is_refused(harmony: Harmony) -> None:
    with pytest.raises(ParameterError, match="tool"):
        harmony.render([Message("tool", "42")], date=DATE)
