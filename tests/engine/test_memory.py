"""What fits where, on machines of every size."""

from __future__ import annotations

from pathlib import Path

import pytest

from gptoss_tui.engine import memory
from gptoss_tui.engine.checkpoint import TensorInfo
from gptoss_tui.engine.memory import (
    GIB,
    check_fit,
    container_limits,
    physical_memory,
    resident_bytes,
    verdict,
    wired_limit_command,
)
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


class TestContainers:
    def machine(self, root: Path, groups: str, limits: dict[str, str]) -> tuple[int, ...]:
        for name, text in (
            {"proc/self/cgroup": groups} | {f"sys/fs/cgroup/{key}": limits[key] for key in limits}
        ).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return container_limits(root)

    def test_version_2_from_inside(self, tmp_path: Path) -> None:
        assert self.machine(tmp_path, "0::/\n", {"memory.max": "2147483648\n"}) == (2 * GIB,)

    def test_version_2_from_outside_every_parent_holds(self, tmp_path: Path) -> None:
        limits = {"memory.max": "max\n", "user/memory.max": "8000\n", "user/app/memory.max": "9000\n"}
        assert sorted(self.machine(tmp_path, "0::/user/app\n", limits)) == [8000, 9000]

    def test_version_2_whose_group_is_not_seen(self, tmp_path: Path) -> None:
        assert self.machine(tmp_path, "0::/docker/4f\n", {"memory.max": "7000\n"}) == (7000,)

    def test_version_1(self, tmp_path: Path) -> None:
        groups = "5:cpu,cpuacct:/docker/4f\n4:memory:/docker/4f\n"
        limits = {
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/docker/4f/memory.limit_in_bytes": "6000",
        }
        assert min(self.machine(tmp_path, groups, limits)) == 6000

    @pytest.mark.parametrize("groups", ["", "0::/\n", "nonsense\n::::\n", "3:memory:/\n"])
    def test_without_any_limit(self, tmp_path: Path, groups: str) -> None:
        assert self.machine(tmp_path, groups, {"memory.max": "max\n"}) == ()

    def test_another_system(self, tmp_path: Path) -> None:
        assert container_limits(tmp_path) == ()

    def test_the_smaller_one_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "container_limits", lambda: (5 * GIB, 12345))
        assert physical_memory() == 12345
