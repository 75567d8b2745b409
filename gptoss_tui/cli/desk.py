"""The arguments of the commands that look after checkpoints: inspect, models, pull, convert and doctor.

Only the grammar, for the table in `arguments`; imports nothing that costs time.
"""

from __future__ import annotations

import argparse

JSON_HELP = "one JSON object instead of text"


def inspect(parser: argparse.ArgumentParser) -> None:
    """`gptoss inspect`."""
    parser.add_argument("model", metavar="MODEL", help="a folder, a Hugging Face id in the local cache, or demo")
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
    parser.add_argument("--context", type=int, default=8192, metavar="N", help="tokens that must fit (default 8192)")
    parser.add_argument(
        "--mac", type=int, action="append", default=[], metavar="GB", help="also tell how a Mac with this memory fares"
    )


def models(parser: argparse.ArgumentParser) -> None:
    """`gptoss models`."""
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="also look in this folder, two levels deep")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")


def doctor(parser: argparse.ArgumentParser) -> None:
    """`gptoss doctor`."""
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
