"""How long harmony takes on the genuine vocabulary: loading, encoding, rendering, parsing. Prints, asserts nothing.

python -m tests.benchmarks.harmony_speed
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Message
from tests.vocabularies import genuine_tokenizer_json

PROSE = "A qubit is not a bit that is both 0 and 1; it is a vector in a plane of complex numbers. Größe! 日本語.\n"
TURNS = 40


def main() -> None:
    """Medians of five runs each."""
    with tempfile.TemporaryDirectory() as folder:
        file = genuine_tokenizer_json(Path(folder))
        print(f"tokenizer.json             {file.stat().st_size / 1e6:8.1f} MB")
        print(f"Harmony.load               {seconds(lambda: Harmony.load(folder)) * 1e3:8.1f} ms")
        harmony = Harmony.load(folder)
    text = PROSE * 2000
    rate = len(text.encode()) / 1e6 / seconds(lambda: harmony.vocabulary.encode(text))
    print(f"encode                     {rate:8.1f} MB/s")
    answer = PROSE * 20
    ids = tuple(harmony.vocabulary.encode(answer))
    turn = [Message.user(PROSE * 4), Message("assistant", answer, channel="final", token_ids=ids)]
    prompt = len(harmony.render(turn * TURNS))
    print(f"render {prompt:6,} tokens       {seconds(lambda: harmony.render(turn * TURNS)) * 1e3:8.1f} ms")
    special = harmony.vocabulary.special
    header = [special["<|channel|>"], *harmony.vocabulary.encode("final"), special["<|message|>"]]

    def parse() -> None:
        parser = harmony.parser()
        for token_id in (*header, *ids):
            parser.feed(token_id)

    print(f"parse                      {seconds(parse) / (len(ids) + 3) * 1e6:8.1f} µs a token")


def seconds(work: Callable[[], object]) -> float:
    """The median of five runs."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return median(times)


if __name__ == "__main__":
    main()
