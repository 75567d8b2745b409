"""What is done with a command that a page shows: run, checked by its grammar, or known and left alone, and why.

One table, first fit. A command that fits no row fails the test: whoever writes it into a page decides here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

How = Literal["run", "shell", "grammar", "script", "install", "elsewhere"]
"""run: gptoss, for real, in this process. shell: a small program, for real. grammar: command and options exist.
script: the file is there and knows the options. install: the extras are pyproject's. elsewhere: not run; a gptoss
command in its words is checked by its grammar."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """One kind of command."""

    pattern: str
    """Matched at the beginning of the command, `.venv/bin/` taken away."""
    how: How
    why: str
    """Why no more than that is done; empty where it is run."""


PLACEHOLDER = r".*(…|\.\.\.|(?<![\w/=.-])(?!MODEL\b|FOLDER\b)[A-Z][A-Z0-9_/-]+(?![\w=./-]))"

TREATMENTS = (
    Treatment(r"gptoss pull\b", "grammar", "downloads from the Hugging Face hub"),
    Treatment(r"gptoss bench\b", "grammar", "measures for minutes"),
    Treatment(r"gptoss convert\b.* openai/", "grammar", "reads 14 GB from the Hugging Face hub"),
    Treatment(rf"gptoss\b{PLACEHOLDER}", "grammar", "shows where a word of one's own goes"),
    Treatment(r"gptoss\b", "run", ""),
    Treatment(r"python3? -m tests\.benchmarks\.", "script", "measures for minutes"),
    Treatment(
        r"(python|torchrun --standalone --nproc-per-node 2) docs/demo-model/",
        "script",
        "needs the corpus and PyTorch, trains on GPUs",
    ),
    Treatment(r"python docs/screenshots\.py", "script", "writes into docs/images; test_pictures.py runs what it runs"),
    Treatment(r"python -m tests\.docs\.reference", "script", "writes docs/commands.md; test_reference.py compares"),
    Treatment(r"python -m tests\b", "script", "is this test run"),
    Treatment(r"python3? -m venv\b", "install", "makes an environment; every machine that runs the tests has done it"),
    Treatment(r"(pip|uv pip|uv tool) install\b", "install", "asks the package registry"),
    Treatment(r"uv (run|sync|venv|python)\b", "install", "asks the package registry"),
    Treatment(r"(brew|sudo apt|apt|apt-get|curl)\b", "elsewhere", "installs on the reader's machine"),
    Treatment(r"(sudo|sysctl|pmset|caffeinate|networksetup|scutil|system_profiler)\b", "elsewhere", "changes a Mac"),
    Treatment(r"(ssh|scp|mosh|rsync)\b", "elsewhere", "needs a second machine"),
    Treatment(r"(tmux|screen)\b", "elsewhere", "needs a terminal, and holds it"),
    Treatment(r"git clone\b", "elsewhere", "needs the network"),
    Treatment(r"hf\b", "elsewhere", "asks the Hugging Face hub"),
    Treatment(r"jq\b", "shell", ""),
    Treatment(r"(cat|printf|echo|export|unset|ls|cd|mkdir|grep)\b", "shell", ""),
)


def treatment(command: str) -> Treatment:
    """What is done with one command, without pipes. Raises `LookupError` where nobody has decided."""
    plain = re.sub(r"^([A-Z_]+=\S+ )+", "", command)
    for each in TREATMENTS:
        if re.match(each.pattern, plain):
            return each
    raise LookupError(f"no row of tests/docs/treatment.py fits: {command}")
