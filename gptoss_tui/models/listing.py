"""The gpt_oss checkpoints of a machine, as `gptoss models` and the picker show them: size, bits, fit, last use.

Each is inspected, so that a half download is called one. Folders of other models are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gptoss_tui.engine.config import MODEL_TYPE
from gptoss_tui.engine.jsonfile import read_json
from gptoss_tui.errors import CheckpointError
from gptoss_tui.models.fit import Fit, Machine, fit
from gptoss_tui.models.inspection import inspect
from gptoss_tui.models.places import Place, places
from gptoss_tui.models.used import last_use


@dataclass(frozen=True, slots=True)
class Listed:
    """One checkpoint in the list."""

    place: Place
    parameters: int
    """0 where the files do not tell."""
    nbytes: int
    """Of the weights; 0 where the files do not tell."""
    bits_per_weight: float
    """NaN where the files do not tell."""
    fit: Fit | None
    """None where the files do not tell."""
    last_used: float | None
    """Seconds since the epoch; None where this program never loaded it."""
    problem: str
    """What keeps it from working; empty where it is in order."""


def list_models(machine: Machine, folders: Sequence[Path] = (), state: Path | None = None) -> Iterator[Listed]:
    """Every gpt_oss checkpoint here, in the order of `places`, as `machine` would run it; those in trouble too.

    `folders` are the person's own; `state` is the program's state folder (None: the platform's).
    """
    for place in places(folders):
        if _is_gpt_oss(place.folder):
            yield _listed(place, machine, state)


def _listed(place: Place, machine: Machine, state: Path | None) -> Listed:
    used = last_use(place.folder, state)
    try:
        found = inspect(place.folder)
    except CheckpointError as error:
        return Listed(place, 0, 0, float("nan"), None, used, error.message)
    problem = found.problems[0] if found.problems else ""
    fitted = fit(found, machine)
    return Listed(place, found.config.parameters, found.weights_bytes, found.bits_per_weight, fitted, used, problem)


def _is_gpt_oss(folder: Path) -> bool:
    """Whether config.json says so; a file that cannot be read counts, so that its fault is told."""
    try:
        raw = read_json(folder / "config.json")
    except FileNotFoundError:
        return False
    except CheckpointError:
        return True
    return isinstance(raw, dict) and raw.get("model_type") == MODEL_TYPE
