"""Messages to tokens and back: OpenAI's harmony format on a checkpoint's own vocabulary. Knows no model and no UI."""

from __future__ import annotations

from gptoss_tui.harmony.facade import Harmony

__all__ = ["Harmony"]
