"""Markdown that streams: the same rows however the text is cut, nothing lost, nothing wider than it may be."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gptoss_tui.repl.inline import inline
from gptoss_tui.repl.markdown import MarkdownStream
from gptoss_tui.repl.rows import Row, row_text, row_width, wrap

SAMPLE = """# A *heading*

Some **bold and *nested* words** with `code` and a [link](http://x.y), \\*not\\* 2 ** 3, 2*3*4, snake_case, ***both***.

```python
def f(x):
    '''doc
    more'''
    return "a" + x  # comment
```

| a | b |
|---|--:|
| 1 | **long cell** |

1. one
   - two, which is long enough to be broken at the edge of any terminal that people have been using for this so far
> quoted
---
**open and 日本語の文章 wide
"""

TEXT = st.text(alphabet=st.sampled_from("ab *_`~[]()|\n-#>1.\\日"), max_size=120)


def stream(pieces: list[str], width: int) -> list[Row]:
    """All rows; the tail is looked at on the way, as a screen does."""
    markdown = MarkdownStream(width)
    rows: list[Row] = []
    for piece in pieces:
        rows += markdown.feed(piece)
        markdown.tail()
    return rows + markdown.finish()


def flat(rows: list[Row]) -> list[list[tuple[str, str]]]:
    """Rows as (style, character), however the fragments are cut."""
    return [[(style, char) for style, text in row for char in text] for row in rows]


class TestStreaming:
    """However it is cut into tokens."""

    @settings(max_examples=20, deadline=None)
    @given(st.integers(10, 90), st.lists(st.integers(1, 9), min_size=1, max_size=20))
    @example(width=17, sizes=[1])  # the link turns out to fit on the row before
    def test_sample(self, width: int, sizes: list[int]) -> None:
        pieces, at, turn = list[str](), 0, 0
        while at < len(SAMPLE):
            size = sizes[turn % len(sizes)]
            pieces.append(SAMPLE[at : at + size])
            at, turn = at + size, turn + 1
        assert flat(stream(pieces, width)) == flat(stream([SAMPLE], width))

    @settings(max_examples=80, deadline=None)
    @given(TEXT, st.integers(8, 30))
    def test_anything(self, text: str, width: int) -> None:
        whole = stream([text], width)
        assert flat(stream(list(text), width)) == flat(whole)
        assert all(row_width(row) <= max(width, 40) for row in whole)
        kept = {char for char in text if char.isalnum() and not char.isdigit()}
        # A fence's first line names a language, and that may be shortened to nothing else.
        assert kept <= {char for row in whole for char in row_text(row)} or "```" in text or "~~~" in text

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 30), st.integers(8, 60)), min_size=1, max_size=30))
    def test_the_width_may_change_in_mid_line(self, cuts: list[tuple[int, int]]) -> None:
        text = (
            "One long line with **bold words and `code`** in it, 日本語の文章、and a [link](http://x.y) to end it. " * 3
        )
        markdown, rows, at = MarkdownStream(40), list[Row](), 0
        for size, width in cuts:
            markdown.width = width
            new = markdown.feed(text[at : at + size])
            assert all(row_width(row) <= width for row in new + markdown.tail())
            rows, at = rows + new, at + size
        rows += markdown.feed(text[at:]) + markdown.finish()
        shown = "".join(row_text(row) for row in rows)
        wanted = "".join(row_text(row) for row in stream([text], 1_000))
        assert shown.replace(" ", "") == wanted.replace(" ", "")


class TestWidth:
    """What a row holds, where terminals differ on it."""

    def test_wide_text_is_broken_between_its_characters(self) -> None:
        rows = [row_text(row) for row in wrap([("", "これは「長い」行なので、折り返される。")], 11)]
        assert rows == ["これは「長", "い」行なの", "で、折り返", "される。"]

    def test_what_is_joined_stays_together(self) -> None:
        family = "👩\u200d👩\u200d👧\u200d👦"
        rows = [row_text(row) for row in wrap([("", family * 5)], 20)]
        assert rows == [family * 2, family * 2, family]
        assert row_width([("", "❤\ufe0f" * 4)]) == 8

    def test_a_table_is_made_to_fit(self) -> None:
        source = "| a | long |\n|--:|:-:|\n| 1 | some words that take more than one line |\n| 日本 | x |\n"
        rows = [row_text(row) for row in stream([source], 24)]
        assert rows == [
            "   a │       long",
            "─────┼──────────────────",
            "   1 │  some words that",
            "     │  take more than",
            "     │     one line",
            "─────┼──────────────────",
            "日本 │         x",
        ]

    def test_a_table_with_too_many_columns_is_shown_as_typed(self) -> None:
        source = "|" + "column |" * 9 + "\n" + "|---" * 9 + "|\n"
        assert row_text(stream([source], 40)[0]).startswith("|column |")


class TestLook:
    """What becomes of what."""

    def test_rows(self) -> None:
        rows = [row_text(row).rstrip() for row in stream([SAMPLE], 60)]
        assert rows[0] == "A heading"
        assert rows[2].startswith("Some bold and nested words with code and a link")
        assert "def f(x):" in rows
        assert '    return "a" + x  # comment' in rows
        assert "1 │ long cell" in rows
        assert "   • two, which is long enough to be broken at the edge of" in rows
        assert "▏ quoted" in rows
        assert rows[-1] == "**open and 日本語の文章 wide"

    def test_code_is_coloured_line_by_line_with_what_stands_above(self) -> None:
        markdown = MarkdownStream(60)
        markdown.feed("```python\nx = '''a\n")
        (row,) = markdown.feed("def not_code\n")
        assert {style for style, _ in row} == {"class:code-string"}
        assert markdown.tail() == []
        (row,) = markdown.feed("''' + 1\n")
        assert row[-1] == ("class:code-number", "1")

    @pytest.mark.parametrize("size", [1, 7, 10_000])
    @pytest.mark.parametrize("language", ["python", "js", "c", "html", "console", "diff", "nothing", ""])
    def test_code_is_the_same_however_it_is_cut_and_none_of_it_is_lost(self, language: str, size: int) -> None:
        code = "def f():\n    '''doc\nclass of\n    '''\n\n/* x\nint y */\nx = `a\nb`\n$ ls <b>\n\tz\u00a0\n" * 20
        source = f"```{language}\n{code}```\n"
        rows = stream([source[at : at + size] for at in range(0, len(source), size)], 60)
        if language in ("python", "c", "nothing"):
            # A lexer that looks ahead may colour what it has not seen the end of in another way.
            assert flat(rows) == flat(stream([source], 60))
        assert "\n".join(row_text(row) for row in rows[1:-1]) + "\n" == code

    def test_a_paragraph_comes_row_by_row(self) -> None:
        markdown = MarkdownStream(20)
        rows = markdown.feed("one two three four five six ")
        assert [row_text(row).rstrip() for row in rows] == ["one two three four"]
        # The row with an open mark waits, and those below it: they may still become bold.
        assert markdown.feed("**seven eight nine ten eleven twelve ") == []
        assert len(markdown.tail()) == 3
        rows = markdown.feed("end** x\n")
        bold = "".join(text for row in rows for style, text in row if style == "bold")
        assert bold.replace(" ", "") == "seveneightnineteneleventwelveend"

    def test_inline(self) -> None:
        assert inline("a **b** c")[0] == [("", "a "), ("bold", "b"), ("", " c")]
        assert flat([inline("**a*b*c**")[0]]) == flat([[("bold", "a*b*c")]])
        assert inline("`` a`b ``")[0] == [("class:code-string", "a`b")]
        assert inline("[x](y)")[0] == [("underline class:accent", "x"), ("class:muted", " (y)")]
        assert inline("a *b", complete=False)[1] == 2
        assert inline("a **b**", complete=False)[1] == 2
        assert inline("a **b** c", complete=False)[1] is None
