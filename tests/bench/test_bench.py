"""`gptoss bench` on a tiny checkpoint: both engines really run. What it says is tested, not how fast anything was."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import mlx.core as mx
import pytest

from gptoss_tui.bench import measure as measuring
from gptoss_tui.bench.measure import Plan, Results, Row, measure
from gptoss_tui.bench.report import as_json, ratio, table
from gptoss_tui.bench.sides import MlxLm, Ours
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import CheckpointError, GptOssError
from tests.checkpoints import tiny_checkpoint
from tests.cli.program import assert_fault, gptoss

PLAN = Plan(rounds=2, decode_prompt=16, decode_tokens=6, prompts=(24, 200), sampler_rounds=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("bench") / "tiny")


@pytest.fixture(scope="module")
def results(model: Path) -> Results:
    return measure(model, PLAN, lambda text: None)


def test_everything_promised_is_measured(results: Results) -> None:
    assert [row.name for row in results.rows] == [
        "decode, greedy",
        "decode, top-p 0.95",
        "prefill, 24 tokens",
        "prefill, 200 tokens",
        "peak memory, 200 tokens",
        "sampler, top-p 0.9",
        "sampler, top-k 40",
    ]
    assert results.in_turns
    assert results.left_out == ()
    assert results.info.name == "tiny"
    assert set(results.versions) == {"gptoss", "mlx", "mlx-lm"}
    for row in results.rows:
        assert len(row.ours) == len(row.theirs) == 2
        assert all(math.isfinite(value) and value > 0 for value in (*row.ours, *row.theirs)), row


def test_both_sides_write_as_many_tokens_as_asked_and_count_their_memory(model: Path) -> None:
    for side in (Ours(model), MlxLm(model)):
        timing = side.answer(range(50), SamplingParams(temperature=0), 7)
        assert timing.tokens == 7
        assert timing.first_s > 0
        assert timing.rest_s > 0
        weights = sum(path.stat().st_size for path in model.glob("*.safetensors"))
        assert weights / 2 < timing.peak_bytes < 100 * weights
        side.close()


def test_prompts_stay_within_the_context(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "short", max_position_embeddings=30)
    plan = replace(PLAN, decode_prompt=29, decode_tokens=100)
    names = [row.name for row in measure(folder, plan, lambda text: None).rows]
    assert "prefill, 24 tokens" in names
    assert not any("200 tokens" in name for name in names)


def test_what_does_not_fit_twice_is_measured_one_after_the_other(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "physical_memory", lambda: 1)
    said: list[str] = []
    results = measure(model, PLAN, said.append)
    assert not results.in_turns
    assert said.index("Loading the model with mlx-lm") > said.index("prefill, 200 tokens: run 2 of 2")
    assert "one engine after the other" in table(results)


def test_no_run_is_begun_when_time_is_up(model: Path) -> None:
    results = measure(model, replace(PLAN, rounds=1000, seconds=0.0, longest_s=600), lambda text: None)
    assert {len(row.ours) for row in results.rows if row.unit == "tokens/s"} == {1}


def test_what_would_take_too_long_is_left_out_and_said(model: Path) -> None:
    results = measure(model, replace(PLAN, prompts=(24, 100_000), longest_s=0.05), lambda text: None)
    assert results.left_out == ("prefill, 100,000 tokens",)
    assert "peak memory, 24 tokens" in [row.name for row in results.rows]
    assert table(results).splitlines()[-1].endswith("minutes each: prefill, 100,000 tokens.")
    assert json.loads(as_json(results))["left_out"] == ["prefill, 100,000 tokens"]


def test_a_model_that_mlx_lm_cannot_load_is_a_fault(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "ours-only")
    config = folder / "config.json"
    # Code that a checkpoint brings along is what mlx-lm refuses to run, too.
    config.write_text(json.dumps({**json.loads(config.read_text()), "model_file": "evil.py"}))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    with pytest.raises(GptOssError, match="mlx-lm cannot load this checkpoint"):
        measure(folder, PLAN, lambda text: None)
    assert not (tmp_path / "sprung").exists()


def test_a_damaged_model_is_the_fault_that_it_is_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no config\.json"):
        measure(tmp_path, PLAN, lambda text: None)


class TestReport:
    ROWS = (
        Row("decode, greedy", "tokens/s", True, (3.0, 1.0, 2.0), (1.0, 1.0, 8.0)),
        Row("prefill, 8,192 tokens", "tokens/s", True, (12_345.6,), (1_000.0,)),
        Row("sampler, top-k 40", "ms", False, (0.25,), (1.0,)),
    )

    def test_table(self, results: Results) -> None:
        lines = table(replace(results, rows=self.ROWS)).splitlines()
        assert lines[0].startswith("tiny · 4 layers · ")
        assert lines[4].split() == ["decode,", "greedy", "tokens/s", "2.00", "1.00", "2.00"]
        assert lines[5].split() == ["prefill,", "8,192", "tokens", "tokens/s", "12,346", "1,000", "12.35"]
        assert lines[6].split() == ["sampler,", "top-k", "40", "ms", "0.250", "1.00", "0.25"]
        assert "taken in turns" in lines[-1]
        assert all(len(line) <= 80 for line in lines[3:-1])

    def test_json(self, results: Results) -> None:
        fields = json.loads(as_json(replace(results, rows=self.ROWS)))
        assert fields["model"] == "tiny"
        assert fields["device"] == ("CPU" if mx.default_device() == mx.Device(mx.cpu) else fields["device"])
        assert fields["results"][0] == {
            "name": "decode, greedy",
            "unit": "tokens/s",
            "higher_is_better": True,
            "gptoss": 2.0,
            "mlx_lm": 1.0,
            "ratio": 2.0,
            "gptoss_runs": [3.0, 1.0, 2.0],
            "mlx_lm_runs": [1.0, 1.0, 8.0],
        }
        assert [ratio(row) for row in self.ROWS] == [entry["ratio"] for entry in fields["results"]]


class TestCommand:
    def test_json(self, model: Path) -> None:
        result = gptoss("bench", model, "--quick", "--json")
        assert (result.code, result.err) == (0, "")
        (fields,) = result.events
        assert len(fields["results"]) == 7

    def test_a_fault(self, tmp_path: Path) -> None:
        assert_fault(gptoss("bench", tmp_path / "absent"), "does not exist")
        assert_fault(gptoss("bench", tmp_path), "has no config.json")
