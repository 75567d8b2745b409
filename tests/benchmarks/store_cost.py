"""What keeping a conversation costs an answer: tokens a second and CPU, with and without, and when its end is on disk.

    python -m tests.benchmarks.store_cost [--tokens 2000] [--rounds 5] [MODEL]

In each round the same answer is written twice, in turn: kept by nobody, and kept by a store in a folder of its own on
this machine's disk. Then 200 turns are ended one after the other, and each is waited for.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from gptoss_tui import Engine, Finished, Harmony, SamplingParams, Session
from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.tree import Node, new_id
from gptoss_tui.harmony.messages import Message
from tests.benchmarks.small_checkpoint import write_small_checkpoint

GREEDY = SamplingParams(temperature=0.0)
ENDS = 200


def main() -> None:
    """Prints the figures of one checkpoint."""
    parser = argparse.ArgumentParser(description="Measure what keeping a conversation costs.")
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    # Beside this file: the system's own folder for such things may be in memory.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as scratch:
        folder = options.model or write_small_checkpoint(Path(scratch) / "small")
        harmony = Harmony.load(folder)
        store = Store(Path(scratch) / "state")
        speeds: dict[bool, list[float]] = {False: [], True: []}
        spent: dict[bool, list[float]] = {False: [], True: []}
        with Engine.load(folder) as engine:
            _speed(engine, harmony, None, options.tokens)  # the first one warms up
            for number in range(options.rounds):
                # Each goes first in every other round.
                for kept in (False, True) if number % 2 else (True, False):
                    speed, cpu = _speed(engine, harmony, store if kept else None, options.tokens)
                    speeds[kept].append(speed)
                    spent[kept].append(cpu)
        (without, bare), (with_, full) = (
            (statistics.median(speeds[kept]), statistics.median(spent[kept])) for kept in (False, True)
        )
        store.close(10)
        nbytes = (Path(scratch) / "state" / "conversations.db").stat().st_size
        store = Store(Path(scratch) / "state")
        ends = sorted(_end(store) for _ in range(ENDS))
        store.close(10)
    print(f"kept by nobody   {without:8.1f} tokens/s   {1000 * bare:7.3f} ms of the CPU a token")
    print(f"kept             {with_:8.1f} tokens/s   {1000 * full:7.3f} ms")
    print(f"ratio            {with_ / without:8.3f}            {full / bare:7.3f}")
    print(
        f"an end is on the disk after {1000 * ends[ENDS // 2]:.1f} ms, at the 99th percentile {1000 * ends[-3]:.1f} ms"
    )
    print(f"bytes a token in the file   {nbytes / (options.rounds * options.tokens):.1f}, texts and index included")


def _speed(engine: Engine, harmony: Harmony, store: Store | None, tokens: int) -> tuple[float, float]:
    """(tokens a second, CPU seconds of the whole process a token) of one answer."""
    engine.forget()
    session = Session(engine, harmony, params=GREEDY, max_tokens=tokens, date="2026-01-01", journal=store)
    began = time.process_time()
    turn = session.send("Say something long.")
    for _ in turn:
        pass
    spent = time.process_time() - began
    assert turn.finished is not None
    finished: Finished = turn.finished.finished
    return finished.decode_tps, spent / finished.completion_tokens


def _end(store: Store) -> float:
    """Seconds from the end of a turn until it is on the disk."""
    conversation = Conversation(new_id(), "A talk")
    answer = Node(new_id(), None, "assistant", (), vocabulary="v", ending="writing", created=time.time())
    store.conversation(conversation)
    store.added(conversation.id, answer, lambda: (1, 2, 3))
    store.flush()
    text = "A few words that were said. " * 40
    ended = replace(answer, messages=(Message.assistant(text),), token_ids=tuple(range(1000)), ending="stop")
    began = time.perf_counter()
    store.replaced(conversation.id, ended)
    store.flush()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
