"""A scripted engine and session: what no model writes on demand, at a pace that no test could wait for.

Used where a test needs hostile text, a given speed or a given ending; everything else runs on a real model.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gptoss_tui.chat.events import Token, TurnEvent, TurnFinished, TurnReason
from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.moves import Edit, Move, Plan, Send, Switch
from gptoss_tui.chat.tree import Node, Tree, new_id
from gptoss_tui.engine.events import Finished, LayerState, LoadProgress, MemoryUse, ModelInfo, PrefillProgress, Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import Channel, Delta, Effort, Message
from gptoss_tui.tui.options import TuiOptions
from gptoss_tui.tui.ports import Backend

LAYERS = 24
WINDOW = 128
ROW_BYTES = 2 * 8 * 64 * 2

INFO = ModelInfo(
    name="gpt-oss-20b-MLX-4bit",
    attention=("sliding", "full") * (LAYERS // 2),
    window=WINDOW,
    context=131_072,
    vocabulary_size=201_088,
    experts=32,
    experts_per_token=4,
    parameters=20_914_757_184,
    weights_bytes=11_774_000_000,
    bits_per_weight=4.504,
    device="Metal",
    dtype="bfloat16",
)


def layer_states(tokens: int, info: ModelInfo = INFO) -> tuple[LayerState, ...]:
    """The layers as they are after so many tokens."""
    states = []
    for index, mode in enumerate(info.attention):
        sliding = mode == "sliding"
        visible = min(tokens, info.window - 1) if sliding else tokens
        kept = min(tokens, info.window) if sliding else tokens
        states.append(
            LayerState(
                index=index,
                mode=mode,
                window=info.window if sliding else None,
                tokens=tokens,
                visible=visible,
                used_bytes=kept * ROW_BYTES,
                history_bytes=(tokens - kept) * ROW_BYTES,
                allocated_bytes=-(-tokens // 256) * 256 * ROW_BYTES,
            )
        )
    return tuple(states)


@dataclass(frozen=True)
class Script:
    """What the model writes, and how fast."""

    pieces: Sequence[tuple[Channel | None, str]]
    """(channel, text) of each token."""
    tokens_per_s: float = math.inf
    prompt_tokens: int = 40
    prefill_steps: int = 0
    """Progress events before the first token."""
    reason: TurnReason = "stop"
    hold: threading.Event | None = None
    """Waited for before the last token, so that a test can look at a running answer."""


class ScriptedTurn:
    """Plays a script on a thread."""

    def __init__(self, script: Script, session: ScriptedSession, on_event: Callable[[], None]) -> None:
        self.prompt_ids = tuple(range(script.prompt_tokens))
        self.finished: TurnFinished | None = None
        self.over = False
        self._script, self._session, self._on_event = script, session, on_event
        self._events: list[TurnEvent] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def drain(self) -> list[TurnEvent]:
        with self._lock:
            events, self._events = self._events, []
        for event in events:
            if isinstance(event, TurnFinished):
                self.finished, self.over = event, True
                self._session.end(event)
        return events

    def stop(self) -> None:
        self._stopped.set()

    def _tell(self, event: TurnEvent) -> None:
        with self._lock:
            self._events.append(event)
        self._on_event()

    def _play(self) -> None:
        script, engine = self._script, self._session.engine
        began = time.perf_counter()
        for at in range(script.prefill_steps):
            done = script.prompt_tokens * (at + 1) // script.prefill_steps
            self._pause(0.02)
            self._tell(PrefillProgress(done, script.prompt_tokens, 0, time.perf_counter() - began))
        first = time.perf_counter() - began
        written = 0
        for index, (channel, text) in enumerate(script.pieces):
            if index == len(script.pieces) - 1 and script.hold is not None:
                while not script.hold.wait(0.01) and not self._stopped.is_set():
                    pass
            if self._stopped.is_set():
                break
            # Against the clock, not by sleeping the interval: sleeps are always a little too long.
            self._pause(began + first + index / script.tokens_per_s - time.perf_counter())
            params = self._session.params
            logprob = -((index * 7919) % 97) / 12
            step = Step(index, (index * 37) % 5_000, logprob, replace(params, seed=1), time.perf_counter() - began)
            deltas = (Delta(channel, text),) if text else ()
            engine.tokens = script.prompt_tokens + index + 1
            written += 1
            self._tell(Token(step, text, False, deltas))
        reason = "interrupted" if self._stopped.is_set() else script.reason
        took = time.perf_counter() - began
        finished = Finished(
            "stop" if reason == "tool_call" else reason,
            None,
            script.prompt_tokens,
            0,
            written,
            1,
            first,
            1_000.0,
            written / max(took, 1e-9),
            0,
        )
        texts: dict[Channel | None, str] = {}
        for channel, text in script.pieces[:written]:
            texts[channel] = texts.get(channel, "") + text
        final, analysis = texts.get("final", ""), texts.get("analysis", "")
        self._tell(TurnFinished(finished, reason, final, analysis, (Message.assistant(final),)))

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._stopped.wait(seconds)


class ScriptedEngine:
    """Counts tokens; its layers follow from that."""

    def __init__(self, info: ModelInfo = INFO) -> None:
        self.info = info
        self.busy = False
        self.tokens = 0
        self.closed = False

    def layers(self) -> tuple[LayerState, ...]:
        return layer_states(self.tokens, self.info)

    def memory(self) -> MemoryUse:
        return MemoryUse(3 * 2**20, 2**20, 40 * 2**20, 2, 256 * 2**20)

    def close(self) -> None:
        self.closed = True


class ScriptedSession:
    """Plays one script after the other, the last one again and again; moves about in a real tree."""

    def __init__(self, engine: ScriptedEngine, scripts: Sequence[Script]) -> None:
        self.engine = engine
        self.instructions: str | None = None
        self.effort: Effort = "medium"
        self.max_tokens: int | None = None
        self.params = SamplingParams()
        self.title = "Scripted"
        self.tree = Tree()
        self.turn: ScriptedTurn | None = None
        self._scripts = list(scripts)

    @property
    def path(self) -> tuple[Node, ...]:
        return self.tree.path()

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(message for node in self.path for message in node.messages)

    @property
    def context(self) -> int:
        return self.engine.info.context

    @property
    def conversation(self) -> Conversation:
        return Conversation("0" * 32, self.title)

    def count(self, text: str) -> int:
        return len(text.split())

    def ahead(self) -> Plan:
        return self.plan(Send(""))

    def plan(self, move: Move) -> Plan:
        return Plan(move, tuple(range(40)), 30, self.context)

    def make(self, move: Move, *, on_event: Callable[[], None] | None = None) -> ScriptedTurn | None:
        parent = self.tree.head
        match move:
            case Switch(node=node_id):
                self.tree.move(self.tree.leaf_under(node_id).id)
                return None
            case Send(text=text):
                parent = self._add(Node(new_id(), parent, "user", (Message.user(text),)))
            case Edit(node=node_id, text=text):
                parent = self._add(Node(new_id(), self.tree[node_id].parent, "user", (Message.user(text),)))
            case _:
                parent = [node.id for node in self.path if node.role == "user"][-1]
        self._add(Node(new_id(), parent, "assistant", (), ending="writing"))
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self.turn = ScriptedTurn(script, self, on_event or (lambda: None))
        return self.turn

    def _add(self, node: Node) -> str:
        self.tree.add(node)
        self.tree.move(node.id)
        return node.id

    def end(self, event: TurnFinished) -> None:
        if self.path:
            self.tree.replace(replace(self.path[-1], messages=event.messages, ending=event.reason))
        self.turn = None

    def use(self, engine: object, harmony: object) -> None:
        raise NotImplementedError("a scripted conversation stays with its model")

    def interrupt(self) -> None:
        if self.turn is not None:
            self.turn.stop()

    def clear(self) -> None:
        self.interrupt()
        self.tree, self.turn = Tree(), None
        self.engine.tokens = 0


class ScriptedOpener:
    """Stands for `open_backend`; loads when it is let."""

    def __init__(self, *scripts: Script, about: str = "", info: ModelInfo = INFO, at_once: bool = True) -> None:
        self.engine = ScriptedEngine(info)
        self.session = ScriptedSession(self.engine, scripts or (Script(words("Hello there.")),))
        self.about = about
        self.let = threading.Event()
        if at_once:
            self.let.set()

    def __call__(
        self, options: TuiOptions, on_progress: Callable[[LoadProgress], None], cancelled: Callable[[], bool]
    ) -> Backend:
        on_progress(LoadProgress(43 * 2**20, 100 * 2**20))
        while not self.let.wait(0.01):
            if cancelled():
                break
        return Backend(self.engine, self.session, self.about)


def words(text: str, channel: Channel | None = "final") -> list[tuple[Channel | None, str]]:
    """A text as tokens: a word with the space before it each."""
    pieces: list[str] = []
    for word in text.replace("\n", " \n ").split(" "):
        pieces.append(word if word == "\n" or not pieces or pieces[-1] == "\n" else f" {word}")
    return [(channel, piece) for piece in pieces if piece]
