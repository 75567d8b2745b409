"""One frozen picture of everything the instruments show, made a few times a second. Values only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from gptoss_tui.engine.events import LayerState, MemoryUse, ModelInfo
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import Effort

Phase = Literal["loading", "failed", "idle", "reading", "writing", "stopping"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the model is doing."""

    phase: Phase = "loading"
    """reading: the prompt is being prefilled; writing: tokens come; stopping: the stop has not taken effect yet."""
    done: int = 0
    """Bytes loaded while loading, prompt tokens read while reading."""
    total: int = 0
    """Bytes to load, prompt tokens to read; 0 while it is not known."""
    last_second: float = math.nan
    """Tokens a second: of the prefill while reading, over the last second while writing."""
    mean: float = math.nan
    """Tokens a second over this answer, or the last one."""
    history: tuple[float, ...] = ()
    """Tokens a second, one value each half second, oldest first."""
    first_token_s: float = math.nan
    """Seconds from sending to the first token."""
    info: ModelInfo | None = None
    """None until the model is loaded."""
    layers: tuple[LayerState, ...] = ()
    memory: MemoryUse | None = None
    """What is kept for going back and elsewhere; None until the model is loaded."""
    unsaved: str = ""
    """Why nothing of the conversation is being saved; empty where all is well."""
    private: bool = False
    """Whether that is as the person wants it."""
    params: SamplingParams = field(default_factory=SamplingParams)
    effort: Effort = "medium"
    queued: int = 0
    """Prompts that wait for the model."""
    notice: str = ""
    """What the person should read now, such as `ctrl+c again to leave`, instead of the status."""
