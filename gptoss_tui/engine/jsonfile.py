"""Reads a JSON file that came with a checkpoint, which may be anything: missing, huge, a pipe, or no JSON at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from gptoss_tui.errors import CheckpointError

LARGEST = 256 * 2**20
"""Bytes that are read at most: a tokenizer.json of gpt-oss has 28 million."""


def read_json(path: Path) -> object:
    """What the file says.

    Raises `FileNotFoundError` where there is none, and `CheckpointError` where it cannot be read, is no regular file,
    is larger than `LARGEST`, or is not JSON.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise CheckpointError(f"{path} is not a regular file", "Do not use this checkpoint.")
        if about.st_size > LARGEST:
            raise CheckpointError(
                f"{path} has {about.st_size:,} bytes, which is absurd", "The file is damaged: get the checkpoint again."
            )
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}", "Check the file and its permissions."
        ) from None
    except ValueError:
        raise CheckpointError(
            f"{path} is not JSON: it is not even text", "The file is damaged: get the checkpoint again."
        ) from None
    return parse_json(text, str(path))


def parse_json(text: str | bytes, where: str) -> object:
    """The value that `text` is; `where` names it in errors. Raises `CheckpointError` where it is not JSON."""
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError) as error:  # brackets nested without end
        raise CheckpointError(
            f"{where} is not JSON: {error}", "The file is damaged or half downloaded: get the checkpoint again."
        ) from None
    return parsed
