"""What fits where, on machines of every size."""

from __future__ import annotations

from pathlib import Path

import pytest

from gptoss_tui.engine.checkpoint import TensorInfo
from gptoss_tui.engine.memory import GIB, check_fit, physical_memory, resident_bytes, verdict, wired_limit_command
from gptoss_tui.errors import MemoryLimitError

MAC_16 = (16 * GIB, 11_453_251_584)
"""A 16 GB Mac: its memory and what Metal recommends there."""


@pytest.mark.parametrize(
    ("need", "case"),
    [(0, "fits"), (MAC_16[1], "fits"), (MAC_16[1] + 1, "tight"), (MAC_16[0], "tight"), (MAC_16[0] + 1, "no")],
)
def test_edges_on_a_mac(need: int, case: str) -> None:
    assert verdict(need, *MAC_16) == case


@pytest.mark.parametrize(("need", "case"), [(14 * GIB, "fits"), (14 * GIB + 1, "tight"), (16 * GIB + 1, "no")])
def test_edges_elsewhere(need: int, case: str) -> None:
    assert verdict(need, 16 * GIB, None) == case


def test_loading_is_refused_above_physical_memory() -> None:
    with pytest.raises(MemoryLimitError, match=r"needs 17\.0 GiB and this machine has 16\.0 GiB"):
        check_fit(17 * GIB, *MAC_16)


def test_loading_warns_between_metals_limit_and_memory() -> None:
    warning = check_fit(11_770_000_000, *MAC_16)
    assert "exceed the 10.7 GiB" in warning
    assert warning.endswith("sudo sysctl iogpu.wired_limit_mb=13273")
    assert "sysctl" not in check_fit(15 * GIB, 16 * GIB, None) != ""
    assert check_fit(10 * GIB, *MAC_16) == ""


def test_the_proposed_limit_stays_within_the_machine() -> None:
    assert wired_limit_command(15 * GIB, 16 * GIB).endswith("=15360")
    assert wired_limit_command(99 * GIB, 16 * GIB).endswith("=16384")
    assert wired_limit_command(8 * GIB, 16 * GIB).endswith("=8704")


def test_16_bit_floats_widen_on_the_cpu() -> None:
    tensors = [TensorInfo(Path("a"), dtype, (8,), 16) for dtype in ("BF16", "F16", "F32", "U32", "U8")]
    assert resident_bytes(tensors, widened=True) == 112
    assert resident_bytes(tensors, widened=False) == 80


def test_this_machine_has_memory() -> None:
    assert physical_memory() > GIB // 2
