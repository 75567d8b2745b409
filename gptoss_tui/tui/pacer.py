"""When to draw next: up to fifteen times a second, less often while drawing costs too much of the thread's time."""

from __future__ import annotations

FASTEST_S = 1 / 15
SLOWEST_S = 0.25
INSTRUMENTS_S = 0.2
LOW_S = 0.5
LOW_INSTRUMENTS_S = 2.0
"""The same two where bandwidth is low: text comes in twice a second, figures every other second."""
_HIGH, _LOW = 0.09, 0.06


class Pacer:
    """Adapts the interval between two draws to the share of time that this thread computes. Times are given."""

    def __init__(self, *, low_bandwidth: bool = False) -> None:
        self._fastest_s, self._slowest_s = (LOW_S, LOW_S) if low_bandwidth else (FASTEST_S, SLOWEST_S)
        self._instruments_s = LOW_INSTRUMENTS_S if low_bandwidth else INSTRUMENTS_S
        self.interval_s = self._fastest_s
        self._wall = self._cpu = 0.0
        self._next = self._next_instruments = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until the next draw is due; never 0, which Textual's timers cannot wait for."""
        return max(0.001, self._next - now)

    def drawn(self, now: float, cpu: float) -> None:
        """A draw is done; `cpu` is what this thread has computed in its life, in seconds."""
        if self._wall and now > self._wall:
            share = (cpu - self._cpu) / (now - self._wall)
            if share > _HIGH:
                self.interval_s = min(self._slowest_s, self.interval_s * 1.25)
            elif share < _LOW:
                self.interval_s = max(self._fastest_s, self.interval_s * 0.85)
        self._wall, self._cpu = now, cpu
        self._next = now + self.interval_s

    def instruments_wait_s(self, now: float) -> float:
        """Seconds until the instruments are due; never 0."""
        return max(0.001, self._next_instruments - now)

    def instruments_due(self, now: float) -> bool:
        """True at most five times a second, and then it is taken as done."""
        if now < self._next_instruments:
            return False
        self._next_instruments = now + max(self._instruments_s, 2 * self.interval_s)
        return True
