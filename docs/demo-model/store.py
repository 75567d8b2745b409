"""The tokens that training reads: one flat array of segments, and what belongs together.

A segment is a request, an analysis, an answer or a frame (a rendered system or developer message, a header).
Documents are composed from segments while training (`compose.py`). Knows NumPy only; `prepare.py` writes the file.
"""

from __future__ import annotations

import io
import json
import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint16]
NONE = -1
"""In the tables below: no segment."""


@dataclass(frozen=True, slots=True)
class WrittenTurn:
    """Segment numbers of one written turn; NONE where there is none."""

    requests: tuple[int, ...]
    analysis: int
    long_analysis: int
    answer: int
    one_sentence: int
    brief: int
    bullets: int


@dataclass(frozen=True, slots=True)
class WrittenConversation:
    """One written conversation."""

    group: str
    weight: float
    """How often it is drawn, relative to the others."""
    turns: tuple[WrittenTurn, ...]
    held_out: int


@dataclass(frozen=True, slots=True)
class Frames:
    """Segment numbers of what stands around the contents."""

    system: tuple[tuple[int, ...], ...]
    """By effort (low, medium, high), then by date."""
    dates: tuple[tuple[int, int, int], ...]
    """For each date the segments of (analysis, long analysis, answer) that name it."""
    date_requests: tuple[int, ...]
    instructions: dict[str, tuple[int, ...]]
    """Developer messages, by what they ask of the answer."""
    asides: dict[str, tuple[int, ...]]
    """Ends of a request that ask the same thing as an instruction, without a developer message."""
    again: dict[str, tuple[tuple[int, ...], int, int]]
    """Follow-ups that want the last answer in another form: requests, analysis, long analysis."""
    openings: dict[str, int]
    """What an answer begins with under an instruction of this name."""
    closings: dict[str, int]
    user: int
    """`<|start|>user<|message|>`."""
    assistant: int
    """`<|start|>assistant`."""
    analysis: int
    """`<|channel|>analysis<|message|>`."""
    final: int
    """`<|channel|>final<|message|>`."""
    end: int
    stop: int
    """`<|return|>`."""


@dataclass(frozen=True, slots=True)
class Store:
    """Everything, in memory."""

    tokens: Ids
    starts: NDArray[np.int64]
    """Where each segment begins in `tokens`; one entry more than segments."""
    frames: Frames
    written: tuple[WrittenConversation, ...]
    sampled_turns: NDArray[np.int32]
    """(turns, 3): request, analysis, answer."""
    sampled_starts: NDArray[np.int32]
    """Where each conversation begins in `sampled_turns`; one entry more than conversations."""
    sampled_effort: NDArray[np.int8]
    sampled_held: NDArray[np.bool_]

    def segment(self, number: int) -> Ids:
        """The ids of one segment, a view."""
        return self.tokens[self.starts[number] : self.starts[number + 1]]

    def save(self, path: Path) -> None:
        """Writes one compressed file."""
        described = {
            "frames": {name: getattr(self.frames, name) for name in Frames.__dataclass_fields__},
            "written": [
                (
                    c.group,
                    c.weight,
                    [[getattr(t, name) for name in WrittenTurn.__dataclass_fields__] for t in c.turns],
                    c.held_out,
                )
                for c in self.written
            ],
        }
        buffer = io.BytesIO()
        # Lengths compress far better than places.
        np.savez(
            buffer,
            tokens=self.tokens,
            lengths=np.diff(self.starts).astype(np.uint16),
            sampled_turns=np.diff(self.sampled_turns.reshape(-1), prepend=0).astype(np.int32),
            sampled_lengths=np.diff(self.sampled_starts).astype(np.int8),
            sampled_effort=self.sampled_effort,
            sampled_held=self.sampled_held,
            described=np.frombuffer(json.dumps(described).encode(), dtype=np.uint8),
        )
        path.write_bytes(lzma.compress(buffer.getvalue(), preset=2))

    @classmethod
    def load(cls, path: Path) -> Store:
        """Reads what `save` wrote."""
        with np.load(io.BytesIO(lzma.decompress(path.read_bytes()))) as arrays:
            described = json.loads(arrays["described"].tobytes())
            frames = {
                name: {key: _frozen(item) for key, item in value.items()} if isinstance(value, dict) else _frozen(value)
                for name, value in described["frames"].items()
            }
            written = tuple(
                WrittenConversation(
                    group,
                    weight,
                    tuple(WrittenTurn(tuple(turn[0]), *turn[1:]) for turn in turns),
                    held_out,
                )
                for group, weight, turns, held_out in described["written"]
            )
            return cls(
                arrays["tokens"],
                np.concatenate(([0], np.cumsum(arrays["lengths"].astype(np.int64)))),
                Frames(**frames),  # type: ignore[arg-type]  # JSON, as `save` wrote it
                written,
                np.cumsum(arrays["sampled_turns"].astype(np.int64)).astype(np.int32).reshape(-1, 3),
                np.concatenate(([0], np.cumsum(arrays["sampled_lengths"].astype(np.int64)))).astype(np.int32),
                arrays["sampled_effort"],
                arrays["sampled_held"],
            )


def _frozen(value: object) -> object:
    """Lists of JSON as the tuples they were."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
