"""docs/instruments.md reckons rightly: every figure in it comes out of the program's own functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from gptoss_tui.chat.format import size
from gptoss_tui.engine.memory import HISTORY_BYTES
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.models.bundled import demo_checkpoint
from gptoss_tui.models.figures import kv_cost
from gptoss_tui.models.fit import mac
from gptoss_tui.models.inspection import Inspection, inspect
from gptoss_tui.tui.widgets.tokens import surprise
from tests.docs.pages import ROOT
from tests.engine.sampling_reference import reference_kept
from tests.models.sparse import card_checkpoint

PAGE = ROOT / "docs" / "instruments.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    """gpt-oss-20b in 4 bits, as the published card has it."""
    return inspect(card_checkpoint(tmp_path_factory.mktemp("card") / "gpt-oss-20b-MLX-4bit", tokenizer=False))


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the tables under a heading."""
    part = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    section = next(each for each in part if each.startswith(heading))
    for line in section.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip(" *") for cell in line.strip("|").split("|")]


def test_the_bytes_of_keys_and_values(card: Inspection) -> None:
    cost = card.kv
    assert f"= {cost.row_bytes:,} bytes = {size(cost.row_bytes).replace('.00', '')}" in TEXT
    assert f"twelve full ones take {cost.token_bytes:,} bytes" in TEXT
    assert f"more than {size(cost.sliding_bytes(cost.window))}" in TEXT
    for tokens in (4096, 32_768, 131_072):
        assert f"{size(cost.full_bytes(tokens))} at {tokens:,}" in TEXT
    assert f"holds {HISTORY_BYTES // cost.token_bytes:,} tokens" in TEXT
    assert f"at most {HISTORY_BYTES // 2**20} MiB" in TEXT
    table = {row[0]: row[1:] for row in rows("Layers")}
    contexts = [int(cell.split()[1].replace(",", "")) for cell in table["layer"]]
    for kind, rows_held in (("sliding", [min(n, cost.window) for n in contexts]), ("full", contexts)):
        assert table[kind] == [size(cost.row_bytes * n) for n in rows_held]
    demo = inspect(demo_checkpoint()).config
    assert kv_cost(demo, 4).row_bytes == 1024
    assert demo.kv_heads == 2


def test_the_bytes_read_for_a_token_and_what_that_bounds(card: Inspection) -> None:
    read = card.bytes_per_token
    total = sum(read.values())
    table = {row[0]: row[1] for row in rows("How fast") if len(row) == 2}
    expected = {
        "experts, 4 of 32 in each of 24 layers": read["experts"],
        "attention": read["attention"],
        "head": read["head"],
        "router, norms, one row of the embedding": read["router"] + read["norms"] + read["embedding"],
        "weights": total,
        "keys and values, for each 1,000 tokens of context": 1000 * card.kv.token_bytes,
    }
    assert {name: float(table[name]) for name in expected} == {
        name: round(value / 1e9, 3) for name, value in expected.items()
    }
    assert f"{card.bits_per_weight:.3f} bits per weight" in TEXT
    for chip, bandwidth, *speeds in (row for row in rows("How fast") if len(row) == 5 and row[1] != "GB/s"):
        for tokens, told in zip((0, 8192, 131_072), speeds, strict=True):
            needed = total + card.kv.full_bytes(tokens) + card.kv.sliding_bytes(tokens)
            assert round(float(bandwidth) * 1e9 / needed) == int(told), (chip, tokens)
    for memory, share in ((16, 2 / 3), (32, 2 / 3), (36, 3 / 4), (64, 3 / 4)):
        assert mac(memory).working_set == pytest.approx(mac(memory).physical * share, abs=1)


def test_the_colours_of_surprise() -> None:
    table = [row for row in rows("Tokens") if row[0].startswith("surprise-")]
    for level, (name, share, bits) in enumerate(table):
        assert name == f"surprise-{level}"
        ends = [float(end) for end in re.findall(r"[\d.]+", share)]
        bounds = [0.25**n for n in range(1, 5)]
        assert ends == [round(end, 4) for end in bounds[max(0, level - 1) : level + 1]]
        for bit in (2 * level + 0.01, 2 * level + 1.99):
            assert surprise(-bit * np.log(2)) == level
        assert str(2 * level if level else 2) in bits
    assert np.log(0.5) == pytest.approx(-0.69, abs=0.005)


def test_the_example_of_sampling() -> None:
    table = list(rows("Sampling"))
    share = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])
    logits = np.log(share).astype(np.float32)
    asked = {
        "the model's p": SamplingParams(),
        "temperature 0.5": SamplingParams(temperature=0.5),
        "temperature 2": SamplingParams(temperature=2),
        "top-p 0.8": SamplingParams(top_p=0.8),
        "top-k 2": SamplingParams(top_k=2),
        "min-p 0.2": SamplingParams(min_p=0.2),
        "top-p 0.8 at temperature 0.5": SamplingParams(top_p=0.8, temperature=0.5),
    }
    assert [row[0] for row in table[1:]] == list(asked)
    for name, *cells in table[1:]:
        kept = reference_kept(logits, asked[name])
        weights = np.where([at in kept for at in range(5)], share ** (1 / asked[name].temperature), 0)
        for told, value in zip(cells, weights / weights.sum(), strict=True):
            assert (0 if told == "–" else float(told)) == pytest.approx(value, abs=0.00051), name


def test_every_figure_that_a_pane_explains_is_on_the_page() -> None:
    from gptoss_tui.tui.helptext import FIGURES

    for title, _ in FIGURES.values():
        assert f"## {title}\n" in TEXT
