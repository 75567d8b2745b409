"""Changing the sampling while an answer is being written: no lag, no lost exactness, no more draws than needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gptoss_tui.engine.drawing import Drawn
from gptoss_tui.engine.events import Finished, Step
from gptoss_tui.engine.generation import Generation
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from tests.engine.driving import GREEDY, PATIENCE, assert_same_greedy, finished, ids, steps, tokens, write

Make = Callable[..., Path]

PROMPT = ids(20)  # one prefill chunk, so that every run computes the same bits
WARM = SamplingParams(temperature=1.5, seed=11)
HOT = SamplingParams(temperature=5.0, seed=11)
COLD = SamplingParams(temperature=0.0, seed=11)


def changing(changes: dict[int, SamplingParams]) -> Callable[[int, int | None, SamplingParams], SamplingParams | None]:
    return lambda index, previous, params: changes.get(index)


def just_before_emitting(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> None:
    """Calls `act(index)` when the token is known, the next pass is queued, and nothing was emitted yet."""
    build = Drawn.step

    def interfered(drawn: Drawn, index: int, started: float) -> Step:
        step = build(drawn, index, started)
        act(index)
        return step

    monkeypatch.setattr(Drawn, "step", interfered)


class TestBeforeSample:
    def test_what_it_is_told(self, engine: Engine) -> None:
        told: list[tuple[int, int | None, SamplingParams]] = []

        def hook(index: int, previous: int | None, params: SamplingParams) -> None:
            told.append((index, previous, params))

        events = write(engine, PROMPT, WARM, before_sample=hook, max_tokens=6)
        assert told == [(index, previous, WARM) for index, previous in enumerate([None, *tokens(events)[:-1]])]

    def test_what_it_returns_holds_from_that_token_on(self, engine: Engine) -> None:
        events = steps(write(engine, PROMPT, WARM, before_sample=changing({3: COLD, 7: HOT})))
        assert [step.params for step in events] == [WARM] * 3 + [COLD] * 4 + [HOT] * 5
        # The cold tokens are the greedy continuation of the warm ones.
        engine.forget()
        greedy = steps(write(engine, [*PROMPT, *(step.token_id for step in events[:3])], top_logprobs=2, max_tokens=4))
        assert_same_greedy([replace(step, index=step.index - 3) for step in events[3:7]], greedy)

    def test_at_the_first_token(self, engine: Engine) -> None:
        changed = steps(write(engine, PROMPT, HOT, before_sample=changing({0: COLD})))
        assert {step.params for step in changed} == {COLD}
        assert tokens(changed) == tokens(write(engine, PROMPT, COLD))

    def test_a_change_that_changes_nothing_changes_no_token(self, engine: Engine) -> None:
        plain = tokens(write(engine, PROMPT, WARM))
        same = replace(WARM, min_p=1e-30)
        flips = {index: same if index % 2 else WARM for index in range(12)}
        assert tokens(write(engine, PROMPT, WARM, before_sample=changing(flips))) == plain

    def test_a_seed_of_none_keeps_the_seed(self, engine: Engine) -> None:
        events = write(engine, PROMPT, WARM, before_sample=changing({2: replace(COLD, seed=None)}))
        assert {step.params.seed for step in steps(events)} == {11}
        assert finished(events).seed == 11

    def test_another_seed_holds_from_there_on(self, engine: Engine) -> None:
        plain = tokens(write(engine, PROMPT, HOT, max_tokens=20))
        events = write(engine, PROMPT, HOT, before_sample=changing({5: replace(HOT, seed=12)}), max_tokens=20)
        assert tokens(events)[:5] == plain[:5]
        assert tokens(events)[5:] != plain[5:]

    def test_the_repetition_penalty_looks_at_all_before_it(self, engine: Engine) -> None:
        penalised = replace(COLD, repetition_penalty=3.0)
        for index in (0, 1, 5):
            events = write(
                engine, PROMPT, COLD, before_sample=changing({index: penalised}), max_tokens=12, top_logprobs=2
            )
            prefix = [*PROMPT, *tokens(events)[:index]]
            again = write(engine, prefix, penalised, max_tokens=12 - index)
            assert tokens(events)[index:] == tokens(again)


class TestFromElsewhere:
    def at_event(self, engine: Engine, number: int, change: SamplingParams, **options: Any) -> list[Any]:
        """An answer in which on_event, after the step of this index was queued, changes the parameters."""
        ready, generation, seen = threading.Event(), list[Generation](), [0]

        def on_event() -> None:
            assert ready.wait(PATIENCE)
            seen[0] += 1
            if seen[0] == number + 3:  # two events of the prefill come before the steps
                generation[0].params = change

        engine.forget()
        generation.append(engine.generate(PROMPT, WARM, max_tokens=12, on_event=on_event, **options))
        ready.set()
        return list(generation[0])

    @pytest.mark.parametrize("index", [0, 1, 5, 10])
    def test_on_event(self, engine: Engine, index: int) -> None:
        events = self.at_event(engine, index, COLD)
        assert [step.params for step in steps(events)] == [WARM] * (index + 1) + [COLD] * (11 - index)
        engine.forget()
        hooked = write(engine, PROMPT, WARM, before_sample=changing({index + 1: COLD}))
        assert tokens(events) == tokens(hooked)

    @pytest.mark.parametrize("index", [0, 1, 6, 11])
    def test_while_the_next_pass_is_under_way(
        self, engine: Engine, index: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine.forget()
        hooked = write(engine, PROMPT, HOT, before_sample=changing({index: COLD}))
        engine.forget()
        gate, generation = threading.Event(), list[Generation]()

        def act(at: int) -> None:
            assert gate.wait(PATIENCE)
            if at == index:
                generation[0].params = COLD

        just_before_emitting(monkeypatch, act)
        generation.append(engine.generate(PROMPT, HOT, max_tokens=12))
        gate.set()
        events = list(generation[0])
        assert [step.params for step in steps(events)] == [HOT] * index + [COLD] * (12 - index)
        assert tokens(events) == tokens(hooked)

    def test_after_a_change_no_token_of_the_old_follows(self, engine: Engine) -> None:
        with engine.generate(PROMPT, WARM, max_tokens=600) as generation:
            for turn in range(40):
                wanted = replace(WARM, temperature=0.5 + turn / 40)
                generation.params = wanted
                generation.drain()  # what was emitted before the change, and maybe some after it
                event = next(generation)
                assert not isinstance(event, Step) or event.params == wanted or isinstance(event, Finished)

    def test_the_caches_stay_exact_whatever_is_discarded(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        """Passes are thrown away at random, at lengths around the window's edge."""
        wishes: dict[int, list[SamplingParams]] = {}
        current: list[Generation] = []
        gate = threading.Event()

        def act(index: int) -> None:
            assert gate.wait(PATIENCE)
            if wishes.get(index):
                current[0].params = wishes[index].pop()

        just_before_emitting(monkeypatch, act)
        choice = st.sampled_from([COLD, HOT, WARM, replace(HOT, seed=5), replace(WARM, top_p=0.9)])

        @settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(
            st.sampled_from([3, 120, 125, 250]),
            st.dictionaries(st.integers(0, 11), st.lists(choice, min_size=1, max_size=3), min_size=1),
        )
        def check(length: int, wanted: dict[int, list[SamplingParams]]) -> None:
            engine.forget()
            wishes.clear()
            wishes.update(wanted)
            gate.clear()
            prompt = ids(length)
            current[:] = [engine.generate(prompt, WARM, max_tokens=12)]
            gate.set()
            events = list(current[0])
            wishes.clear()
            assert [step.index for step in steps(events)] == list(range(12))
            following = [*prompt, *tokens(events)]
            assert engine.cached_tokens == len(following) - 1
            warm = write(engine, following, top_logprobs=2, max_tokens=8)
            assert finished(warm).reused_tokens == len(following) - 1
            engine.forget()
            assert_same_greedy(steps(warm), steps(write(engine, following, top_logprobs=2, max_tokens=8)))

        check()


class TestDraws:
    """Calls of the sampler: one a token, and one more for a change."""

    @pytest.fixture
    def calls(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[SamplingParams]:
        made: list[SamplingParams] = []
        sampler = engine._generator.drawer.sampler

        def counted(logits: Any, params: SamplingParams, *rest: Any, **options: Any) -> Any:
            made.append(params)
            return sampler(logits, params, *rest, **options)

        monkeypatch.setattr(engine._generator.drawer, "sampler", counted)
        return made

    def test_one_a_token(self, engine: Engine, calls: list[SamplingParams]) -> None:
        write(engine, PROMPT, WARM)
        assert calls == [WARM] * 12

    @pytest.mark.parametrize("index", [0, 5, 11])
    def test_one_more_for_a_change(self, engine: Engine, calls: list[SamplingParams], index: int) -> None:
        write(engine, PROMPT, WARM, before_sample=changing({index: COLD}))
        assert len(calls) == 13

    def test_two_more_at_most_where_the_next_was_under_way(
        self, engine: Engine, calls: list[SamplingParams], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The token itself, and the one whose draw was queued behind it: once each.
        current: list[Generation] = []
        gate = threading.Event()

        def act(index: int) -> None:
            assert gate.wait(PATIENCE)
            if index == 5:
                current[0].params = replace(WARM, min_p=1e-30)

        just_before_emitting(monkeypatch, act)
        current.append(engine.generate(PROMPT, WARM, max_tokens=12))
        gate.set()
        list(current[0])
        assert len(calls) == 14


class TestSeeds:
    def test_the_same_seed_gives_the_same_answer(self, engine: Engine) -> None:
        assert tokens(write(engine, PROMPT, HOT)) == tokens(write(engine, PROMPT, HOT))

    def test_another_gives_another(self, engine: Engine) -> None:
        assert tokens(write(engine, PROMPT, HOT)) != tokens(write(engine, PROMPT, replace(HOT, seed=12)))

    def test_none_draws_one_and_tells_it(self, engine: Engine) -> None:
        drawn = write(engine, PROMPT, replace(HOT, seed=None))
        seed = finished(drawn).seed
        assert {step.params.seed for step in steps(drawn)} == {seed}
        assert tokens(write(engine, PROMPT, replace(HOT, seed=seed))) == tokens(drawn)
        assert finished(write(engine, PROMPT, replace(HOT, seed=None))).seed != seed

    def test_zero_and_the_largest_are_seeds(self, engine: Engine) -> None:
        for seed in (0, 2**63 - 1):
            assert finished(write(engine, PROMPT, replace(HOT, seed=seed))).seed == seed

    def test_randomness_belongs_to_the_position(self, engine: Engine) -> None:
        """Where an answer is cut and continued from its own tokens, it goes on as it would have."""
        whole = tokens(write(engine, PROMPT, HOT, max_tokens=20))
        assert tokens(write(engine, [*PROMPT, *whole[:7]], HOT, max_tokens=13)) == whole[7:]

    def test_greedy_needs_none(self, engine: Engine) -> None:
        assert tokens(write(engine, PROMPT, GREEDY)) == tokens(write(engine, PROMPT, replace(GREEDY, seed=99)))
