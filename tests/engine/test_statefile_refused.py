"""Prompt state on disk that is not to be trusted: damaged, absurd, or somebody else's."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gptoss_tui.engine import statefile
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import DeviceError, PromptError, StateError
from tests.engine.driving import ids, write

Make = Callable[..., Path]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "states" / "talk.safetensors"


@pytest.fixture(scope="module")
def good(checkpoint: Make, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with 200 tokens."""
    path = tmp_path_factory.mktemp("states") / "good.safetensors"
    with Engine.load(checkpoint()) as engine:
        write(engine, ids(200), max_tokens=1)
        engine.save_state(path)
    return path.read_bytes()


class TestRefused:
    """Whatever is wrong with a file, it is told in one line, and the engine is as it was."""

    def refused(self, engine: Engine, file: Path, content: bytes, reason: str, prompt: list[int] | None = None) -> None:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        write(engine, [7, 8, 9], max_tokens=1)
        with pytest.raises(StateError, match=reason) as caught:
            engine.restore_state(file, ids(200) if prompt is None else prompt)
        assert caught.value.hint
        assert "\n" not in caught.value.message
        assert engine.reusable([7, 8, 9, 10]) == 3

    def header(self, good: bytes) -> dict[str, Any]:
        length = struct.unpack("<Q", good[:8])[0]
        parsed: dict[str, Any] = json.loads(good[8 : 8 + length])
        return parsed

    def with_header(self, good: bytes, header: object, text: bytes | None = None) -> bytes:
        length = struct.unpack("<Q", good[:8])[0]
        text = json.dumps(header, separators=(",", ":")).encode() if text is None else text
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + good[8 + length :]

    @pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, 2000, -1, -4096])
    def test_cut_short(self, engine: Engine, file: Path, good: bytes, length: int) -> None:
        self.refused(engine, file, good[:length], "damaged")

    def test_one_bit_anywhere(self, engine: Engine, file: Path, good: bytes) -> None:
        rng = np.random.default_rng(1)
        places = [*range(8, 60, 3), *rng.integers(0, len(good), 40).tolist(), len(good) - 1]
        for place in places:
            changed = bytearray(good)
            changed[place] ^= 1 << int(rng.integers(0, 7))
            self.refused(engine, file, bytes(changed), ".")

    def test_more_than_there_should_be(self, engine: Engine, file: Path, good: bytes) -> None:
        self.refused(engine, file, good + b"x", "size")

    @pytest.mark.parametrize("prompt", [[], [1, 2, 3]])
    def test_another_conversation(self, engine: Engine, file: Path, good: bytes, prompt: list[int]) -> None:
        self.refused(engine, file, good, "another conversation", prompt)

    @pytest.mark.parametrize(
        ("key", "value", "reason"),
        [
            ("format", "gptoss prompt state 2", "another version"),
            ("model", "0" * 64, "another model"),
            ("dtype", "BF16", "precision"),
            ("tokens", "0", "impossible"),
            ("tokens", "-5", "impossible"),
            ("tokens", "99999999999999999999", "impossible"),
            ("tokens", "many", "sense"),
            ("tokens", "150", "header"),
            ("start", "200", "impossible"),
            ("start", "3", "header"),
            ("pins", "7,5", "impossible"),
            ("pins", "201", "impossible"),
            ("pins", ",".join(map(str, range(100))), "impossible"),
            ("pins", "5", "header"),
            ("ids", "0" * 64, "."),
            ("digest", "0" * 64, "contents"),
            ("digest", "", "."),
            ("digest", "F32", "."),
        ],
    )
    def test_figures_that_are_not_right(
        self, engine: Engine, file: Path, good: bytes, key: str, value: str, reason: str
    ) -> None:
        header = self.header(good)
        header["__metadata__"][key] = value
        self.refused(engine, file, self.with_header(good, header), reason)

    @pytest.mark.parametrize("missing", ["format", "model", "dtype", "tokens", "start", "pins", "ids", "digest"])
    def test_figures_that_are_missing(self, engine: Engine, file: Path, good: bytes, missing: str) -> None:
        header = self.header(good)
        del header["__metadata__"][missing]
        self.refused(engine, file, self.with_header(good, header), ".")

    @pytest.mark.parametrize(
        "text", [b"[]", b"{}", b"null", b'{"__metadata__":3}', b'{"__metadata__":{"a":1}}', b"[" * 5000, b"\xff\xfe"]
    )
    def test_headers_of_any_kind(self, engine: Engine, file: Path, good: bytes, text: bytes) -> None:
        self.refused(engine, file, self.with_header(good, None, text), "sense")

    def test_a_tensor_more_or_elsewhere(self, engine: Engine, file: Path, good: bytes) -> None:
        header = self.header(good)
        header["layers.9"] = header["layers.1"]
        self.refused(engine, file, self.with_header(good, header), "header")
        header = self.header(good)
        header["layers.1"]["data_offsets"] = [0, 10**15]
        self.refused(engine, file, self.with_header(good, header), "header")

    def test_tokens_that_are_not_the_models(self, engine: Engine, file: Path, good: bytes) -> None:
        """A file with all digests right, made by somebody else."""
        text = ids(200)
        text[5] = 5000
        statefile_ids = np.array(text, np.uint32).tobytes()
        header = self.header(good)
        length = struct.unpack("<Q", good[:8])[0]
        header["__metadata__"]["ids"] = hashlib.sha256(statefile_ids).hexdigest()
        header["__metadata__"]["digest"] = "0" * 64
        made = self.with_header(statefile_ids.join([good[: 8 + length], good[8 + length + 800 :]]), header)
        digest = hashlib.sha256(made).hexdigest()
        self.refused(engine, file, made.replace(b"0" * 64, digest.encode()), "contents")

    def test_things_that_are_no_files(self, engine: Engine, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for name, reason in (("pipe", "regular"), ("missing", "No such file"), (".", "regular")):
            with pytest.raises(StateError, match=reason):
                engine.restore_state(tmp_path / name, [1])

    def test_foreign_ids(self, engine: Engine, file: Path) -> None:
        with pytest.raises(PromptError):
            engine.restore_state(file, [5000])

    @pytest.mark.parametrize("options", [{"seed": 1}, {"sliding_window": 64}, {"affine": (8, 64)}, {"shards": 1}])
    def test_another_checkpoint(self, checkpoint: Make, file: Path, good: bytes, options: dict[str, Any]) -> None:
        with Engine.load(checkpoint(**options)) as engine:
            self.refused(engine, file, good, "another model")

    def test_weights_that_were_trained_further(self, checkpoint: Make, file: Path, good: bytes, tmp_path: Path) -> None:
        """The same names, sizes and headers, other numbers."""
        copy = shutil.copytree(checkpoint(), tmp_path / "copy")
        shard = sorted(copy.glob("*.safetensors"))[1]
        content = bytearray(shard.read_bytes())
        begin = 8 + struct.unpack("<Q", content[:8])[0]
        for place in range(begin, len(content), 1000):
            content[place] ^= 1
        shard.write_bytes(content)
        with Engine.load(copy) as engine:
            self.refused(engine, file, good, "another model")


def test_a_device_that_fails_while_it_is_restored(own: Engine, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(own, ids(50), max_tokens=1)
    own.save_state(file)

    def fail(*_: object) -> None:
        raise RuntimeError("[METAL] Insufficient Memory")

    monkeypatch.setattr(statefile, "_taken", fail)
    with pytest.raises(DeviceError, match="Insufficient Memory"):
        own.restore_state(file, ids(50))
    assert own.cached_tokens == 0
