"""One answer of a checkpoint through the program's own engine and renderer, and what an evaluation asks of it."""

from __future__ import annotations

from dataclasses import dataclass

from gptoss_tui.engine.events import Finished, Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Effort, Message

DATE = "2026-11-24"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was written."""

    ids: tuple[int, ...]
    analysis: str
    final: str
    stopped: bool
    """It ended with `<|return|>` within the limit."""
    strict: bool
    """Its ids are exactly an optional analysis message and one final message, closed as the format wants it."""
    decode_tps: float


def strict(harmony: Harmony, ids: tuple[int, ...]) -> bool:
    """Whether ids are at most one analysis message, then one final message that ends with `<|return|>`."""
    special, encode = harmony.vocabulary.special, harmony.vocabulary.encode
    channel, message, end = special["<|channel|>"], special["<|message|>"], special["<|end|>"]
    rest = list(ids)
    analysis = [channel, *encode("analysis"), message]
    final = [channel, *encode("final"), message]
    if rest[: len(analysis)] == analysis:
        if end not in rest:
            return False
        cut = rest.index(end)
        if any(harmony.vocabulary.is_special(i) for i in rest[len(analysis) : cut]):
            return False
        rest = rest[cut + 1 :]
        opening = [special["<|start|>"], *encode("assistant")]
        if rest[: len(opening)] != opening:
            return False
        rest = rest[len(opening) :]
    if rest[: len(final)] != final or rest[-1] != special["<|return|>"]:
        return False
    return not any(harmony.vocabulary.is_special(i) for i in rest[len(final) : -1])


def read(harmony: Harmony, ids: tuple[int, ...], decode_tps: float = 0.0) -> Answer:
    """An answer as it was written, taken apart."""
    parser = harmony.parser()
    for token in ids:
        parser.feed(token)
    written = parser.finish()
    return Answer(
        ids,
        "\n".join(m.text for m in written if m.channel == "analysis"),
        "\n".join(m.text for m in written if m.channel == "final"),
        ids[-1:] == (harmony.vocabulary.special["<|return|>"],),
        strict(harmony, ids),
        decode_tps,
    )


def answer(
    engine: Engine,
    harmony: Harmony,
    messages: list[Message],
    params: SamplingParams,
    *,
    effort: Effort = "medium",
    instructions: str | None = None,
    max_tokens: int = 300,
) -> Answer:
    """Writes one answer to `messages`."""
    prompt = harmony.render(messages, instructions=instructions, effort=effort, date=DATE)
    ids: list[int] = []
    finished: Finished | None = None
    with engine.generate(prompt, params, max_tokens=max_tokens, stop_ids=harmony.stop_ids) as generation:
        for event in generation:
            if isinstance(event, Step):
                ids.append(event.token_id)
            elif isinstance(event, Finished):
                finished = event
    assert finished is not None
    return read(harmony, tuple(ids), finished.decode_tps)
