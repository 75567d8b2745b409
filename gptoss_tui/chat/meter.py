"""How fast tokens come: the last second, the mean, and a history for the sparkline. Knows no clock: times are given."""

from __future__ import annotations

import math
from collections import deque

BUCKET_S = 0.5
"""Seconds that one value of the sparkline stands for."""


class RateMeter:
    """Counts tokens by the time at which they were chosen."""

    def __init__(self, history: int = 24) -> None:
        self._recent: deque[float] = deque()
        self._buckets: deque[int] = deque(maxlen=history)
        self._bucket_end = math.nan
        self.tokens = 0
        """Tokens of this answer."""
        self._first = math.nan
        self._last = math.nan

    def start(self) -> None:
        """A new answer begins: the mean starts anew, the sparkline goes on."""
        self.tokens = 0
        self._recent.clear()
        self._first = self._last = self._bucket_end = math.nan

    def add(self, at: float) -> None:
        """One token, chosen at `at` seconds on the answer's own clock."""
        if math.isnan(self._first):
            self._first = at
            self._bucket_end = at + BUCKET_S
            self._buckets.append(0)
        while at >= self._bucket_end:
            self._buckets.append(0)
            # A long pause is a row of empty buckets, never an endless loop.
            self._bucket_end = max(self._bucket_end + BUCKET_S, at - BUCKET_S * (self._buckets.maxlen or 1))
        self._buckets[-1] += 1
        self._last = at
        self.tokens += 1
        self._recent.append(at)
        while self._recent and self._recent[0] <= at - 1:
            self._recent.popleft()

    @property
    def last_second(self) -> float:
        """Tokens a second over the last second (less, while the answer is younger); NaN before the second token."""
        if len(self._recent) < 2:
            return math.nan
        return (len(self._recent) - 1) / max(1e-9, self._recent[-1] - self._recent[0])

    @property
    def mean(self) -> float:
        """Tokens a second after the first; NaN before the second token."""
        return (self.tokens - 1) / (self._last - self._first) if self._last > self._first else math.nan

    @property
    def history(self) -> tuple[float, ...]:
        """Tokens a second in each finished bucket, oldest first."""
        return tuple(tokens / BUCKET_S for tokens in list(self._buckets)[:-1])
