"""Figures as people read them: bytes, counts, seconds, probabilities. Pure functions; knows no widget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gptoss_tui.chat.tree import Figures
    from gptoss_tui.engine.events import Finished

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: int) -> str:
    """Bytes with three significant digits: `256 KiB`, `6.71 MiB`, `83.0 MiB`."""
    value, unit = float(count), 0
    # 999.5 would round to four digits.
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value /= 1024
        unit += 1
    if unit == 0:
        return f"{count} B"
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f} {_UNITS[unit]}"


def count(number: int) -> str:
    """A count with separators: `131,072`."""
    return f"{number:,}"


def tokens(number: int) -> str:
    """How many tokens: `1 token`, `1,234 tokens`."""
    return f"{number:,} {'token' if number == 1 else 'tokens'}"


def seconds(value: float) -> str:
    """A duration: `0.31 s`, `4.9 s`, `1 min 20 s`."""
    if math.isnan(value):
        return "–"
    if value < 1:
        return f"{value:.2f} s"
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def ago(value: float) -> str:
    """How long ago something was, roughly: `just now`, `5 minutes ago`, `2 days ago`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if (number := int(value // length)) > 0:
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"


def rate(value: float) -> str:
    """Tokens a second without the unit: `42.7`, `1,240`; a dash where there is none."""
    if math.isnan(value) or value <= 0:
        return "–"
    return f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def probability(logprob: float) -> str:
    """exp(logprob) in at most five characters: `0.93`, `.0041`, `2e-06`."""
    if math.isnan(logprob):
        return "–"
    p = math.exp(min(0.0, logprob))
    if p >= 0.1:
        return f"{p:.2f}"
    if p >= 0.0001:
        return f"{p:.4f}"[1:]
    return f"{p:.0e}" if p > 1e-99 else "0"


def bits(value: float) -> str:
    """Bits per weight: `4.50 bit`, `16 bit`."""
    return f"{value:.0f} bit" if abs(value - round(value)) < 0.005 else f"{value:.2f} bit"


def shorten(text: str, longest: int) -> str:
    """The text, or its two ends around an ellipsis: names differ at both ends."""
    if len(text) <= longest:
        return text
    if longest < 5:
        return text[: max(0, longest - 1)] + "…"
    head = (longest - 1) // 2
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def title(text: str, longest: int = 60) -> str:
    """What a conversation that begins with this text may be called: its first words, in one line."""
    words = " ".join(text.split())
    if len(words) <= longest:
        return words
    # Between two words, unless the first one is longer than that.
    return f"{words[: longest - 1].rpartition(' ')[0] or words[: longest - 1]}…"


def answer_figures(done: Finished | Figures) -> str:
    """How much was written, and how fast: `212 tokens · 42.7 tok/s · first token 0.31 s`."""
    figures = [tokens(done.completion_tokens)]
    if not math.isnan(done.decode_tps):
        figures.append(f"{rate(done.decode_tps)} tok/s")
    if not math.isnan(done.ttft_s):
        figures.append(f"first token {seconds(done.ttft_s)}")
    if done.reused_tokens:
        figures.append(f"{done.reused_tokens:,} of {done.prompt_tokens:,} prompt tokens reused")
    return " · ".join(figures)
