"""gptoss: gpt-oss in the terminal, and what it does while it does it.

The public names are loaded when they are first used, so that `gptoss --version` costs no more than Python itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gptoss_tui.chat.session import Session as Session
    from gptoss_tui.engine.events import Finished as Finished
    from gptoss_tui.engine.events import LayerState as LayerState
    from gptoss_tui.engine.events import PrefillProgress as PrefillProgress
    from gptoss_tui.engine.events import Step as Step
    from gptoss_tui.engine.params import SamplingParams as SamplingParams
    from gptoss_tui.engine.worker import Engine as Engine
    from gptoss_tui.errors import GptOssError as GptOssError
    from gptoss_tui.harmony import Harmony as Harmony
    from gptoss_tui.harmony.messages import Message as Message
    from gptoss_tui.harmony.messages import Tool as Tool

_HOMES = {
    "Engine": "gptoss_tui.engine.worker",
    "Finished": "gptoss_tui.engine.events",
    "GptOssError": "gptoss_tui.errors",
    "Harmony": "gptoss_tui.harmony",
    "LayerState": "gptoss_tui.engine.events",
    "Message": "gptoss_tui.harmony.messages",
    "PrefillProgress": "gptoss_tui.engine.events",
    "SamplingParams": "gptoss_tui.engine.params",
    "Session": "gptoss_tui.chat.session",
    "Step": "gptoss_tui.engine.events",
    "Tool": "gptoss_tui.harmony.messages",
}

__all__ = [*sorted(_HOMES), "__version__"]  # built from the table above, so that it cannot drift


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
