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


def pull(parser: argparse.ArgumentParser) -> None:
    """`gptoss pull`."""
    parser.add_argument("repo", metavar="REPO", help="a Hugging Face id, such as mlx-community/gpt-oss-20b-MXFP4-Q4")
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")


def convert(parser: argparse.ArgumentParser) -> None:
    """`gptoss convert`, with mlx-lm's own names."""
    parser.add_argument("--hf-path", required=True, metavar="SRC", help="the original: a folder, or a Hugging Face id")
    parser.add_argument("--mlx-path", required=True, metavar="DST", help="the folder to make")
    parser.add_argument("-q", "--quantize", action="store_true", help="quantise what is not quantised yet")
    parser.add_argument("--q-bits", type=int, metavar="N", help="bits of each number (default: 4)")
    parser.add_argument("--q-group-size", type=int, metavar="N", help="numbers that share a scale (default: 64)")
    parser.add_argument("--q-mode", choices=("affine", "mxfp4", "mxfp8", "nvfp4"), default="affine", help="the format")
    parser.add_argument("--dtype", choices=("bfloat16", "float16", "float32"), help="of everything else")
    parser.add_argument(
        "--like-card",
        action="store_true",
        help="dequantise MXFP4 experts first, for 4.5 bits throughout as on the published card",
    )
    parser.add_argument(
        "--verify",
        action=argparse.BooleanOptionalAction,
        help="compare its predictions with the source's (default: where that is quick)",
    )
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")
