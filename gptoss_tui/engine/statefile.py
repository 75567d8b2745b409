"""Prompt state on disk: the tokens of a conversation and every layer's rows of them, in one safetensors file.

    tokens                 U32 (n,)
    layers.0               (2 * kv_heads, rows, head_dim): a full layer's n rows, a sliding layer's from `start` on
    layers.0.pins.512      a sliding layer's rows before a pinned position that lies before `start`
    __metadata__           whose rows they are, and the digest of everything else in the file

A file is believed only if it is exactly what this program would have written for that model: the header that its own
figures lead to is made anew and must be the one that stands there, so that no size or offset is ever taken on trust;
then the digest over all bytes must be right. Anything else is refused with a reason. Written beside its place under
another name, flushed to disk and renamed, so that a file is whole or not there. Knows no caches and no conversation.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import tempfile
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.reuse import TOKENS
from gptoss_tui.engine.rows import LayerRows
from gptoss_tui.errors import StateError

FORMAT = "gptoss prompt state 1"
"""Changes with whatever makes older rows useless: the file's layout, or the order of numbers within a row."""

PINS = 64
"""Pinned positions that a file may hold: more than a cache ever does."""

_UNFINISHED = ".gptoss-state-"  # how files begin that are being written
_LEFT_SECONDS = 3600.0  # after which nobody writes them any more

_HEADER_LIMIT = 2**20
_HINT = "The conversation is read anew instead; the file can be deleted."
_NO_DIGEST = "0" * 64
_DTYPES: Mapping[str, tuple[mx.Dtype, type[np.generic]]] = {
    "F32": (mx.float32, np.float32), "BF16": (mx.bfloat16, np.uint16), "F16": (mx.float16, np.uint16),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows they are."""

    config: ModelConfig
    identity: str
    """`checkpoint_identity` of the weights."""
    dtype: mx.Dtype
    """What rows consist of."""

    @property
    def kind(self) -> str:
        """safetensors' name of the dtype."""
        return next(name for name, (dtype, _) in _DTYPES.items() if dtype == self.dtype)


@dataclass(frozen=True, slots=True)
class State:
    """What a file holds."""

    ids: array[int]
    start: int
    """First position that sliding layers have rows of; up to the end they have them all."""
    layers: tuple[LayerRows, ...]


def write_state(path: Path, owner: Owner, state: State) -> int:
    """Writes the file, readable by nobody else, in place of one that may be there; returns its bytes.

    Raises `StateError` where the disk does not take it; what was there before then stays.
    """
    pins = sorted({pin for rows in state.layers for pin in rows.pins})
    header = _header(owner, len(state.ids), state.start, pins, _ids_digest(state.ids), _NO_DIGEST)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(path.parent)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)  # mode 0600
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            digest = hashlib.sha256(header)
            file.write(header)
            for part in _parts(state):
                file.write(part)
                digest.update(part)
            size = file.tell()
            file.seek(0)
            file.write(header.replace(_NO_DIGEST.encode(), digest.hexdigest().encode()))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as fault:
        raise StateError(
            f"The prompt state cannot be written to {path}: {fault.strerror or fault}",
            "Make room there, or choose another folder; the conversation itself is not affected.",
        ) from fault
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
    return size


def read_state(path: Path, owner: Owner) -> State:
    """What the file says, evaluated, if it is whole and `owner`'s. Raises `StateError`."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # a pipe would wait for ever
            raise StateError(f"{path} is not a regular file", _HINT)
        with path.open("rb") as file:
            return _read(file, about.st_size, path.name, owner)
    except OSError as fault:
        raise StateError(f"{path} cannot be read: {fault.strerror}", _HINT) from fault


def _read(file: BinaryIO, size: int, name: str, owner: Owner) -> State:
    prefix = file.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
    if not 2 <= length <= min(size - 8, _HEADER_LIMIT):
        raise _damaged(name, "its header is cut short")
    raw = prefix + file.read(length)
    told = _metadata(raw[8:], name)
    for key, mine, what in (
        ("format", FORMAT, "by another version of this program"),
        ("model", owner.identity, "with another model"),
        ("dtype", owner.kind, "in another precision, on another kind of device"),
    ):
        if told.get(key) != mine:
            raise StateError(f"{name} was written {what}", _HINT)
    count, start, pins = _figures(told, name, owner.config)
    stated = told.get("digest", "")
    if raw != _header(owner, count, start, pins, told.get("ids", ""), stated):
        raise _damaged(name, "its header is not what it should be")
    shapes = tuple(_shapes(owner.config, count, start, pins))
    itemsize = owner.dtype.size
    if size != len(raw) + 4 * count + sum(int(np.prod(shape)) * itemsize for _, shape in shapes):
        raise _damaged(name, "it has not the size that it should have")

    digest = hashlib.sha256(raw.replace(stated.encode(), _NO_DIGEST.encode()))
    ids = array(TOKENS)
    ids.frombytes(_taken(file, np.empty(count, np.uint32), digest, name).tobytes())
    dtype, stored = _DTYPES[owner.kind]
    tensors: dict[str, mx.array] = {}
    for tensor, shape in shapes:
        numbers = mx.array(_taken(file, np.empty(shape, stored), digest, name))
        tensors[tensor] = numbers if numbers.dtype == dtype else numbers.view(dtype)
        mx.eval(tensors[tensor])  # so that the bytes it was read into are free again
    if digest.hexdigest() != stated or _ids_digest(ids) != told["ids"] or max(ids) >= owner.config.vocabulary:
        raise _damaged(name, "its contents are not what was written")
    layers = []
    for index, mode in enumerate(owner.config.attention):
        aside = {pin: tensors[f"layers.{index}.pins.{pin}"] for pin in pins} if mode == "sliding" else {}
        first = start if mode == "sliding" else 0
        layers.append(LayerRows(mode == "sliding", first, tensors[f"layers.{index}"], aside))
    return State(ids, start, tuple(layers))


def _metadata(header: bytes, name: str) -> dict[str, str]:
    try:
        parsed = json.loads(header)
        told = parsed["__metadata__"]
        if not all(isinstance(value, str) for value in told.values()):
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _damaged(name, "its header makes no sense") from None
    return dict(told)


def _figures(told: Mapping[str, str], name: str, config: ModelConfig) -> tuple[int, int, list[int]]:
    """Tokens, start and pins, if they are possible."""
    try:
        count, start = int(told["tokens"]), int(told["start"])
        pins = [int(pin) for pin in told["pins"].split(",") if pin]
    except (ValueError, KeyError):
        raise _damaged(name, "its header makes no sense") from None
    back = config.window - 1 if "sliding" in config.attention else 0
    possible = (
        1 <= count <= config.context
        and 0 <= start <= max(0, count - back)
        and len(pins) <= PINS
        and all(0 <= pin <= count for pin in pins)
        and pins == sorted(set(pins))
        and (back > 0 or not pins)
    )
    if not possible:
        raise _damaged(name, "its figures are impossible")
    return count, start, pins


def _header(owner: Owner, count: int, start: int, pins: Sequence[int], ids: str, digest: str) -> bytes:
    """The whole header, its length before it: the same figures give the same bytes."""
    metadata = {
        "format": FORMAT, "model": owner.identity, "dtype": owner.kind, "tokens": str(count), "start": str(start),
        "pins": ",".join(map(str, pins)), "ids": ids, "digest": digest,
    }  # fmt: skip
    entries: dict[str, object] = {"__metadata__": metadata}
    offset = 0
    for name, kind, itemsize, shape in (
        ("tokens", "U32", 4, (count,)),
        *((name, owner.kind, owner.dtype.size, shape) for name, shape in _shapes(owner.config, count, start, pins)),
    ):
        end = offset + int(np.prod(shape)) * itemsize
        entries[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _shapes(config: ModelConfig, count: int, start: int, pins: Sequence[int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every tensor after the tokens, in the file's order."""
    heads, dim = 2 * config.kv_heads, config.head_dim
    for index, mode in enumerate(config.attention):
        yield f"layers.{index}", (heads, count - start if mode == "sliding" else count, dim)
        if mode == "sliding":
            for pin in pins:
                yield f"layers.{index}.pins.{pin}", (heads, min(pin, config.window - 1), dim)


def _parts(state: State) -> Iterator[memoryview | bytes]:
    """The bytes after the header, a head at a time: looked at in place, as the rows may be gigabytes."""
    yield state.ids.tobytes()
    for rows in state.layers:
        for numbers in (rows.rows, *(rows.pins[pin] for pin in sorted(rows.pins))):
            for head in _bytes_of(numbers):
                yield np.ascontiguousarray(head).data.cast("B") if head.size else b""


def _bytes_of(numbers: mx.array) -> npt.NDArray[np.generic]:
    """An array's own memory; what NumPy has no type for, as whole numbers."""
    if numbers.itemsize == 2:
        numbers = numbers.view(mx.uint16)
    mx.eval(numbers)
    return np.array(numbers, copy=None)


def _taken(file: BinaryIO, into: npt.NDArray[np.generic], digest: hashlib._Hash, name: str) -> npt.NDArray[np.generic]:
    """The next bytes of the file, as many as `into` takes."""
    if into.size:
        view = into.data.cast("B")
        if file.readinto(view) != len(view):  # type: ignore[attr-defined]  # a buffered file has it
            raise _damaged(name, "it ends too early")
        digest.update(view)
    return into


def _ids_digest(ids: array[int]) -> str:
    return hashlib.sha256(ids.tobytes()).hexdigest()


def _sweep(folder: Path) -> None:
    """Removes what processes left that were killed while they wrote."""
    with suppress(OSError):
        for path in folder.glob(f"{_UNFINISHED}*"):
            if time.time() - path.stat().st_mtime > _LEFT_SECONDS:
                path.unlink()


def _sync_folder(folder: Path) -> None:
    """Makes a renaming last; where folders cannot be synced, it lasts anyway or nobody can tell."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _damaged(name: str, how: str) -> StateError:
    return StateError(f"{name} is damaged: {how}", _HINT)
