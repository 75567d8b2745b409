"""What each move in a long conversation costs: tokens reused and read, and the time to the first token.

    python -m tests.benchmarks.moves [--history 4000] [--turns 6] [--rounds 3] [MODEL]

A conversation of about --history tokens in --turns turns is held. In each round the engine forgets everything and reads
the branches of the last two answers; then every move is made from the end, after the session has read ahead. Beside it,
in the same run: the same prompt read into the empty caches of a second engine. Behind a move that asks nothing the next
prompt is asked at once, and its first token is what is timed; the tokens are the move's own. Seconds are medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from gptoss_tui import Engine, Finished, Harmony, SamplingParams, Session
from gptoss_tui.chat.moves import Edit, EditAnswer, Fork, GoOn, Move, Plan, Retry, Send, Shorten, Switch
from gptoss_tui.chat.tree import Tree
from gptoss_tui.chat.turn import Turn
from tests.benchmarks.small_checkpoint import write_small_checkpoint

GREEDY = SamplingParams(temperature=0.0)
QUESTION = "And what would you say about the second of these, in a few words, to somebody who has never heard of it?"
SENTENCE = "The quick brown fox jumps over the lazy dog and goes on its way through the wood. "


@dataclass(frozen=True, slots=True)
class Cost:
    """One move, made once."""

    plan: Plan
    warm_s: float
    cold_s: float


def main() -> None:
    """Prints a table of one checkpoint."""
    parser = argparse.ArgumentParser(description="Measure every move in a long conversation.")
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--history", type=int, default=4000)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    costs: defaultdict[str, list[Cost]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.model or write_small_checkpoint(Path(scratch) / "small")
        harmony = Harmony.load(folder)
        with Engine.load(folder) as engine, Engine.load(folder) as cold:
            session = _conversation(engine, harmony, options.history, options.turns)
            _settled(session, engine)
            tokens = len(session.ahead().ids)
            print(f"{tokens:,} tokens in {options.turns} turns; {engine.info.name}, {engine.info.device}")
            for _ in range(options.rounds):
                for name, cost in _round(session, engine, cold):
                    costs[name].append(cost)
    print(f"\n| {'move':<26} | prompt | reused |  read | first token |    cold | ratio |")
    print(f"|{'-' * 28}|{'-' * 7}:|{'-' * 7}:|{'-' * 6}:|{'-' * 12}:|{'-' * 8}:|{'-' * 6}:|")
    for name, made in costs.items():
        plan = made[-1].plan
        warm, slow = (statistics.median(times) for times in zip(*((c.warm_s, c.cold_s) for c in made), strict=True))
        figures = f"{len(plan.ids):>6,} | {plan.reused:>6,} | {plan.prefill:>5,} | {warm:>9.3f} s | {slow:>5.2f} s"
        print(f"| {name:<26} | {figures} | {slow / warm:>5.0f} |")


def _conversation(engine: Engine, harmony: Harmony, history: int, turns: int) -> Session:
    """About so many tokens in so many turns, the last one with two answers."""
    session = Session(engine, harmony, params=GREEDY, max_tokens=64, date="2026-01-01")
    sentences = history // turns // session.count(SENTENCE)
    for turn in range(turns):
        _finish(session.send(f"Part {turn + 1}. {SENTENCE * sentences}"))
    _finish(session.retry())
    return session


def _round(session: Session, engine: Engine, cold: Engine) -> list[tuple[str, Cost]]:
    """Every move once, each from the end of the same conversation."""
    home = session.path[-1].id
    prompts = [node for node in session.path if node.role == "user"]
    answers = session.tree.siblings(home)
    other = next(answer for answer in answers if answer.id != home)
    moves: list[tuple[str, Move]] = [
        ("next turn", Send(QUESTION)),
        ("retry", Retry()),
        ("edit the last prompt", Edit(prompts[-1].id, QUESTION)),
        ("edit the first prompt", Edit(prompts[0].id, QUESTION)),
        ("go on", GoOn()),
        ("change the answer, go on", EditAnswer("Now, what matters is this:")),
        ("change the answer", EditAnswer("What matters is this.", go_on=False)),
        ("switch to the other answer", Switch(other.id)),
        ("switch to another branch", Switch(prompts[0].id)),
        ("fork", Fork()),
        ("shorten", Shorten()),
    ]
    conversation, nodes = session.conversation, session.tree.nodes
    engine.forget()
    for answer in (other.id, home):
        session.open(conversation, Tree(nodes, answer))
        _settled(session, engine)
    costs: list[tuple[str, Cost]] = []
    for name, move in moves:
        if name == "switch to another branch":
            _finish(session.edit(prompts[0].id, QUESTION))
            _settled(session, engine)
        costs.append((name, _made(session, engine, cold, move)))
        session.open(conversation, Tree(nodes, home))
        _settled(session, engine)
    return costs


def _made(session: Session, engine: Engine, cold: Engine, move: Move) -> Cost:
    plan = session.plan(move)
    began = time.perf_counter()
    turn = session.make(move)
    if turn is None:
        turn = session.send(QUESTION)
    before = time.perf_counter() - began
    warm = before + _finish(turn).ttft_s
    cold.forget()
    with cold.generate(turn.prompt_ids, GREEDY, max_tokens=1) as generation:
        slow = next(event.ttft_s for event in generation if isinstance(event, Finished))
    return Cost(plan, warm, slow)


def _finish(turn: Turn) -> Finished:
    for _ in turn:
        pass
    assert turn.finished is not None
    return turn.finished.finished


def _settled(session: Session, engine: Engine) -> None:
    """Waits until the session has read ahead."""
    ahead = session.ahead().ids
    while engine.reusable(ahead) < len(ahead) - 1:
        time.sleep(0.01)


if __name__ == "__main__":
    main()
