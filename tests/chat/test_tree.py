"""The conversation's tree: what stands where, and where a path goes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptoss_tui.chat.tree import Node, Tree, new_id
from gptoss_tui.errors import PromptError
from gptoss_tui.harmony.messages import Message


def node(name: str, parent: str | None = None) -> Node:
    return Node(name, parent, "user", (Message.user(name),))


def ids(nodes: tuple[Node, ...]) -> str:
    return "".join(each.id for each in nodes)


@pytest.fixture
def tree() -> Tree:
    """a-b-c, with d beside b (and e, f under it), and g beside a."""
    tree = Tree()
    for name, parent in (("a", None), ("b", "a"), ("c", "b"), ("d", "a"), ("e", "d"), ("f", "d"), ("g", None)):
        tree.add(node(name, parent))
    return tree


def test_paths_siblings_and_children(tree: Tree) -> None:
    assert (tree.head, tree.path()) == (None, ())
    tree.move("c")
    assert ids(tree.path()) == "abc"
    assert ids(tree.path("f")) == "adf"
    assert [ids(tree.siblings(each)) for each in "abcdef"] == ["ag", "bd", "c", "bd", "ef", "ef"]
    assert ids(tree.children("d")) == "ef"
    assert ids(tree.children(None)) == "ag"
    assert ids(tree.nodes) == "abcdefg"


def test_a_branch_is_come_back_to_where_it_was_left(tree: Tree) -> None:
    assert tree.leaf_under("a").id == "f"
    tree.move("e")
    tree.move("c")
    assert tree.leaf_under("d").id == "e"
    assert tree.leaf_under("a").id == "c"
    again = Tree(tree.nodes, "g", tree.looked)
    assert again.leaf_under("d").id == "e"
    assert again.leaf_under("g").id == "g"
    tree.move("d")
    assert tree.leaf_under("a").id == "e"


def test_what_is_not_there_is_refused(tree: Tree) -> None:
    with pytest.raises(PromptError, match="no such place"):
        tree["z"]
    for wrong in (node("a"), node("h", "z")):
        with pytest.raises(ValueError, match="there"):
            tree.add(wrong)
    for wrong in (node("h"), node("c", "d")):
        with pytest.raises(ValueError, match="not there"):
            tree.replace(wrong)
    with pytest.raises(ValueError, match="not there"):
        tree.move("z")
    assert ids(tree.nodes) == "abcdefg"


def test_a_node_is_replaced_where_it_stands(tree: Tree) -> None:
    tree.move("c")
    tree.replace(Node("b", "a", "assistant", (Message.assistant("Hm", "analysis"), Message.assistant("other"))))
    assert ids(tree.path()) == "abc"
    assert (tree["b"].text, tree["b"].thinking) == ("other", "Hm")


@given(parents=st.lists(st.integers(0, 30), max_size=30), moves=st.lists(st.integers(0, 30), max_size=10))
def test_every_path_ends_where_it_was_asked_for(parents: list[int], moves: list[int]) -> None:
    tree = Tree()
    names: list[str] = []
    for parent in parents:
        name = new_id()
        tree.add(node(name, names[parent % len(names)] if names and parent else None))
        names.append(name)
    for move in moves if names else ():
        tree.move(names[move % len(names)])
        path = tree.path()
        assert path[-1].id == tree.head
        assert path[0].parent is None
        assert all(later.parent == earlier.id for earlier, later in pairwise(path))
        assert all(tree.leaf_under(each.id).id == tree.leaf_under(path[-1].id).id for each in path)
    assert len(Tree(tree.nodes, tree.head, tree.looked)) == len(names)
