"""The format of a packed matrix, told by what MLX itself packs."""

from __future__ import annotations

import mlx.core as mx
import pytest

from gptoss_tui.engine.packing import Packing, packing


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("group", [32, 64, 128])
def test_affine(bits: int, group: int) -> None:
    weight, scales, _ = mx.quantize(mx.ones((3, 8, 256)), group_size=group, bits=bits)
    assert packing(weight.shape, scales.shape, (3, 8, 256), affine=True) == Packing(bits, group, "affine")


@pytest.mark.parametrize(("mode", "bits", "group"), [("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)])
def test_microscaling(mode: str, bits: int, group: int) -> None:
    weight, scales, *_ = mx.quantize(mx.ones((8, 256)), group_size=group, bits=bits, mode=mode)
    assert packing(weight.shape, scales.shape, (8, 256), affine=False) == Packing(bits, group, mode)


@pytest.mark.parametrize(
    ("weight", "scales", "affine"),
    [((8, 32), (8, 4), False), ((7, 32), (8, 4), True), ((8, 32), (7, 4), True), ((8, 33), (8, 4), True),
     ((8, 8), (8, 4), True), ((8, 32), (8, 5), True), ((8, 32), (8, 0), True), ((), (), True)],
)  # fmt: skip
def test_what_packs_nothing(weight: tuple[int, ...], scales: tuple[int, ...], affine: bool) -> None:
    assert packing(weight, scales, (8, 256), affine) is None
