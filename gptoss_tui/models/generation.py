"""A checkpoint's own wishes for sampling: generation_config.json. Wishes only: whatever is missing or odd is left
aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gptoss_tui.engine.jsonfile import read_json
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import CheckpointError, ParameterError

_FIELDS = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


def sampling_defaults(folder: Path) -> SamplingParams:
    """The sampling that the checkpoint's makers suggest, OpenAI's defaults where they suggest nothing.

    `do_sample: false` means greedy. A value out of range is left aside, as is a file that cannot be read: the model
    runs without it. gpt-oss-20b suggests nothing; the bundled demo model does.
    """
    try:
        wishes = read_json(folder / "generation_config.json")
    except (OSError, CheckpointError):
        return SamplingParams()
    if not isinstance(wishes, dict):
        return SamplingParams()
    params = SamplingParams(temperature=0.0) if wishes.get("do_sample") is False else SamplingParams()
    for field in _FIELDS:
        if field in wishes and not (field == "temperature" and params.greedy):
            try:
                params = replace(params, **{field: wishes[field]})
            except ParameterError:
                continue
    return params
