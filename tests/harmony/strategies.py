"""Random texts and random JSON Schemas for the harmony tests."""

from __future__ import annotations

from hypothesis import strategies as st


def texts(max_size: int = 24) -> st.SearchStrategy[str]:
    """Any Unicode that UTF-8 can hold, and text that looks like harmony's own frame."""
    tricky = [
        "<|end|>",
        "<|start|>assistant",
        "\r\n",
        "  ",
        "\t",
        "日本語",
        "👩‍👩‍👧",
        "e\u0301",
        "\x00",
        "\ufeff",
        "'LL",
        "2024",
    ]
    anything = st.text(st.characters(codec="utf-8"), max_size=max_size)
    return st.one_of(anything, st.lists(st.one_of(st.sampled_from(tricky), anything), max_size=4).map("".join))


def schemas() -> st.SearchStrategy[dict[str, object]]:
    """Schemas of a function's arguments, with all that harmony can write in TypeScript, and some that it cannot."""
    return _objects(st.recursive(_leaves(), _nested, max_leaves=4))


_WORDS = st.sampled_from(["city", "a b", 'say "hi"', "null", "ja\nnein", "", "ä"])
_DEFAULTS = st.one_of(_WORDS, st.integers(-5, 5), st.booleans(), st.lists(st.integers(0, 3), max_size=2), st.just(0.5))


def _annotated(base: dict[str, st.SearchStrategy[object]]) -> st.SearchStrategy[dict[str, object]]:
    notes: dict[str, st.SearchStrategy[object]] = {
        "title": _WORDS,
        "description": _WORDS,
        "default": _DEFAULTS,
        "nullable": st.booleans(),
        "examples": st.lists(st.one_of(_WORDS, st.integers()), max_size=2),
    }
    return st.fixed_dictionaries(base, optional=notes)


def _leaves() -> st.SearchStrategy[dict[str, object]]:
    choices: st.SearchStrategy[object] = st.lists(st.one_of(_WORDS, st.integers()), max_size=3)
    kinds = st.sampled_from(["number", "integer", "boolean", "string", "null", "date"])
    several: st.SearchStrategy[object] = st.lists(st.sampled_from(["string", "integer", "null"]), max_size=3)
    return st.one_of(
        _annotated({"type": kinds}),
        _annotated({"type": st.just("string"), "enum": choices}),
        _annotated({"type": several}),
        _annotated({}),
    )


def _nested(inner: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[dict[str, object]]:
    return st.one_of(
        _annotated({"type": st.just("array"), "items": inner}),
        _annotated({"type": st.just("array")}),
        _annotated({"oneOf": st.lists(inner, max_size=3)}),
        _objects(inner),
    )


def _objects(inner: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[dict[str, object]]:
    names = st.sampled_from(["city", "when", "größe"])
    properties: st.SearchStrategy[object] = st.dictionaries(names, inner, max_size=3)
    required: st.SearchStrategy[object] = st.lists(names, max_size=2)
    return _annotated({"type": st.just("object"), "properties": properties, "required": required})
