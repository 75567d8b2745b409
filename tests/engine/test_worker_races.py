"""Calls of several threads at once: whatever the order, each of them comes to an end."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import EngineBusy, EngineClosed, StateError
from tests.engine.driving import GREEDY, PATIENCE, ids


def test_closing_while_a_job_is_on_its_way(own: Engine) -> None:
    # Closing comes at the worst of moments: the job has seen an open engine and does not wait for its turn yet.
    jobs, closing = own._jobs, threading.Thread(target=own.close)

    class Jobs:
        get = jobs.get

        def put(self, job: Callable[[], None] | None) -> None:
            if job is not None:
                closing.start()
                closing.join(0.3)  # as much of a head start as it can get
            jobs.put(job)

    own._jobs = Jobs()  # type: ignore[assignment]
    ended = threading.Event()

    def forget() -> None:
        own.forget()
        ended.set()

    threading.Thread(target=forget, daemon=True).start()
    assert ended.wait(PATIENCE / 4), "waits for ever for a thread that has ended"
    closing.join(PATIENCE)


def test_everything_at_once_and_then_closed(own: Engine, tmp_path: Path) -> None:
    file, prompts = tmp_path / "state", [ids(40, seed) for seed in range(3)]
    faults: list[BaseException] = []

    def act(seed: int) -> None:
        chance = random.Random(seed)

        def one() -> object:
            prompt = chance.choice(prompts)
            actions: list[Callable[[], object]] = [
                lambda: list(own.generate(prompt, GREEDY, max_tokens=3)),
                lambda: own.generate(prompt, GREEDY).stop(),
                lambda: own.prefill(prompt),
                lambda: own.save_state(file),
                lambda: own.restore_state(file, prompt),
                own.forget,
                lambda: (own.reusable(prompt), own.layers(), own.memory()),
            ]
            return chance.choice(actions)()

        while True:
            try:
                one()
            except (EngineBusy, StateError):
                continue
            except EngineClosed:
                return
            except BaseException as fault:
                faults.append(fault)
                return

    threads = [threading.Thread(target=act, args=(seed,), daemon=True) for seed in range(6)]
    for thread in threads:
        thread.start()
    threads[0].join(1.5)
    own.close()
    for thread in threads:
        thread.join(PATIENCE / 4)
        assert not thread.is_alive()
    assert not faults
