"""What the next turn of a long conversation costs: tokens processed, and the time to its first token.

    python -m tests.benchmarks.next_turn [--history 4000] [--rounds 5] [MODEL]

In each round a conversation of about --history tokens is answered, the session reads ahead while nobody asks, and then
a new message is sent. Beside it, in turn: the new message's own tokens, prefilled cold into an empty cache, and the
same next turn sent at once, without a pause to read ahead in.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from gptoss_tui import Engine, Finished, Harmony, SamplingParams, Session
from gptoss_tui.chat.turn import Turn
from tests.benchmarks.small_checkpoint import write_small_checkpoint

MESSAGE = "And what would you say about the second of these, in a few words, to somebody who has never heard of it?"
GREEDY = SamplingParams(temperature=0.0)


def main() -> None:
    """Prints the figures of one checkpoint."""
    parser = argparse.ArgumentParser(description="Measure the next turn of a long conversation.")
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--history", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.model or write_small_checkpoint(Path(scratch) / "small")
        harmony = Harmony.load(folder)
        with Engine.load(folder) as engine:
            rounds = [_round(engine, harmony, options.history) for _ in range(options.rounds)]
    new, reused, prompt, warm, at_once, cold = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"history {reused:,.0f} tokens reused of a prompt of {prompt:,.0f}; new tokens {new:,.0f}")
    print(f"first token after reading ahead    {1000 * warm:8.1f} ms   {warm / cold:5.2f} of the cold prefill")
    print(f"first token when sent at once      {1000 * at_once:8.1f} ms   {at_once / cold:5.2f} of the cold prefill")
    print(f"the same new tokens, cold, alone   {1000 * cold:8.1f} ms")


def _round(engine: Engine, harmony: Harmony, history: int) -> tuple[float, ...]:
    """(new tokens, reused, prompt, seconds to the first token: read ahead, at once, cold)."""
    sentence = "The quick brown fox jumps over the lazy dog and goes on its way through the wood. "
    words = sentence * (history // len(harmony.vocabulary.encode(sentence)))
    times = {}
    for pause in (True, False):
        engine.forget()
        session = Session(engine, harmony, params=GREEDY, max_tokens=64, date="2026-01-01")
        _finish(session.send(words))
        if pause:
            _settled(engine)
        turn = session.send(MESSAGE)
        finished = _finish(turn)
        times[pause] = finished.ttft_s
        if pause:
            new, reused, prompt = (
                finished.prompt_tokens - finished.reused_tokens,
                finished.reused_tokens,
                finished.prompt_tokens,
            )
            ids = turn.prompt_ids[reused:]
    engine.forget()
    with engine.generate(ids, GREEDY, max_tokens=1) as generation:
        cold = next(event.ttft_s for event in generation if isinstance(event, Finished))
    return new, reused, prompt, times[True], times[False], cold


def _finish(turn: Turn) -> Finished:
    for _ in turn:
        pass
    assert turn.finished is not None
    return turn.finished.finished


def _settled(engine: Engine) -> None:
    """Waits until the idle prefill has come to its end: the number of cached tokens stands still."""
    before = -1
    while engine.cached_tokens != before:
        before = engine.cached_tokens
        time.sleep(1.0)


if __name__ == "__main__":
    main()
