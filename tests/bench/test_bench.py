"""`gptoss bench` on a tiny checkpoint: both engines really run. What it says is tested, not how fast anything was."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path

import mlx.core as mx
import pytest

from gptoss_tui.bench import measure as measuring
from gptoss_tui.bench.bandwidth import memory_bandwidth
from gptoss_tui.bench.interface import Interface, measure_interface
from gptoss_tui.bench.measure import Listener, Results, expected_s, measure, ratio
from gptoss_tui.bench.plan import Plan, Row
from gptoss_tui.bench.report import as_json, closing, heading, interface_part, line
from gptoss_tui.bench.roofline import floors
from gptoss_tui.bench.sides import MlxLm, Ours
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import CheckpointError
from gptoss_tui.models.fit import Machine, mac
from gptoss_tui.models.inspection import inspect
from gptoss_tui.models.reading import cache_read, weights_read
from tests.checkpoints import tiny_checkpoint
from tests.cli.program import assert_fault, gptoss
from tests.models.sparse import card_checkpoint
from tests.vocabularies import cut_tokenizer_json

PLAN = Plan(seconds=60, rounds=2, decode_tokens=6, prompts=(24, 200), sampler_rounds=2)
NAMES = [
    "memory, read and written",
    "load, files read before",
    "decode, greedy, depth 0",
    "decode, top-p 0.95, depth 0",
    "prefill, 24 tokens",
    "prefill, 200 tokens",
    "decode, greedy, depth 200",
    "peak memory, 200 tokens",
    "sampler, top-p 0.9",
    "sampler, top-k 40",
]
FOR_EVER = math.inf


class Heard(Listener):
    """Everything that was told, in order."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.names: list[str] = []
        self.early_names: list[str] = []

    def progress(self, text: str) -> None:
        self.said.append(text)

    def row(self, row: Row) -> None:
        self.names.append(row.name)

    def early(self, row: Row) -> None:
        self.early_names.append(row.name)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_checkpoint(tmp_path_factory.mktemp("bench") / "tiny")
    cut_tokenizer_json(folder, ranks=1024)
    return folder


@pytest.fixture(scope="module")
def results(model: Path) -> Results:
    heard = Heard()
    results = measure(model, PLAN, heard)
    assert heard.names == [row.name for row in results.rows]
    return results


def test_everything_promised_is_measured(results: Results) -> None:
    assert [row.name for row in results.rows] == NAMES
    assert results.in_turns
    assert (results.left_out, results.why_alone) == ((), "")
    assert results.info.name == "tiny"
    assert set(results.versions) == {"gptoss", "mlx", "mlx-lm"}
    for row in results.rows[2:]:
        assert len(row.ours) == len(row.theirs) == 2
    for row in results.rows:
        assert row.ours
        assert all(math.isfinite(value) and value > 0 for value in (*row.ours, *row.theirs)), row
    assert [floor.depth for floor in results.floors] == [0, 200]


def test_both_sides_write_as_many_tokens_as_asked_and_count_their_memory(model: Path) -> None:
    for side in (Ours(model), MlxLm(model)):
        timing = side.answer(range(50), SamplingParams(temperature=0), 7, FOR_EVER)
        assert timing is not None
        assert timing.tokens == 7
        assert timing.first_s > 0
        assert timing.rest_s > 0
        assert side.load_s > 0
        weights = sum(path.stat().st_size for path in model.glob("*.safetensors"))
        assert weights / 2 < timing.peak_bytes < 100 * weights
        assert side.answer(range(50), SamplingParams(temperature=0), 7, time.monotonic()) is None or isinstance(
            side, Ours
        )
        timing = side.answer(range(50), SamplingParams(temperature=0), 100_000, time.monotonic() + 0.5)
        assert timing is not None
        assert timing.tokens < 100_000
        side.close()


def test_prompts_stay_within_the_context(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "short", max_position_embeddings=30)
    names = [row.name for row in measure(folder, replace(PLAN, decode_tokens=100)).rows]
    assert "prefill, 24 tokens" in names
    assert not any("200" in name for name in names)


def test_what_does_not_fit_twice_is_measured_one_after_the_other(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_MEMORY_SHARE", 0)
    heard = Heard()
    results = measure(model, PLAN, heard)
    assert not results.in_turns
    assert heard.said.index("Loading the model with mlx-lm") > heard.said.index("decode, greedy, depth 200: run 2 of 2")
    assert heard.early_names == NAMES[2:7]
    assert [row.name for row in results.rows] == NAMES
    assert all(row.ours and row.theirs for row in results.rows[1:])
    assert "one engine after the other" in closing(results)


def test_it_ends_when_time_is_up(model: Path) -> None:
    begun = time.monotonic()
    results = measure(model, replace(PLAN, rounds=100_000, seconds=4, decode_tokens=20, sampler_rounds=1))
    assert time.monotonic() - begun < 30
    assert all(len(row.ours) < 100_000 for row in results.rows)
    none = measure(model, replace(PLAN, seconds=0, sampler_rounds=1))
    assert "prefill, 200 tokens" in none.left_out
    assert "No time was left for: decode, greedy, depth 0; " in closing(none)
    assert "prefill, 200 tokens" in json.loads(as_json(none, None))["left_out"]


def test_a_long_prompt_is_expected_to_take_longer_for_each_token() -> None:
    assert expected_s(128, 128, 0.01) == pytest.approx(1.5 * 1.28)
    assert expected_s(2048, 128, 0.01) > 2.5 * 20.48
    assert expected_s(64, 128, 0.01) == pytest.approx(1.5 * 0.64)


def test_a_model_that_mlx_lm_cannot_load_is_measured_alone(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "ours-only")
    config = folder / "config.json"
    # Code that a checkpoint brings along is what mlx-lm refuses to run, too.
    config.write_text(json.dumps({**json.loads(config.read_text()), "model_file": "evil.py"}))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    results = measure(folder, PLAN)
    assert "mlx-lm cannot load this checkpoint" in results.why_alone
    assert [row.name for row in results.rows] == NAMES[:-2]
    assert all(row.ours and not row.theirs for row in results.rows)
    assert "gptoss alone: mlx-lm cannot load" in closing(results)
    assert not (tmp_path / "sprung").exists()


def test_a_damaged_model_is_the_fault_that_it_is_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no config\.json"):
        measure(tmp_path, PLAN)


class TestRoofline:
    def test_the_memory_has_a_speed(self) -> None:
        assert 1e8 < memory_bandwidth() < 1e13

    def test_bytes_of_a_token_of_the_card(self, tmp_path: Path) -> None:
        card = inspect(card_checkpoint(tmp_path, tokenizer=False))
        metal, cpu = mac(64), Machine("CPU", 64 * 2**30, None)
        assert weights_read(card, metal) == pytest.approx(sum(card.bytes_per_token.values()))
        assert weights_read(card, metal) / 1e9 == pytest.approx(2.03, rel=5e-3)
        # Two floats for each 64 numbers grow from 16 to 32 bits: 4.5 bits become 5.
        assert weights_read(card, cpu) / weights_read(card, metal) == pytest.approx(5 / 4.5, rel=5e-3)
        assert weights_read(card, Machine("CPU", 2**50, None)) == pytest.approx(4 * card.active_parameters, rel=1e-3)
        assert cache_read(card, metal, 0) == 0
        assert cache_read(card, metal, 8192) == 24_576 * (8192 + 128)
        assert cache_read(card, cpu, 8192) == 2 * cache_read(card, metal, 8192)

    def test_a_share_of_the_memory(self, model: Path) -> None:
        found, machine = inspect(model), mac(16)
        rows = (
            Row("decode, greedy, depth 2,048", "tokens/s", True, (10.0,), (), 2048),
            Row("decode, top-p 0.95, depth 0", "tokens/s", True, (10.0,), (), 0),
            Row("prefill, 128 tokens", "tokens/s", True, (10.0,), ()),
        )
        (floor,) = floors(rows, found, machine, bandwidth=1e9)
        assert floor.depth == 2048
        assert floor.floor_s == (weights_read(found, machine) + cache_read(found, machine, 2048)) / 1e9
        assert floor.share == pytest.approx(10 * floor.floor_s)


class TestInterface:
    def test_a_report_is_read_and_the_terminal_is_large(self) -> None:
        script = (
            "import os, sys; size = os.get_terminal_size(1); print(size);"
            'open(sys.argv[1], \'w\').write(\'{"attached": true, "tokens_per_s": %d}\\n'
            '{"attached": false, "tokens_per_s": 50}\\n{"att\' % size.columns)'
        )
        found = measure_interface([sys.executable, "-c", script], seconds=60)
        assert found is not None
        assert (found.attached, found.without) == ((120.0,), (50.0,))

    def test_what_takes_too_long_is_ended(self) -> None:
        begun = time.monotonic()
        assert measure_interface([sys.executable, "-c", "import time; time.sleep(600)"], seconds=0.5) is None
        assert time.monotonic() - begun < 60

    def test_the_real_one(self, model: Path) -> None:
        command = [sys.executable, "-m", "gptoss_tui.cli.attached", str(model), "20", "20", "2"]
        found = measure_interface(command, seconds=120)
        assert found is not None
        assert len(found.attached) == len(found.without) == 2
        assert found.bytes_per_s > 0


class TestReport:
    ROWS = (
        Row("decode, greedy, depth 0", "tokens/s", True, (3.0, 1.0, 2.0), (1.0, 1.0, 8.0), 0),
        Row("prefill, 8,192 tokens", "tokens/s", True, (12_345.6,), (1_000.0,)),
        Row("sampler, top-k 40", "ms", False, (0.25,), ()),
    )

    def test_markdown(self, results: Results) -> None:
        lines = heading(results.info, results.versions).splitlines()
        assert lines[0] == "# tiny"
        assert lines[2].startswith("4 layers · ")
        told = [[cell.strip() for cell in line(row).strip().strip("|").split("|")] for row in self.ROWS]
        assert told[0] == ["decode, greedy, depth 0", "tokens/s", "2.00", "1.00", "2.00"]
        assert told[1] == ["prefill, 8,192 tokens", "tokens/s", "12,346", "1,000", "12.35"]
        assert told[2] == ["sampler, top-k 40", "ms", "0.250", "–", ""]
        table = [*lines[-2:], *(line(row).rstrip("\n") for row in self.ROWS)]
        assert len({len(row) for row in table}) == 1
        assert len(table[0]) <= 90
        assert {row.count("|") for row in table} == {6}

    def test_closing(self, results: Results) -> None:
        text = closing(results)
        assert "taken in turns" in text
        assert "## Roofline" in text
        assert text.count("%") == len(results.floors)

    def test_the_interface(self) -> None:
        text = interface_part(Interface((100.0, 90.0, 110.0), (95.0,), 20_000))
        assert "95.0 tokens/s with the interface" in text
        assert "100 without: 0.95" in text
        assert "Not measured: it rained." in interface_part(None, "it rained")

    def test_json(self, results: Results) -> None:
        fields = json.loads(as_json(replace(results, rows=self.ROWS), Interface((2.0,), (1.0,), 7.0)))
        assert fields["model"] == "tiny"
        assert fields["device"] == ("CPU" if mx.default_device() == mx.Device(mx.cpu) else fields["device"])
        assert fields["results"][0] == {
            "name": "decode, greedy, depth 0",
            "unit": "tokens/s",
            "higher_is_better": True,
            "depth": 0,
            "gptoss": 2.0,
            "mlx_lm": 1.0,
            "ratio": 2.0,
            "gptoss_runs": [3.0, 1.0, 2.0],
            "mlx_lm_runs": [1.0, 1.0, 8.0],
        }
        assert [ratio(row) for row in self.ROWS] == [entry["ratio"] for entry in fields["results"]]
        assert fields["roofline"][0]["share"] > 0
        assert fields["interface"]["tokens_per_s"] == 1.0


class TestCommand:
    def test_json(self, model: Path) -> None:
        result = gptoss("bench", model, "--minutes", 0.1, "--json")
        assert (result.code, result.err) == (0, "")
        (fields,) = result.events
        told = {row["name"] for row in fields["results"]}
        assert "load, files read before" in told
        # How far it comes in six seconds is this machine's business; nothing is dropped silently.
        assert {"decode, greedy, depth 8,192", "prefill, 128 tokens"} <= told | set(fields["left_out"])

    def test_markdown(self, tmp_path: Path) -> None:
        result = gptoss("bench", tiny_checkpoint(tmp_path / "no-words"), "--minutes", 0.1)
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith("# no-words\n")
        assert "| load, files read before " in result.out
        assert "Not measured: this checkpoint has no tokenizer.json" in result.out

    def test_faults(self, tmp_path: Path) -> None:
        assert_fault(gptoss("bench", tmp_path / "absent"), "does not exist")
        assert_fault(gptoss("bench", tmp_path), "has no config.json")
        assert_fault(gptoss("bench", tmp_path, "--minutes", "nan"), "minutes make no bench")
