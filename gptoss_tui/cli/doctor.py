"""`gptoss doctor`: what of this machine, this terminal and these checkpoints is as it should be, and what is not."""

from __future__ import annotations

import argparse
import os
from contextlib import suppress

from platformdirs import user_config_path, user_state_path

from gptoss_tui.cli import checkup
from gptoss_tui.cli.checkup import Finding
from gptoss_tui.cli.jsonl import line
from gptoss_tui.cli.keptcheck import conversations
from gptoss_tui.cli.output import ClosedPipe, Output
from gptoss_tui.cli.terminal import terminal
from gptoss_tui.errors import EXIT_FAULT, EXIT_OK
from gptoss_tui.models.find import hub_cache
from gptoss_tui.visible import visible


def main(options: argparse.Namespace) -> int:
    """Prints the findings; returns 1 where there is a problem."""
    own = {
        "Config folder": user_config_path("gptoss"),
        "State folder": user_state_path("gptoss"),
        "Hugging Face cache": hub_cache(),
    }
    findings = [
        *checkup.system(),
        *checkup.device(),
        *terminal(os.environ),
        *checkup.settings(),
        *checkup.folders(own),
        *conversations(),
        *checkup.network(os.environ),
        *checkup.models(),
    ]
    output = Output()
    with suppress(ClosedPipe):  # whoever read it has seen enough
        output.write(as_json(findings) if options.json else visible(report(findings)))
    return EXIT_FAULT if any(finding.state == "problem" for finding in findings) else EXIT_OK


def as_json(findings: list[Finding]) -> str:
    """The findings as one object."""
    rows: list[dict[str, object]] = [
        {"state": one.state, "about": one.about, "found": one.text, "remedy": one.remedy or None} for one in findings
    ]
    return line({"findings": rows, "problems": sum(one.state == "problem" for one in findings)})


def report(findings: list[Finding]) -> str:
    """The findings as text, what to do under each."""
    lines = []
    for one in findings:
        lines.append(f"{one.state:9}{one.about}: {one.text}")
        if one.remedy:
            lines.append(f"{'':9}→ {one.remedy}")
    return "\n".join(lines) + "\n"
