"""The one tree of known faults, and the exit codes they lead to.

A `GptOssError` is something the program understands: it says what happened (`message`) and what to do (`hint`). Front
ends show exactly those two lines; a traceback therefore always means a bug. This module knows nothing but the standard
library, so that every other part may raise from it.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAULT = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class GptOssError(Exception):
    """A fault that the program knows: one line that says what happened, one that says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CheckpointError(GptOssError):
    """A checkpoint folder that cannot be used: something is missing, damaged or of another kind."""


class VocabularyError(CheckpointError):
    """A tokenizer.json that cannot be used, or that lacks the harmony special tokens."""


class MemoryLimitError(GptOssError):
    """The model, or the context asked for, does not fit into this machine's memory."""


class ParameterError(GptOssError, ValueError):
    """A value that is out of range, such as a sampling parameter."""


class PromptError(GptOssError, ValueError):
    """A prompt that cannot be answered: empty, or longer than the model's context."""


class EngineBusy(GptOssError):
    """A second generation was asked for while one is running."""


class EngineClosed(GptOssError):
    """The engine was closed, or its thread has died."""


class LoadCancelled(GptOssError):
    """Loading was cancelled by the caller between two layers."""


class DeviceError(GptOssError):
    """The device failed while it was loading or computing; caches that were there are empty."""


class StateError(GptOssError):
    """A prompt state on disk that cannot be written, or that is not to be trusted: damaged, or another model's."""


class TerminalError(GptOssError):
    """A terminal that cannot hold the program: too small, or not a terminal."""
