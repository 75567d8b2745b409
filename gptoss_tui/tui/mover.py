"""What a person does with a turn: edits it, asks again, goes on, switches, forks, copies; tells first what that costs.

Runs on the interface's thread; what takes a moment is worked out beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gptoss_tui.chat.attach import prompt_of, with_files
from gptoss_tui.chat.copying import code_blocks
from gptoss_tui.chat.moves import Edit, EditAnswer, Fork, GoOn, Retry, Shorten, Switch
from gptoss_tui.errors import GptOssError
from gptoss_tui.tui.costs import Costs, compared, plans
from gptoss_tui.visible import visible

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from gptoss_tui.chat.moves import Move
    from gptoss_tui.tui.conductor import Conductor
    from gptoss_tui.tui.ports import SessionPort
    from gptoss_tui.tui.screens.main import MainScreen
    from gptoss_tui.tui.turnview import TurnView
    from gptoss_tui.tui.widgets.turn import Turn

_OPEN_ENDS = ("...", "…")


@dataclass(frozen=True, slots=True)
class Editing:
    """What is in the prompt to be changed."""

    what: str
    """message or answer."""
    number: int
    """Of its turn."""
    node: str
    before: str
    """All of its text, files included."""
    draft: str
    """What stood in the prompt before, and comes back."""

    def move(self, text: str, session: SessionPort) -> Move:
        """What sending this text does. Raises `GptOssError`."""
        if self.what == "message":
            return Edit(self.node, with_files(text, session, before=self.before))
        open_end = next((end for end in _OPEN_ENDS if text.rstrip().endswith(end)), "")
        return EditAnswer(text.rstrip().removesuffix(open_end), self.node, go_on=bool(open_end))


class Mover:
    """Acts on turns of one screen."""

    def __init__(self, screen: MainScreen, conductor: Conductor) -> None:
        self._screen, self._conductor = screen, conductor
        self.costs = Costs()
        self.editing: Editing | None = None

    async def act(self, name: str, turn: Turn | None) -> None:
        """Does what is called `name` with the turn, or with the conversation."""
        match name:
            case "earlier-turns":
                self._screen.chat.show_earlier()
            case "copy" | "code":
                self._copy(name, turn)
            case "thinking":
                self._fold(turn)
            case "new":
                await self._screen.app.run_action("new")
            case "resume":
                await self._screen.sessions.accept()
            case "continue" if turn is None and await self._screen.sessions.accept():
                return
            case "shorten":
                await self._make("Shorten", Shorten())
            case _ if turn is None or turn.view is None:
                self._tell("Send a message first.")
            case "edit" | "answer":
                self._edit(name, turn.view)
            case "previous" | "next" | "earlier" | "later":
                await self._switch(name, turn.view)
            case "retry":
                node = turn.view.last_answer or turn.view.nodes[-1]
                await self._make("Retry", Retry(node.id))
            case "continue":
                node = turn.view.nodes[-1]
                await self._make("Continue", GoOn(node.id if node.role == "assistant" else None))
            case "fork":
                await self._make("Fork", Fork(turn.view.nodes[-1].id))

    # Editing

    def _edit(self, name: str, view: TurnView) -> None:
        place = view.prompt if name == "edit" else view.answer
        node = view.last_answer if name == "answer" else place.node if place is not None else None
        if node is None or not node.text:
            self._tell("There is no answer to change." if name == "answer" else "There is no message to change.")
            return
        prompt = self._screen.prompt
        draft = self.editing.draft if self.editing is not None else prompt.text
        what = "message" if name == "edit" else "answer"
        self.editing = Editing(what, view.number, node.id, node.text, draft)
        prompt.remembers = name == "edit"
        prompt.fill(prompt_of(node.text) if name == "edit" else node.text)
        prompt.focus()
        self._say()
        self.typed(prompt.text)

    def _say(self) -> None:
        editing = self.editing
        if editing is None:
            self._screen.promptbar.say(())
            return
        send, stop = (self._screen.keymap.first(key) for key in ("prompt.send", "app.stop"))
        sends = f"{send} sends" if editing.what == "message" else f"{send} keeps it, … at the end goes on"
        state = f"Editing {editing.what} {editing.number}"
        self._screen.promptbar.say((state, f"Edit {editing.number}", sends, f"{stop} cancels"))

    def cancel(self) -> bool:
        """Leaves what was to be changed as it is; False where nothing was. The draft comes back."""
        editing, self.editing = self.editing, None
        if editing is None:
            return False
        self._screen.prompt.remembers = True
        self._screen.prompt.fill(editing.draft)
        self._screen.promptbar.tell("")
        self._say()
        return True

    async def finish(self, text: str) -> None:
        """Sends what was changed; where that cannot be, it stays in the prompt."""
        editing, backend = self.editing, self._conductor.backend
        if (
            editing is None
            or backend is None
            or not await self._make(
                f"Edit of {editing.what} {editing.number}", lambda: editing.move(text, backend.session)
            )
        ):
            self._screen.prompt.fill(text)
            return

    # Moves

    async def _make(self, what: str, move: Move | Callable[[], Move]) -> bool:
        """Tells the cost and makes the move; False where it cannot be made, which is told too."""
        backend = self._conductor.backend
        if backend is None:
            self._tell("The model is not loaded yet.")
            return False
        if self._conductor.running:
            self._tell(f"An answer is being written; {self._screen.keymap.first('app.stop')} stops it.")
            return False
        make = move if callable(move) else lambda: move
        try:
            plan = await self.costs.plan(backend.session, make)
            if not isinstance(plan.move, Fork | Switch | Shorten):
                plan.check()
        except GptOssError as fault:
            self._tell(f"{fault.message}\n{fault.hint}".strip(), severity="warning")
            return False
        if self._conductor.running:
            return False
        self.cancel()
        self._screen.promptbar.tell(f"{what}: {plan.cost}")
        await self._conductor.make(plan.move)
        return True

    async def _switch(self, name: str, view: TurnView) -> None:
        by = -1 if name in ("previous", "earlier") else 1
        first, second = (view.prompt, view.answer) if name in ("earlier", "later") else (view.answer, view.prompt)
        for place in (first, second):
            other = place.beside(by) if place is not None else None
            if other is not None:
                await self._make("Branch", Switch(other.id))
                return
        self._tell("There is no other branch here; retrying and editing make some.")

    # What changes nothing

    def _copy(self, name: str, turn: Turn | None) -> None:
        text = turn.answer if turn is not None else ""
        if name == "code":
            blocks = code_blocks(text)
            self._screen.copy(blocks[-1] if blocks else "", "Code")
        else:
            self._screen.copy(text, "Answer")

    def _fold(self, turn: Turn | None) -> None:
        if turn is None or not turn.thinking:
            self._tell("There is no thinking here.")
            return
        turn.thinking[-1].action_fold()

    def _tell(self, text: str, severity: SeverityLevel = "information") -> None:
        self._screen.app.notify(visible(text), severity=severity, markup=False)

    # Costs while a person looks or types

    def typed(self, text: str) -> None:
        """The prompt's text has changed: counts it as soon as it rests."""
        if not text.strip() or (text.startswith("/") and self.editing is None):
            self.costs.forget("typed")
            self._screen.promptbar.tell("")
            self._screen.promptbar.show_files(())
            return
        self._screen.run_worker(self._count(text))

    async def _count(self, text: str) -> None:
        backend, editing, idle = self._conductor.backend, self.editing, not self._conductor.running
        if backend is None:
            return
        session, promptbar = backend.session, self._screen.promptbar
        if editing is None:
            size = await self.costs.newest("typed", lambda: self.costs.size(text, session, idle=idle))
            if size is not None:
                promptbar.tell(size.told)
                promptbar.show_files(size.files)
        elif idle:
            moves = {"edit": lambda: editing.move(text, session)}
            plan = await self.costs.newest("typed", lambda: plans(session, moves))
            if plan is not None and self.editing is editing:
                promptbar.tell(plan["edit"].cost if plan else "")

    def selected(self, turn: Turn | None) -> None:
        """Another turn is looked at: tells what asking there would cost."""
        self._screen.chat.border_subtitle = ""
        backend = self._conductor.backend
        if turn is None or turn.view is None or backend is None or self._conductor.running:
            self.costs.forget("selected")
            return
        self._screen.run_worker(self._compare(turn.view, backend.session))

    async def _compare(self, view: TurnView, session: SessionPort) -> None:
        moves: dict[str, Callable[[], Move]] = {}
        if (prompt := view.prompt) is not None:
            moves["edit"] = lambda: Edit(prompt.node.id, prompt.node.text)
            moves["retry"] = lambda: Retry((view.last_answer or view.nodes[-1]).id)
        if view.continues:
            moves["continue"] = lambda: GoOn(view.nodes[-1].id)
        found = await self.costs.newest("selected", lambda: plans(session, moves))
        chat = self._screen.chat
        if found is not None and chat.selected is not None and chat.selected.view is view:
            chat.border_subtitle = compared(found)
