"""`TuiOptions`: all that the command line hands to the terminal interface. Values only; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gptoss_tui.chat.saving import PRIVATE, Saving
from gptoss_tui.colours import ALL_COLOURS
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import Effort
from gptoss_tui.keys import Keymap


@dataclass(frozen=True, slots=True)
class TuiOptions:
    """What to run, and how it begins. Everything but the model can be changed while it runs."""

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
    light: bool | None = None
    """Whether the terminal's background is light; None: not known yet."""
    themes_folder: Path | None = None
    """Where a person's own themes are; None: nowhere."""
    keep_theme: Callable[[str], str] | None = None
    """Makes a theme the default and says so; raises `GptOssError`. None: it cannot be kept."""
    colours: int = ALL_COLOURS
    """How many the terminal has: 0 where none are wanted, 16, 256, or all."""
    low_bandwidth: bool = False
    """Draws less often, for slow links."""
    keymap: Keymap = field(default_factory=Keymap)
    about: Callable[[Path], str] | None = None
    """One line on what the model in this folder is, shown above the conversation; None or empty: nothing to say."""
    history_file: Path | None = None
    """Where prompts are remembered; None: in the user's state folder. Of a private talk they are not."""
    saving: Saving = PRIVATE
    """How the conversation is kept."""
