"""Prompt state on disk: what was read comes back as it was."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from gptoss_tui.engine import statefile
from gptoss_tui.engine.events import StateFile
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import EngineClosed, StateError
from tests.engine.driving import GREEDY, Held, assert_same_greedy, finished, ids, steps, tokens, write

Make = Callable[..., Path]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "states" / "talk.safetensors"


@pytest.fixture
def fresh(checkpoint: Make) -> Iterator[Engine]:
    """Another engine on the same checkpoint, as after a restart."""
    with Engine.load(checkpoint()) as engine:
        yield engine


class TestResume:
    @pytest.mark.parametrize("length", [1, 2, 126, 127, 128, 129, 255, 256, 257, 300])
    def test_as_a_cold_start(self, own: Engine, fresh: Engine, file: Path, length: int) -> None:
        prompt = ids(length)
        own.prefill(prompt)
        own._call(lambda: None).result()
        saved = own.save_state(file)
        assert isinstance(saved, StateFile)
        assert (saved.tokens, saved.bytes) == (length, file.stat().st_size)
        assert saved.seconds > 0
        assert fresh.restore_state(file, prompt) == length == fresh.cached_tokens
        following = [*prompt, *ids(20, seed=1)]
        assert fresh.reusable(following) == length
        found = write(fresh, following, top_logprobs=2, max_tokens=30)
        assert finished(found).reused_tokens == length
        own.forget()
        assert_same_greedy(steps(found), steps(write(own, following, top_logprobs=2, max_tokens=30)))

    def test_the_rows_are_the_same_bit_for_bit(self, own: Engine, fresh: Engine, file: Path) -> None:
        write(own, ids(300), max_tokens=20)
        own.save_state(file)
        text = list(own._generator.context.tokens)
        fresh.restore_state(file, text)
        assert fresh.cached_tokens == 319
        for one, other in zip(
            own._generator.context._cache.layers, fresh._generator.context._cache.layers, strict=True
        ):
            assert (one.length, one.start) == (other.length, other.start)
            assert (np.array(one.lying().rows) == np.array(other.lying().rows)).all()
        assert [(state.used_bytes, state.history_bytes) for state in own.layers()] == [
            (state.used_bytes, state.history_bytes) for state in fresh.layers()
        ]

    @pytest.mark.parametrize("kept", [1, 100, 127, 128, 199, 200])
    def test_as_far_as_the_tokens_are_the_same(self, own: Engine, fresh: Engine, file: Path, kept: int) -> None:
        prompt = ids(200)
        write(own, prompt, max_tokens=1)
        own.save_state(file)
        other = [*prompt[:kept], (prompt[kept] + 1) % 1088 if kept < 200 else 5, 6]
        assert fresh.restore_state(file, other) == kept
        found = write(fresh, other, top_logprobs=2)
        own.forget()
        assert_same_greedy(steps(found), steps(write(own, other, top_logprobs=2)))
        if kept < 180:  # what lies behind is parked
            assert fresh.reusable([*prompt, 5]) == 200

    def test_only_the_window_where_no_more_was_kept(self, checkpoint: Make, file: Path) -> None:
        folder = checkpoint(sliding_window=8)
        prompt = ids(900)
        with Engine.load(folder, history_bytes=0) as engine:
            write(engine, prompt, max_tokens=2, pins=[400, 899])
            assert engine.save_state(file).bytes < 900 * 3 * 512
            pinned = engine.memory().pinned_bytes
            assert pinned > 0
        with Engine.load(folder) as engine:
            assert engine.restore_state(file, prompt) == 900
            assert engine.memory().pinned_bytes == pinned
            # Going back: to the pin, and nowhere else.
            assert engine.reusable([*prompt[:450], 5, 6]) == 400
            found = write(engine, [*prompt[:450], 5, 6], top_logprobs=2)
        with Engine.load(folder) as engine:
            assert engine.restore_state(file, [*prompt[:450], 5, 6]) == 400
            assert_same_greedy(steps(found), steps(write(engine, [*prompt[:450], 5, 6], top_logprobs=2)))
            # Where it leads nowhere, nothing changes.
            cached = engine.cached_tokens
            assert engine.restore_state(file, [*prompt[:300], 5, 6]) == 0
            assert engine.cached_tokens == cached

    def test_what_is_held_already_stays_where_it_leads_further(self, own: Engine, file: Path) -> None:
        prompt = ids(300)
        write(own, prompt[:100], max_tokens=1)
        own.save_state(file)
        write(own, prompt, max_tokens=1)
        assert own.restore_state(file, prompt) == 300

    def test_the_present_line_is_parked(self, own: Engine, file: Path) -> None:
        one, other = ids(300), ids(200, seed=1)
        write(own, one, max_tokens=1)
        own.save_state(file)
        own.forget()
        write(own, other, max_tokens=1)
        assert own.restore_state(file, one) == 300
        assert own.reusable([*other, 5]) == 200

    def test_the_same_checkpoint_elsewhere(self, own: Engine, checkpoint: Make, file: Path, tmp_path: Path) -> None:
        write(own, ids(150), max_tokens=1)
        own.save_state(file)
        copy = shutil.copytree(checkpoint(), tmp_path / "another name")
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps(dict(reversed(config.items()))))
        with Engine.load(copy) as engine:
            assert engine.restore_state(file, ids(150)) == 150

    @pytest.mark.parametrize("kinds", [["full_attention"] * 4, ["sliding_attention"] * 4])
    def test_with_layers_of_one_kind(self, checkpoint: Make, file: Path, kinds: list[str]) -> None:
        folder = checkpoint(layer_types=kinds)
        with Engine.load(folder) as engine:
            write(engine, ids(300), max_tokens=1)
            engine.save_state(file)
            engine.forget()
            assert engine.restore_state(file, ids(300)) == 300
            found = write(engine, ids(300), top_logprobs=2)
            engine.forget()
            assert_same_greedy(steps(found), steps(write(engine, ids(300), top_logprobs=2)))

    def test_in_bfloat16(self, checkpoint: Make, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mx, "default_device", lambda: mx.Device(mx.gpu))
        with Engine.load(checkpoint()) as engine:
            prompt = ids(200)
            answer = tokens(write(engine, prompt, max_tokens=8))
            engine.save_state(file)
            engine.forget()
            assert engine.restore_state(file, prompt) == 200
            assert tokens(write(engine, prompt, max_tokens=8)) == answer
        with Engine.load(checkpoint(dtype=mx.float32)) as engine, pytest.raises(StateError):
            engine.restore_state(file, prompt)


class TestFile:
    def test_it_is_a_safetensors_file_for_its_owner_alone(self, own: Engine, file: Path) -> None:
        write(own, ids(200), max_tokens=1)
        own.save_state(file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        loaded: Any = mx.load(str(file), return_metadata=True)
        arrays, metadata = loaded
        assert arrays["tokens"].tolist() == ids(200)
        assert arrays["layers.3"].shape == (4, 200, 32)
        assert metadata["tokens"] == "200"

    def test_it_replaces_the_one_before(self, own: Engine, file: Path) -> None:
        for length in (200, 100):
            write(own, ids(length), max_tokens=1)
            own.save_state(file)
        assert own.restore_state(file, ids(200)) == 200
        own.forget()
        assert own.restore_state(file, ids(200)) == 100

    def test_what_a_killed_process_left_is_swept(self, own: Engine, file: Path) -> None:
        file.parent.mkdir()
        old, new = (file.parent / f"{statefile._UNFINISHED}{name}" for name in ("old", "new"))
        for path in (old, new):
            path.write_bytes(b"half")
        os.utime(old, (1, 1))
        write(own, ids(20), max_tokens=1)
        own.save_state(file)
        assert not old.exists()
        assert new.exists()  # somebody may be writing it

    def test_nothing_was_read(self, own: Engine, file: Path) -> None:
        with pytest.raises(StateError, match="nothing was read"):
            own.save_state(file)
        assert not file.exists()

    def test_a_full_disk_leaves_the_old_one(self, own: Engine, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(own, ids(200), max_tokens=1)
        own.save_state(file)
        before = file.read_bytes()

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            with pytest.raises(StateError, match="No space left on device") as caught:
                own.save_state(file)
        assert caught.value.hint
        assert file.read_bytes() == before
        assert [path.name for path in file.parent.iterdir()] == [file.name]

    def test_a_place_that_cannot_be(self, own: Engine, tmp_path: Path) -> None:
        write(own, ids(20), max_tokens=1)
        (tmp_path / "file").write_text("")
        with pytest.raises(StateError, match="cannot be written"):
            own.save_state(tmp_path / "file" / "talk.safetensors")
        (tmp_path / "folder.safetensors").mkdir()
        with pytest.raises(StateError, match="cannot be written"):
            own.save_state(tmp_path / "folder.safetensors")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.safetensors"]

    def test_saving_does_not_disturb_what_goes_on(self, own: Engine, file: Path) -> None:
        prompt = ids(150)
        first = tokens(write(own, prompt, max_tokens=40))
        own.forget()
        again = tokens(write(own, prompt, max_tokens=20))
        own.save_state(file)
        again += tokens(write(own, [*prompt, *again], max_tokens=20))
        assert again == first

    def test_it_waits_for_the_answer_and_ends_an_idle_prefill(self, own: Engine, file: Path) -> None:
        held = Held(own)
        own.prefill(ids(5000))
        held.wait()
        held.allow()
        held.leave()
        assert own.save_state(file).tokens < 5000
        generation = own.generate(ids(100), GREEDY, max_tokens=10)
        assert own.save_state(file).tokens == 109
        assert generation.done

    def test_after_closing(self, checkpoint: Make, file: Path) -> None:
        engine = Engine.load(checkpoint())
        engine.close()
        for call in (lambda: engine.save_state(file), lambda: engine.restore_state(file, [1])):
            with pytest.raises(EngineClosed):
                call()
