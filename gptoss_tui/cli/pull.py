"""`gptoss pull`: a checkpoint from Hugging Face into the local cache, with progress."""

from __future__ import annotations

import argparse
import time
from contextlib import suppress

from gptoss_tui.cli.jsonl import Fields, line
from gptoss_tui.cli.notes import Progress, note
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.errors import EXIT_OK
from gptoss_tui.models.card import amount
from gptoss_tui.models.description import fit_fields
from gptoss_tui.models.download import download, downloaded, offline, plan
from gptoss_tui.models.fit import fit, this_machine
from gptoss_tui.models.inspection import Inspection
from gptoss_tui.signals import Interrupted, Leaving
from gptoss_tui.visible import visible


def main(options: argparse.Namespace) -> int:
    """Downloads what is missing. Raises `GptOssError`."""
    progress = Progress()
    with Leaving() as leaving:
        try:
            found = _pull(options.repo, progress)
        except Interrupted:
            note("interrupted; the files that are complete are kept for the next time")
            leaving.leave()
        finally:
            progress.clear()
    with suppress(ClosedPipe):  # whoever asked has seen enough
        told = line(fields(options.repo, found)) if options.json else visible(report(options.repo, found))
        Output().write(told)
    return EXIT_OK


def _pull(repo: str, progress: Progress) -> Inspection:
    begun = time.monotonic()

    def show(done: int, total: int) -> None:
        rate = done / max(1e-3, time.monotonic() - begun)
        progress.show(f"{done / 1e9:.2f} of {total / 1e9:.2f} GB, {rate / 1e6:.1f} MB/s")

    here = downloaded(repo) if offline() else None
    if here is not None:
        return here
    wanted = plan(repo)
    what = f"{len(wanted.sizes)} files, {amount(wanted.total_bytes)}"
    note(f"{repo}: {what}, of which {amount(wanted.missing_bytes)} must come")
    return download(wanted, show)


def fields(repo: str, found: Inspection) -> Fields:
    """The same as JSON."""
    return {
        "repo": repo,
        "folder": str(found.folder),
        "weights_bytes": found.weights_bytes,
        "bits_per_weight": found.bits_per_weight,
        "fit": fit_fields(fit(found, this_machine())),
    }


def report(repo: str, found: Inspection) -> str:
    """What came, and how it will run here."""
    fitted = fit(found, this_machine())
    words = {
        "fits": "it fits this machine",
        "tight": "it fits this machine tightly",
        "no": "too large for this machine",
    }
    size = f"{amount(found.weights_bytes)}, {found.bits_per_weight:.2f} bits per weight"
    remedy = f"\nTo give Metal the room: {fitted.command}" if fitted.command else ""
    return f"{repo} is here: {size}; {words[fitted.verdict]}.{remedy}\nTo chat with it: gptoss {repo}\n"
