"""`gptoss convert`: an original gpt-oss checkpoint to MLX, with the figures before and after."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.cli.arguments import COMMANDS
from gptoss_tui.cli.jsonl import Fields, line
from gptoss_tui.cli.notes import Progress, note
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.errors import EXIT_OK, ParameterError
from gptoss_tui.models.card import amount
from gptoss_tui.models.conversion import Recipe, check_conversion, convert, expected_bytes
from gptoss_tui.models.find import resolve
from gptoss_tui.models.fit import Machine, check_loading, fit, this_machine
from gptoss_tui.models.inspection import Inspection
from gptoss_tui.models.whole import sweep_partial
from gptoss_tui.signals import Interrupted, Leaving
from gptoss_tui.visible import visible

if TYPE_CHECKING:
    from gptoss_tui.models.divergence import Divergence

_PATIENT_PARAMETERS = 1_000_000_000
"""More than a CPU can run through a text while a person waits."""


def main(options: argparse.Namespace) -> int:
    """Converts and reports. Raises `GptOssError`."""
    if not options.quantize and (options.q_bits or options.q_group_size or options.like_card):
        raise ParameterError("--q-bits, --q-group-size and --like-card go with --quantize", "Add --quantize.")
    recipe = Recipe(
        options.quantize, options.q_bits, options.q_group_size, options.q_mode, options.dtype, options.like_card
    )
    target = Path(options.mlx_path).expanduser()
    progress = Progress()
    with Leaving() as leaving:
        try:
            folder = resolve(options.hf_path, COMMANDS)
            if (freed := sweep_partial(target)) is not None:
                note(f"removed what an earlier conversion had left unfinished: {amount(freed)}")
            source = check_conversion(folder, target, recipe)
            if options.verify:
                check_loading(source, this_machine())  # before the work, not behind it
            note(f"converting {source.name}, about {amount(expected_bytes(source, recipe))} to write")
            result = convert(source, target, recipe, lambda done, all_: progress.show(_share("Converting", done, all_)))
            verdict = _verify(source, result, options.verify, progress)
        except Interrupted:
            leaving.leave()
        finally:
            progress.clear()
    with suppress(ClosedPipe):  # whoever asked has seen enough
        output = Output()
        if options.json:
            output.write(line(fields(source, result, recipe, verdict)))
        else:
            output.write(visible(report(source, result, recipe, verdict)))
    return EXIT_OK


def _verify(source: Inspection, result: Inspection, wanted: bool | None, progress: Progress) -> Divergence | None:
    """The divergence, where it is wanted, or where it costs little and nobody said otherwise."""
    if wanted is False or (wanted is None and not _affordable(source, result, this_machine())):
        return None
    from gptoss_tui.models.divergence import divergence

    return divergence(source.folder, result.folder, lambda done, all_: progress.show(f"Verifying {done} of {all_}"))


def _affordable(source: Inspection, result: Inspection, machine: Machine) -> bool:
    patient = machine.device != "CPU" or source.config.parameters <= _PATIENT_PARAMETERS
    return patient and all(fit(one, machine, 64).verdict == "fits" for one in (source, result))


def kind(result: Inspection, recipe: Recipe) -> str:
    """What the result is, in the words that people compare checkpoints with."""
    formats = {part.format for part in result.summaries() if part.group == "experts"}
    if formats == {"mxfp4"} and recipe.mode != "mxfp4":
        return "experts kept as OpenAI's MXFP4; --like-card would dequantise them first, for the card's 4.5-bit class"
    return f"experts in {' and '.join(sorted(formats))}"


def report(source: Inspection, result: Inspection, recipe: Recipe, verdict: Divergence | None) -> str:
    """Before and after as text."""
    rows = [("", "before", "after")]
    rows.append(("Weights", amount(source.weights_bytes), amount(result.weights_bytes)))
    rows.append(("Bits per weight", f"{source.bits_per_weight:.3f}", f"{result.bits_per_weight:.3f}"))
    before, after = ({part.group: part.format for part in one.summaries()} for one in (source, result))
    rows += [(group.capitalize(), before.get(group, ""), how) for group, how in after.items()]
    rows.append(("Files", str(len(source.shards)), str(len(result.shards))))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = "\n".join(
        "  ".join(f"{cell:{size}}" for cell, size in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    if verdict is None:
        judged = "Not verified: --verify compares its predictions with the source's."
    else:
        judged = (
            f"KL divergence from the source: {verdict.mean:.4f} nats per token on average, {verdict.largest:.4f} at "
            f"most ({verdict.tokens} tokens); the likeliest token is the same at {verdict.agreement:.0%}."
        )
    share = 1 - result.weights_bytes / source.weights_bytes
    size = f"{share:.0%} smaller" if share > 0 else f"{-share:.0%} larger"
    return f"{table}\n\n{result.folder}: {size}, {kind(result, recipe)}.\n{judged}\n"


def fields(source: Inspection, result: Inspection, recipe: Recipe, verdict: Divergence | None) -> Fields:
    """Before and after as JSON."""
    return {
        "folder": str(result.folder.absolute()),
        "before": {"weights_bytes": source.weights_bytes, "bits_per_weight": source.bits_per_weight},
        "after": {"weights_bytes": result.weights_bytes, "bits_per_weight": result.bits_per_weight},
        "kind": kind(result, recipe),
        "kl_mean": verdict.mean if verdict else None,
        "kl_max": verdict.largest if verdict else None,
        "agreement": verdict.agreement if verdict else None,
        "verified_tokens": verdict.tokens if verdict else 0,
    }


def _share(what: str, done: int, total: int) -> str:
    return f"{what} {done / 2**30:.2f} of {total / 2**30:.2f} GiB"
