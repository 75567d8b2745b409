"""A conversation on an engine: renders it, has it answered, folds the answer in, reads ahead while the person reads.

The engine is given the whole prompt each time and finds by itself what it has already read; the session's part in that
is to render the same ids again. Knows no front end and stores nothing: it tells a `Journal` what happens. Use a session
from one thread; `plan`, `ahead` and `count` may be asked on another one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Unpack

from gptoss_tui.chat.answers import ended, messages_of
from gptoss_tui.chat.asking import asked
from gptoss_tui.chat.book import Book
from gptoss_tui.chat.forks import path_after, tree_of
from gptoss_tui.chat.journal import Conversation, Journal, NullJournal
from gptoss_tui.chat.moves import Asking, EditAnswer, Fork, Move, Plan, Send, Shorten, Still, Switch
from gptoss_tui.chat.named import How, NamedMoves
from gptoss_tui.chat.places import next_prompt, pins
from gptoss_tui.chat.tree import Node, Tree
from gptoss_tui.chat.turn import Turn
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import EngineBusy, EngineClosed
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Effort, Message, Tool

if TYPE_CHECKING:
    # Importing it for real would load MLX, before the first frame is on the screen.
    from gptoss_tui.engine.worker import Engine

__all__ = ["Session", "Turn"]


class Session(NamedMoves):
    """One conversation at a time. A call that raises leaves it as it was."""

    def __init__(
        self,
        engine: Engine,
        harmony: Harmony,
        *,
        instructions: str | None = None,
        effort: Effort = "medium",
        params: SamplingParams | None = None,
        max_tokens: int | None = None,
        date: str | None = None,
        tools: Sequence[Tool] = (),
        messages: Sequence[Message] = (),
        conversation: Conversation | None = None,
        tree: Tree | None = None,
        journal: Journal | None = None,
    ) -> None:
        """`date` (ISO) is what the model is told; None takes the day on which each conversation begins. `messages` is a
        conversation to go on with.

        `conversation` and its `tree` are one that the journal has kept; its settings are taken over by whoever opens
        it, as `instructions`, `effort` and `params`.
        """
        self.instructions = instructions
        """The developer message; set it between turns."""
        self.effort: Effort = effort
        """How long to think; set it between turns."""
        self.max_tokens = max_tokens
        """Tokens an answer may have; None is what the context leaves. Set it between turns."""
        self._engine = engine
        self._harmony = harmony
        self._params = params if params is not None else SamplingParams()
        self._tools = tuple(tools)
        self._given_date = date
        self._journal: Journal = journal if journal is not None else NullJournal()
        self._lock = threading.RLock()
        """Held while an answer's events are taken in: plans may be asked for on another thread."""
        self._turn: Turn | None = None
        self._left: list[Turn] = []
        """Turns that ran when their conversation was left: what they wrote is still to be kept."""
        self._closing = False
        if conversation is None:
            begun = tree if tree is not None else tree_of(messages, harmony.vocabulary.digest)
            self._book = Book.begun(self._journal, date, begun)
        else:
            self._book = Book(conversation, tree if tree is not None else Tree(), self._journal, known=True)
        self._book.recover(harmony)

    @property
    def tree(self) -> Tree:
        """All that was said, and where; to be looked at: it is changed by moves alone."""
        return self._book.tree

    @property
    def path(self) -> tuple[Node, ...]:
        """What is shown, in order; the answer of a running turn at its end, without what is being written."""
        return self.tree.path()

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was said, in order. While a turn is running, its answer is not in it yet."""
        return tuple(message for node in self.path for message in node.messages)

    @property
    def conversation(self) -> Conversation:
        """What holds for all of it, as it is now."""
        return replace(
            self._book.conversation,
            instructions=self.instructions,
            effort=self.effort,
            model=self._engine.info.name,
            vocabulary=self._harmony.vocabulary.digest,
            params=self._params,
        )

    @property
    def title(self) -> str:
        """What lists call it: the beginning of its first prompt, until somebody gives it another name."""
        return self._book.conversation.title

    @title.setter
    def title(self, title: str) -> None:
        self._book.describe(replace(self._book.conversation, title=title))

    @property
    def turn(self) -> Turn | None:
        """The running turn; None once its end was taken from it."""
        return self._turn

    @property
    def date(self) -> str:
        """The date that the model is told, ISO; fixed for the conversation, since every prompt begins with it."""
        return self._book.conversation.date

    @property
    def params(self) -> SamplingParams:
        """How tokens are chosen; a running turn follows a change at its next token."""
        return self._params

    @params.setter
    def params(self, params: SamplingParams) -> None:
        self._params = params
        if self._turn is not None:
            self._turn.params = params

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return self._engine.info.context

    def count(self, text: str) -> int:
        """How many tokens a text is."""
        return len(self._harmony.vocabulary.encode(text))

    def ahead(self) -> Plan:
        """What every next prompt costs, whatever it will say."""
        self._settle()
        ids = self._beginning(self.path)
        return Plan(Send(""), tuple(ids), self._engine.reusable(ids), self.context)

    def plan(self, move: Move) -> Plan:
        """The move as it would be made now, with its cost. Raises `PromptError` where it cannot be made at all; one
        that only finds no room has a plan that says so."""
        self._settle()
        match move:
            case Switch() | Fork() | Shorten() | EditAnswer(go_on=False):
                ids = self._beginning(self._after(move))
            case _:
                ids = asked(move, self.tree, self._harmony, self._render).ids
        return Plan(move, tuple(ids), self._engine.reusable(ids), self.context)

    def make(self, move: Move, **how: Unpack[How]) -> Turn | None:
        """Makes a move. The turn that it begins, or None where nothing is asked: then only what is shown has changed.

        Raises `PromptError` for a move that cannot be made and for a conversation that is longer than the context, and
        `EngineBusy` while an answer is being written.
        """
        self._settle()
        if self._turn is not None:
            raise EngineBusy("An answer is being written already", "Wait for it, or stop it first.")
        match move:
            case Switch():
                self._book.move(self._after(move)[-1].id)
            case Fork() | Shorten():
                self._book = self._book.fork(self._after(move))
            case EditAnswer(go_on=False):
                answer = self._after(move)[-1]
                self._book.add(answer)
                self._book.move(answer.id)
            case _:
                return self._begin(move, **how)
        self.read_ahead()
        return None

    def clear(self) -> None:
        """Begins a new, empty conversation on today's date. A running turn is stopped, and stays in the old one."""
        self._leave()
        self._book = Book.begun(self._journal, self._given_date)

    def open(self, conversation: Conversation, tree: Tree) -> None:
        """Goes on with a conversation that the journal has kept, under its own instructions and effort. A running turn
        is stopped, and stays in the conversation before."""
        self._leave()
        self.instructions, self.effort = conversation.instructions, conversation.effort
        self._book = Book(conversation, tree, self._journal, known=True)
        self._book.recover(self._harmony)
        self.read_ahead()

    def use(self, engine: Engine, harmony: Harmony) -> None:
        """Goes on with another model: what was said stays, and is rendered in that one's vocabulary from now on.

        Raises `EngineBusy` while an answer is being written.
        """
        self._settle()
        if self._turn is not None:
            raise EngineBusy("An answer is being written already", "Wait for it, or stop it first.")
        self._engine, self._harmony = engine, harmony
        self.read_ahead()

    def interrupt(self) -> None:
        """Stops the running turn, if there is one; what was written is kept. Its last event is still to be taken."""
        if self._turn is not None:
            self._turn.stop()

    def close(self, timeout_s: float = 1.0) -> None:
        """Stops what is being written, waits for its end no longer than this, and tells the journal all there is."""
        self._closing = True
        self._leave()
        for turn in self._left:
            turn.wait(timeout_s)
        self._settle()
        self._book.describe(self.conversation)

    def _begin(self, move: Asking, **how: Unpack[How]) -> Turn:
        step = asked(move, self.tree, self._harmony, self._render)
        Plan(move, tuple(step.ids), 0, self.context).check()
        generation = self._engine.generate(
            step.ids,
            self._params,
            max_tokens=self.max_tokens,
            stop_ids=self._harmony.stop_ids,
            pins=pins(self._harmony.vocabulary, step.ids),
            **how,
        )
        ended = partial(self._ended, self._book)
        turn = Turn(generation, self._harmony, step.ids, ended, node=step.answer.id, begun=step.begun, lock=self._lock)
        self._book.describe(self.conversation)
        if step.prompt is not None:
            self._book.add(step.prompt)
        (self._book.replace if step.grows else self._book.add)(step.answer, turn.written)
        self._book.move(step.answer.id)
        # Last: from now on whoever asks the session something may find the answer done, and fold it in.
        self._turn = turn
        return turn

    def _ended(self, book: Book, turn: Turn, written: Sequence[Message], failed: bool) -> None:
        book.replace(ended(book.tree[turn.node], turn, written, self._engine.info.name))
        if turn is not self._turn:
            return  # its conversation was left
        self._turn = None
        if not failed and not self._closing:
            self.read_ahead()

    def _settle(self) -> None:
        """Folds in answers that are done even where nobody has taken their last events yet."""
        with self._lock:
            for turn in [*self._left, *([self._turn] if self._turn is not None else [])]:
                turn.settle()
            self._left = [turn for turn in self._left if not turn.over]

    def _leave(self) -> None:
        """Stops the running turn; from now on it belongs to a conversation that is left."""
        self.interrupt()
        if self._turn is not None:
            self._left.append(self._turn)
            self._turn = None

    def _after(self, move: Still) -> Sequence[Node]:
        return path_after(move, self.tree, lambda path: len(self._beginning(path)), self.context // 2)

    def read_ahead(self) -> None:
        """Has the engine read how the next prompt begins, while the person reads or writes."""
        beginning = self._beginning(self.path)
        if len(beginning) < self.context:
            # Whoever closes the engine may still take the last events; there will be no next prompt then.
            with suppress(EngineClosed):
                self._engine.prefill(beginning)

    def _beginning(self, path: Sequence[Node]) -> list[int]:
        """How the prompt after this path begins, whatever it will say."""
        messages = messages_of(path, self._harmony)
        return self._render((*messages, next_prompt(messages)))

    def _render(self, messages: Sequence[Message]) -> list[int]:
        return self._harmony.render(
            messages, instructions=self.instructions, effort=self.effort, tools=self._tools, date=self.date
        )
