"""A path cut into turns, with what a screen says of each: its number, and which of several branches it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gptoss_tui.chat.forks import turns
from gptoss_tui.chat.tree import CONTINUABLE, Node, Tree


@dataclass(frozen=True, slots=True)
class Branches:
    """What stands at one place of a conversation."""

    node: Node
    """The one that is shown."""
    others: tuple[Node, ...]
    """All there are, in order of creation, the shown one included."""

    @property
    def at(self) -> int:
        """Which of them is shown, counted from 1."""
        return next(at for at, other in enumerate(self.others, 1) if other.id == self.node.id)

    def beside(self, by: int) -> Node | None:
        """The one so many places further; None where that is this one."""
        other = self.others[(self.at - 1 + by) % len(self.others)]
        return None if other.id == self.node.id else other


@dataclass(frozen=True, slots=True)
class TurnView:
    """A prompt and all that came of it until the next one."""

    number: int
    """Counted from 1 in the path."""
    nodes: tuple[Node, ...]
    prompt: Branches | None
    """None where a conversation begins without one."""
    answer: Branches | None
    """The place of the answer, or of the first of several that has branches; None where there is none yet."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Which nodes of the tree it is."""
        return tuple(node.id for node in self.nodes)

    @property
    def last_answer(self) -> Node | None:
        """The answer that ends it."""
        return self.nodes[-1] if self.nodes and self.nodes[-1].role == "assistant" else None

    @property
    def continues(self) -> bool:
        """Whether the model can go on with the answer."""
        last = self.last_answer
        return last is not None and last.ending != "writing" and (last.ending in CONTINUABLE or last.edited)


def views(tree: Tree) -> list[TurnView]:
    """The turns of what is shown."""
    return [_view(tree, number, nodes) for number, nodes in enumerate(turns(tree.path()), 1)]


def _view(tree: Tree, number: int, nodes: Sequence[Node]) -> TurnView:
    places = [Branches(node, tree.siblings(node.id)) for node in nodes]
    prompt = places[0] if places[0].node.role == "user" else None
    answers = [place for place in places if place.node.role == "assistant"]
    answer = next((place for place in answers if len(place.others) > 1), answers[-1] if answers else None)
    return TurnView(number, tuple(nodes), prompt, answer)
