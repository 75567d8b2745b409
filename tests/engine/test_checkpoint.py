"""Checkpoint folders on disk: every kind of damage is named before a weight is read, and no pickle is opened."""

from __future__ import annotations

import json
import os
import pickle
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import pytest

from gptoss_tui.engine.checkpoint import INDEX, read_header, read_tensors
from gptoss_tui.errors import CheckpointError

ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def shard(path: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    """A safetensors file with this header, which claims `length`."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def one(folder: Path, entry: object, data: bytes = bytes(24)) -> Path:
    return shard(folder / "model.safetensors", {"a": entry}, data)


class TestHeader:
    def test_what_mlx_writes(self, tmp_path: Path) -> None:
        path = tmp_path / "a.safetensors"
        tensors = {"a": mx.zeros((3, 5), mx.bfloat16), "b": mx.zeros((7,), mx.uint32), "c": mx.zeros((0, 4))}
        mx.save_safetensors(str(path), tensors, metadata={"format": "mlx"})
        found = read_header(path)
        assert {name: (info.dtype, info.shape, info.nbytes) for name, info in found.items()} == {
            "a": ("BF16", (3, 5), 30),
            "b": ("U32", (7,), 28),
            "c": ("F32", (0, 4), 0),
        }
        assert all(info.file == path for info in found.values())

    @pytest.mark.parametrize("content", [b"", b"\0", bytes(7), bytes(8), bytes(100)])
    def test_cut_short(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.safetensors"
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="damaged header"):
            read_header(path)

    @pytest.mark.parametrize("length", [0, 1, 3, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
    def test_a_length_that_lies(self, tmp_path: Path, length: int) -> None:
        path = shard(tmp_path / "a.safetensors", {}, length=length)
        tracemalloc.start()
        try:
            with pytest.raises(CheckpointError, match="damaged header"):
                read_header(path)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()

    def test_a_header_larger_than_the_format_allows(self, tmp_path: Path) -> None:
        path = shard(tmp_path / "a.safetensors", b"{}", length=100_000_001)
        os.truncate(path, 200_000_000)  # a hole: no disk is used
        with pytest.raises(CheckpointError, match="damaged header"):
            read_header(path)

    @pytest.mark.parametrize("header", [b"  ", b"{]", b"\xff\xff", b"nulls", b"[" * 200_000, b'{"a": '])
    def test_no_json(self, tmp_path: Path, header: bytes) -> None:
        with pytest.raises(CheckpointError, match="damaged header: it is not JSON"):
            read_header(shard(tmp_path / "a.safetensors", header))

    @pytest.mark.parametrize("header", [[], "text", 55, None])
    def test_no_object(self, tmp_path: Path, header: object) -> None:
        with pytest.raises(CheckpointError, match="not a JSON object"):
            read_header(shard(tmp_path / "a.safetensors", header))

    @pytest.mark.parametrize(
        "entry",
        [
            None,
            [],
            {},
            {**ENTRY, "dtype": "F33"},
            {**ENTRY, "dtype": ["F32"]},
            {**ENTRY, "dtype": None},
            {**ENTRY, "shape": None},
            {**ENTRY, "shape": 6},
            {**ENTRY, "shape": "23"},
            {**ENTRY, "shape": [2, -3]},
            {**ENTRY, "shape": [-2, -3]},
            {**ENTRY, "shape": [2, 3.0]},
            {**ENTRY, "shape": [2, 4]},
            {**ENTRY, "shape": [2**63, 2**63]},
            {**ENTRY, "data_offsets": None},
            {**ENTRY, "data_offsets": [0]},
            {**ENTRY, "data_offsets": [0, 24, 48]},
            {**ENTRY, "data_offsets": [24, 0]},
            {**ENTRY, "data_offsets": [-24, 0]},
            {**ENTRY, "data_offsets": [0, 23]},
            {**ENTRY, "data_offsets": ["0", "24"]},
            {**ENTRY, "data_offsets": [0, 2**63]},
        ],
        ids=str,
    )
    def test_senseless_entries(self, tmp_path: Path, entry: object) -> None:
        with pytest.raises(CheckpointError, match="entry of a is senseless"):
            read_header(one(tmp_path, entry))

    @pytest.mark.parametrize("begin", [1, 25, 2**62, 2**63 - 24, 2**64])
    def test_bytes_behind_the_file(self, tmp_path: Path, begin: int) -> None:
        with pytest.raises(CheckpointError, match="truncated: a ends"):
            read_header(one(tmp_path, {**ENTRY, "data_offsets": [begin, begin + 24]}))

    def test_a_file_one_byte_short(self, tmp_path: Path) -> None:
        assert list(read_header(one(tmp_path, ENTRY))) == ["a"]
        with pytest.raises(CheckpointError, match="truncated: a ends 1 bytes behind"):
            read_header(one(tmp_path, ENTRY, bytes(23)))

    def test_tensors_that_overlap(self, tmp_path: Path) -> None:
        for begin in (0, 8, 23):
            header = {"a": ENTRY, "b": {"dtype": "U8", "shape": [24], "data_offsets": [begin, begin + 24]}}
            with pytest.raises(CheckpointError, match="tensors overlap"):
                read_header(shard(tmp_path / "a.safetensors", header, bytes(64)))

    def test_the_checks_hold_without_assertions(self) -> None:
        """`python -O` removes `assert`: no check of foreign data may be one."""
        source = Path(read_header.__code__.co_filename).read_text()
        assert "assert " not in source


class TestFolder:
    def test_all_shards(self, checkpoint: Callable[..., Path]) -> None:
        folder = checkpoint()
        found = read_tensors(folder)
        on_disk: dict[str, mx.array] = {}
        for path in folder.glob("*.safetensors"):
            loaded = mx.load(str(path))
            assert isinstance(loaded, dict)
            on_disk |= loaded
        assert {name: info.shape for name, info in found.items()} == {name: on_disk[name].shape for name in on_disk}
        assert sum(info.nbytes for info in found.values()) == sum(array.nbytes for array in on_disk.values())

    def test_without_an_index(self, tmp_path: Path) -> None:
        one(tmp_path, ENTRY)
        shard(tmp_path / "adapter.safetensors", b"{}")
        assert list(read_tensors(tmp_path)) == ["a"]

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="does not exist"):
            read_tensors(tmp_path / "missing")
        with pytest.raises(CheckpointError, match="is a file, not a folder"):
            read_tensors(one(tmp_path, ENTRY))

    def test_nothing_in_it(self, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="holds no model"):
            read_tensors(tmp_path)

    def test_missing_shards(self, tmp_path: Path) -> None:
        one(tmp_path, ENTRY)
        index(tmp_path, a="model.safetensors", b="model-2.safetensors", c="model-3.safetensors")
        with pytest.raises(CheckpointError, match="2 of 3 shards are missing"):
            read_tensors(tmp_path)

    def test_a_tensor_that_no_shard_holds(self, tmp_path: Path) -> None:
        one(tmp_path, ENTRY)
        index(tmp_path, a="model.safetensors", b="model.safetensors")
        with pytest.raises(CheckpointError, match="the index names b, which no shard holds"):
            read_tensors(tmp_path)

    @pytest.mark.parametrize(
        "content", ["", "[", "[]", "{}", '{"weight_map": []}', '{"weight_map": null}', "[" * 200_000]
    )
    def test_no_index(self, tmp_path: Path, content: str) -> None:
        (tmp_path / INDEX).write_text(content)
        with pytest.raises(CheckpointError):
            read_tensors(tmp_path)

    @pytest.mark.parametrize(
        "name", ["/etc/passwd", "../a.safetensors", "sub/a.safetensors", "..", ".", "", 5, None, ["a"]], ids=str
    )
    def test_an_index_that_names_files_elsewhere(self, tmp_path: Path, name: object) -> None:
        (tmp_path.parent / "a.safetensors").write_bytes(one(tmp_path, ENTRY).read_bytes())
        index(tmp_path, a=name)
        with pytest.raises(CheckpointError):
            read_tensors(tmp_path)

    @pytest.mark.parametrize("name", ["a" * 300 + ".safetensors", "a\0.safetensors", "\ud800.safetensors"], ids=ascii)
    def test_names_that_no_file_can_have(self, tmp_path: Path, name: str) -> None:
        index(tmp_path, a=name)
        with pytest.raises(CheckpointError, match="missing"):
            read_tensors(tmp_path)

    def test_a_link_to_itself(self, tmp_path: Path) -> None:
        path = tmp_path / "model.safetensors"
        path.symlink_to(path)
        with pytest.raises(CheckpointError):
            read_tensors(tmp_path)

    def test_a_link_to_a_blob_elsewhere_is_how_the_hub_caches(self, tmp_path: Path) -> None:
        blob = shard(tmp_path / "0123abcd", {"a": ENTRY}, bytes(24))
        folder = tmp_path / "snapshot"
        folder.mkdir()
        (folder / "model.safetensors").symlink_to(blob)
        assert list(read_tensors(folder)) == ["a"]

    def test_a_pipe_and_a_folder_for_a_shard(self, tmp_path: Path) -> None:
        path = tmp_path / "model.safetensors"
        os.mkfifo(path)
        with pytest.raises(CheckpointError, match="not a regular file"):
            read_tensors(tmp_path)
        path.unlink()
        path.mkdir()
        with pytest.raises(CheckpointError, match="not a regular file"):
            read_tensors(tmp_path)


class TestPickles:
    """A pickle that is opened as such would create `marker`; one that is merely read would be told by `opened`."""

    @pytest.fixture
    def trap(self, tmp_path: Path) -> Path:
        marker = tmp_path / "executed"
        payload = pickle.dumps(Trap(str(marker)))
        for name in ("pytorch_model.bin", "model.pt", "model.safetensors.bin"):
            (tmp_path / name).write_bytes(payload)
            (tmp_path / name).chmod(0)
        return marker

    def test_only_pickles(self, tmp_path: Path, trap: Path) -> None:
        with pytest.raises(CheckpointError, match=r"pickle files only \(.*pytorch_model\.bin") as caught:
            read_tensors(tmp_path)
        assert "never opened" in caught.value.hint
        assert not trap.exists()

    def test_an_index_that_names_one(self, tmp_path: Path, trap: Path) -> None:
        index(tmp_path, a="pytorch_model.bin")
        with pytest.raises(CheckpointError, match="not safetensors") as caught:
            read_tensors(tmp_path)
        assert "never opened" in caught.value.hint
        assert not trap.exists()

    def test_one_under_a_safetensors_name(self, tmp_path: Path, trap: Path) -> None:
        (tmp_path / "model.safetensors").write_bytes(pickle.dumps(Trap(str(trap))))
        with pytest.raises(CheckpointError, match="damaged header"):
            read_tensors(tmp_path)
        assert not trap.exists()


class Trap:
    """Unpickling it creates a file."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.marker,)


def index(folder: Path, **shards: object) -> None:
    (folder / INDEX).write_text(json.dumps({"weight_map": shards}))
