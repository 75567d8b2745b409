"""`ReplOptions`: all that the command line hands to the REPL. Values only; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gptoss_tui.chat.saving import PRIVATE, Saving
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import Effort
from gptoss_tui.keys import Keymap

Thinking = Literal["show", "fold"]
Editing = Literal["emacs", "vi"]


@dataclass(frozen=True, slots=True)
class ReplOptions:
    """What to run, and how it begins."""

    model: Path | Callable[[], Path]
    """The checkpoint's folder, or what finds it; called on the loading thread, so it may take its time."""
    params: SamplingParams = field(default_factory=SamplingParams)
    sampling: Callable[[Path], SamplingParams] | None = None
    """The sampling to begin with on the model in this folder, once that is known; None: `params`."""
    effort: Effort = "medium"
    instructions: str | None = None
    """The developer message."""
    max_tokens: int | None = None
    """Longest answer in tokens; None: what the context leaves."""
    history_bytes: int | None = None
    """What the engine may keep for going back without reading again; None: its default."""
    theme: str | None = None
    """None: the one that suits the terminal's background."""
    themes_folder: Path | None = None
    """Where a person's own themes are; None: nowhere."""
    thinking: Thinking = "show"
    """show: dimmed, as it comes. fold: a line that counts."""
    editing: Editing = "emacs"
    plain: bool = False
    """Line mode, whatever the terminal can do."""
    low_bandwidth: bool = False
    """Draws less often, for slow links."""
    keymap: Keymap = field(default_factory=Keymap)
    about: Callable[[Path], str] | None = None
    """One line on what the model in this folder is; None or empty: nothing to say."""
    history_file: Path | None = None
    """Where prompts are remembered; None: in the user's state folder. Of a private talk they are not."""
    saving: Saving = PRIVATE
    """How the conversation is kept."""
