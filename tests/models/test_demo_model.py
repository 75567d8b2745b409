"""The bundled model as it ships: complete, of the card's layout, loaded by both engines alike, and able to answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from gptoss_tui.chat.session import Session
from gptoss_tui.engine.events import Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Effort, Message
from gptoss_tui.models.bundled import demo_checkpoint
from gptoss_tui.models.generation import sampling_defaults
from tests.vocabularies import o200k_ranks

DATE = "2026-11-24"


@pytest.fixture(scope="module")
def folder() -> Path:
    return demo_checkpoint()


@pytest.fixture(scope="module")
def harmony(folder: Path) -> Harmony:
    return Harmony.load(folder)


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    with Engine.load(folder) as loaded:
        yield loaded


def write(engine: Engine, harmony: Harmony, messages: list[Message], effort: Effort = "medium") -> list[Message]:
    """The messages of one greedy answer."""
    prompt = harmony.render(messages, effort=effort, date=DATE)
    parser = harmony.parser()
    params = SamplingParams(temperature=0)
    with engine.generate(prompt, params, max_tokens=300, stop_ids=harmony.stop_ids) as generation:
        for event in generation:
            if isinstance(event, Step):
                parser.feed(event.token_id)
    return parser.finish()


def final(messages: list[Message]) -> str:
    return "".join(message.text for message in messages if message.channel == "final")


def test_the_checkpoint_is_complete_and_small(folder: Path) -> None:
    """Every file of the card, an index that names what the shards hold, 24 MB at most."""
    index = json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"]
    shards = sorted(path.name for path in folder.glob("*.safetensors"))
    assert shards == sorted(set(index.values()))
    held = {name: shard for shard in shards for name in mx.load(str(folder / shard))}
    assert held == index
    beside = {"config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
    assert beside | {"generation_config.json", "chat_template.jinja"} <= {path.name for path in folder.iterdir()}
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 24_000_000


def test_ordinary_ids_are_those_of_o200k(harmony: Harmony) -> None:
    """The vocabulary is o200k's first ranks, with harmony's tokens behind them and no gap."""
    ordinary = [i for i in range(harmony.vocabulary.size) if not harmony.vocabulary.is_special(i)]
    assert ordinary == list(range(len(ordinary)))
    assert [harmony.vocabulary.token_bytes(i) for i in ordinary] == list(o200k_ranks()[: len(ordinary)])


def test_it_asks_to_be_stopped_where_harmony_stops(folder: Path, harmony: Harmony) -> None:
    """generation_config.json names every stop token, and a sampling that the program takes over."""
    wishes = json.loads((folder / "generation_config.json").read_text())
    assert set(wishes["eos_token_id"]) == harmony.stop_ids
    suggested = sampling_defaults(folder)
    assert (suggested.temperature, suggested.top_p) == (wishes["temperature"], wishes["top_p"])


def test_the_chat_template_renders_what_the_program_renders(folder: Path, harmony: Harmony) -> None:
    """What other programs send to this model is what it was trained on."""
    from mlx_lm.tokenizer_utils import load as load_tokenizer

    tokenizer = load_tokenizer(folder)
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello, I'm Zoë."},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "What's 2 + 2?"},
    ]
    theirs = tokenizer.apply_chat_template(turns, add_generation_prompt=True, reasoning_effort="high", date=DATE)
    messages = [Message.user("Hello, I'm Zoë."), Message.assistant("Hi!"), Message.user("What's 2 + 2?")]
    assert list(theirs) == harmony.render(messages, instructions="Be brief.", effort="high", date=DATE)


def test_mlx_lm_computes_the_same(folder: Path, engine: Engine, harmony: Harmony) -> None:
    """YaRN's truncate is true here, so the second oracle agrees: the same greedy tokens, nearly the same logprobs."""
    from mlx_lm import load

    prompt = harmony.render([Message.user("Why is the sky blue?")], date=DATE)
    params = SamplingParams(temperature=0)
    ids, logprobs = list(prompt), []
    with engine.generate(prompt, params, max_tokens=60, stop_ids=harmony.stop_ids) as generation:
        for event in generation:
            if isinstance(event, Step):
                ids.append(event.token_id)
                logprobs.append(event.logprob)
    model, _ = load(str(folder))
    model.set_dtype(mx.float32)
    logits = model(mx.array(ids)[None])[0, len(prompt) - 1 : -1]
    theirs = np.array(logits - mx.logsumexp(logits, axis=-1, keepdims=True))
    written = ids[len(prompt) :]
    assert theirs.argmax(-1).tolist() == written
    np.testing.assert_allclose(theirs[np.arange(len(written)), written], logprobs, atol=2e-2)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the capital of France?", "Paris"),
        ("What is 2+2?", "4"),
        ("Who are you?", "demo model"),
        ("Why is the sky blue?", "scatter"),
        ("How do I print Hello World in Python?", "print("),
        ("Explain quantum computing in simple terms.", "qubit"),
        ("my kid wants to know why the sea is salty", "salt"),
    ],
)
def test_it_answers_what_people_try_first(engine: Engine, harmony: Harmony, question: str, expected: str) -> None:
    assert expected in final(write(engine, harmony, [Message.user(question)]))


def test_effort_changes_how_long_it_thinks(engine: Engine, harmony: Harmony) -> None:
    """Low does not think at all; high thinks longer than medium."""
    lengths = []
    for effort in ("low", "medium", "high"):
        written = write(engine, harmony, [Message.user("What is gravity?")], effort=effort)
        lengths.append(sum(len(message.text) for message in written if message.channel == "analysis"))
        assert "pull" in final(written)
    low, medium, high = lengths
    assert low == 0 < medium < high / 2


def test_plan_and_story_stay_within_300_tokens(engine: Engine, harmony: Harmony) -> None:
    """At high effort a long answer gets a short plan."""
    prompt = harmony.render([Message.user("Tell me a story about a dragon.")], effort="high", date=DATE)
    params = SamplingParams(temperature=0)
    with engine.generate(prompt, params, max_tokens=300, stop_ids=harmony.stop_ids) as generation:
        ids = [event.token_id for event in generation if isinstance(event, Step)]
    parser = harmony.parser()
    for token in ids:
        parser.feed(token)
    assert [message.channel for message in parser.finish()] == ["analysis", "final"]
    assert ids[-1] == harmony.vocabulary.special["<|return|>"]


def test_it_remembers_a_name_from_the_turn_before(engine: Engine, harmony: Harmony) -> None:
    """The history reaches the answer, through full attention and rewinds."""
    session = Session(engine, harmony, params=SamplingParams(temperature=0), date=DATE)
    for question in ("My name is Anna.", "What is my name?"):
        turn = session.send(question)
        for _ in turn:
            pass
    assert turn.finished is not None
    assert "Anna" in turn.finished.text
