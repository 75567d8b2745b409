"""What generation_config.json may ask for, and that nothing in it can keep a model from running."""

from __future__ import annotations

from pathlib import Path

import pytest

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.models.generation import sampling_defaults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"temperature": 0.7, "top_p": 0.9}', SamplingParams(temperature=0.7, top_p=0.9)),
        ('{"do_sample": false, "temperature": 0.7}', SamplingParams(temperature=0.0)),
        ('{"do_sample": true, "top_k": 40}', SamplingParams(top_k=40)),
        ('{"eos_token_id": [200002]}', SamplingParams()),
        ('{"temperature": -1, "top_p": 0.5}', SamplingParams(top_p=0.5)),
        ('{"temperature": "warm", "top_p": null, "min_p": true}', SamplingParams()),
        ('{"temperature": NaN, "top_k": 2.5}', SamplingParams()),
        ("[1, 2]", SamplingParams()),
        ("{", SamplingParams()),
    ],
)
def test_wishes(tmp_path: Path, text: str, expected: SamplingParams) -> None:
    (tmp_path / "generation_config.json").write_text(text)
    assert sampling_defaults(tmp_path) == expected


def test_no_file(tmp_path: Path) -> None:
    assert sampling_defaults(tmp_path) == SamplingParams()
