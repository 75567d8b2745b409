"""Whether the published 4-bit gpt-oss-20b runs on Macs of every size, and how long a context it may have."""

from __future__ import annotations

import pytest

from gptoss_tui.engine import loading
from gptoss_tui.engine.memory import GIB, check_fit, comfortable, physical_memory
from gptoss_tui.errors import MemoryLimitError, ParameterError
from gptoss_tui.models.fit import CHUNK, Machine, check_loading, fit, mac, prefill_bytes, this_machine
from gptoss_tui.models.inspection import Inspection, inspect
from tests.models.sparse import card_checkpoint


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    return inspect(card_checkpoint(tmp_path_factory.mktemp("card"), tokenizer=False))


@pytest.mark.parametrize(("gigabytes", "verdict"), [(8, "no"), (16, "tight"), (24, "fits"), (64, "fits")])
def test_macs(card: Inspection, gigabytes: int, verdict: str) -> None:
    machine = mac(gigabytes)
    found = fit(card, machine)
    assert found.verdict == verdict
    assert bool(found.command) == (verdict == "tight")
    # Loading is guarded by the same judgement.
    if verdict == "no":
        with pytest.raises(MemoryLimitError):
            check_fit(found.need_bytes, machine.physical, machine.working_set)
    else:
        warned = check_fit(found.need_bytes, machine.physical, machine.working_set)
        assert bool(warned) == (verdict == "tight")


def test_what_a_16_gb_mac_needs(card: Inspection) -> None:
    found = fit(card, mac(16), context=8192)
    assert found.command.startswith("sudo sysctl iogpu.wired_limit_mb=")
    limit = int(found.command.partition("=")[2]) * 2**20
    assert found.need_bytes <= limit <= found.machine.physical - 2 * GIB
    assert found.comfortable_context == 0 < found.largest_context


@pytest.mark.parametrize("gigabytes", [16, 24, 32])
@pytest.mark.parametrize("device", ["Metal", "CPU"])
def test_the_largest_context_is_the_largest(card: Inspection, gigabytes: int, device: str) -> None:
    machine = mac(gigabytes) if device == "Metal" else Machine("CPU", gigabytes * GIB, None)
    found = fit(card, machine)
    for context, room in (
        (found.comfortable_context, comfortable(machine.physical, machine.working_set)),
        (found.largest_context, machine.physical),
    ):
        if context:
            assert fit(card, machine, context).need_bytes <= room
        if context < card.config.context:
            assert fit(card, machine, context + 1).need_bytes > room


def test_a_longer_context_needs_more(card: Inspection) -> None:
    needs = [fit(card, mac(64), context).need_bytes for context in (1, 128, 129, 4096, 8192, 131_072)]
    assert needs == sorted(set(needs))
    assert fit(card, mac(64), 10**9).context == card.config.context


def test_the_cpu_widens_16_bit_floats(card: Inspection) -> None:
    wide, narrow = fit(card, Machine("CPU", 64 * GIB, None)), fit(card, mac(64))
    # Affine 4-bit in groups of 64: two floats a group grow from 16 to 32 bits, 4.5 bits become 5.
    assert wide.weights_bytes / narrow.weights_bytes == pytest.approx(5 / 4.5, rel=5e-3)
    assert wide.kv_bytes > narrow.kv_bytes


def test_the_cpu_holds_small_models_as_float32(card: Inspection) -> None:
    roomy = Machine("CPU", 512 * GIB, None)
    assert fit(card, roomy).weights_bytes == 4 * card.config.parameters


def test_prefill_is_reckoned_for_a_chunk(card: Inspection) -> None:
    short, long = (prefill_bytes(card.config, card.kv, context) for context in (CHUNK, 2 * CHUNK))
    assert 0 < long - short < short < GIB


def test_this_machine() -> None:
    machine = this_machine()
    assert machine.device in ("Metal", "CUDA", "CPU")
    assert machine.physical > GIB // 2


def test_loading_is_refused_with_the_reason(card: Inspection) -> None:
    with pytest.raises(MemoryLimitError, match=r"needs 11\.8 GiB at 8,192 tokens .* this machine has 8\.0 GiB"):
        check_loading(card, mac(8))
    assert check_loading(card, mac(16)).verdict == "tight"
    assert check_loading(card, mac(24)).verdict == "fits"


def test_a_gpu_is_judged_by_its_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptoss_tui.engine.loading.device_name", lambda: "CUDA")
    monkeypatch.setattr("mlx.core.device_info", lambda: {"total_memory": 7 * GIB})
    assert this_machine().physical == loading.device_memory() == 7 * GIB
    monkeypatch.setattr("mlx.core.device_info", dict)
    assert loading.device_memory() == physical_memory()


def test_there_is_no_such_mac() -> None:
    with pytest.raises(ParameterError):
        mac(0)
