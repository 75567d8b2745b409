"""Markdown as styled lines: the block that a model is just writing, drawn without a widget for each part of it.

Textual's Markdown makes widgets, which is right for what is finished and dear for what changes ten times a second. This
draws the same constructs as text. Knows no widget.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from textual.content import Content

from gptoss_tui.tui.code import highlighted

_FENCE = re.compile(r" {0,3}(?:`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"[\s|:-]*-[\s|:-]*$")
_QUOTE = "▌ "
_BULLETS = "•▪‣⭑◦"
_OPENS = {"strong_open": "bold", "em_open": "italic", "s_open": "strike", "link_open": "$accent underline"}


def parser() -> MarkdownIt:
    """The dialect of every answer. HTML is off: nothing here draws it, so tags must stay text."""
    return MarkdownIt("gfm-like", {"html": False})


def finished_until(source: str) -> int:
    """Characters of `source` before its last block: what stands there will not change however the text goes on."""
    starts = [token.map[0] for token in parser().parse(source) if token.level == 0 and token.map]
    if len(starts) < 2 or starts[-1] == starts[0]:
        return 0
    return sum(len(line) for line in source.split("\n")[: starts[-1]]) + starts[-1]


def parted(source: str, longest: int) -> tuple[str, str]:
    """A block that has become longer than `longest` characters as two: what is drawn once and for all, and the rest.

    The rest of a block of code or of a table begins as the block did. Empty and the whole where it is short enough, or
    one line.
    """
    if len(source) <= longest or (cut := source.rfind("\n") + 1) == 0:
        return "", source
    first, *others = source.split("\n", 2)
    again = ""
    if _FENCE.match(first):
        again = f"{first}\n"
    elif first.lstrip().startswith("|") and others and _TABLE_RULE.match(others[0]):
        again = f"{first}\n{others[0]}\n"
    # What begins anew must have become less, or it would be parted for ever.
    return ("", source) if len(again) + len(source) - cut >= longest else (source[:cut], again + source[cut:])


def lines(source: str, width: int) -> list[Content]:
    """`source` drawn in lines of at most `width` cells."""
    drawn: list[Content] = []
    for first, rest, content, whole in _pieces(parser().parse(source), source.split("\n"), width):
        room = max(8, width - len(first))
        if whole is not None:
            wrapped = [
                line.pad_right(max(0, room - line.cell_length)).stylize_before(whole) for line in content.wrap(room)
            ]
        else:
            wrapped = content.wrap(room) or [Content("")]
        drawn += [Content.assemble(*_prefix(rest if at else first), line) for at, line in enumerate(wrapped)]
    return drawn


def _prefix(text: str) -> list[tuple[str, str]]:
    """What stands before a line, with a quotation's bars in their own colour."""
    bars = len(text) - len(text.lstrip(_QUOTE))
    return [(text[:bars], "$border"), (text[bars:], "")]


_Piece = tuple[str, str, Content, str | None]
"""Prefix of the first line, prefix of the others, the text, and a style for whole lines where there is one."""


def _pieces(tokens: list[Token], source: list[str], width: int) -> Iterator[_Piece]:
    numbers: list[int | None] = []
    marker, indent, quotes, heading, skip = "", "", 0, False, False
    begun = False
    for token in tokens:
        if token.level == 0 and token.nesting >= 0:
            if begun:
                yield "", "", Content(""), None
            begun = True
        match token.type:
            case "table_open" if token.map:
                yield "", "", Content("\n".join(source[token.map[0] : token.map[1]])), None
                skip = True
            case "table_close":
                skip = False
            case _ if skip:
                continue
            case "bullet_list_open" | "ordered_list_open":
                numbers.append(int(token.attrGet("start") or 1) if token.type[0] == "o" else None)
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop()
            case "list_item_open":
                number = numbers[-1]
                marker = f"{_BULLETS[(len(numbers) - 1) % len(_BULLETS)]} " if number is None else f"{number}. "
                numbers[-1] = None if number is None else number + 1
                indent = "  " * (len(numbers) - 1)
            case "blockquote_open" | "blockquote_close":
                quotes += 1 if token.type == "blockquote_open" else -1
            case "heading_open" | "heading_close":
                heading = token.type == "heading_open"
            case "inline" | "fence" | "code_block" | "hr":
                bar = _QUOTE * quotes
                first, rest = bar + indent + marker, bar + indent + " " * len(marker)
                if not numbers:
                    first = rest = bar
                # A second paragraph of the item stands under the first one.
                marker = " " * len(marker)
                yield first, rest, *_block(token, heading, width)
            case _:
                continue


def _block(token: Token, heading: bool, width: int) -> tuple[Content, str | None]:
    if token.type == "hr":
        return Content.styled("─" * width, "$border"), None
    if token.type == "inline":
        content = inline(token)
        return (content.stylize("$accent bold") if heading else content), None
    code = highlighted(token.content.rstrip("\n"), token.info)
    return Content("\n").join(Content(" ") + line for line in code.split("\n", allow_blank=True)), "on $code-background"


def inline(token: Token) -> Content:
    """A line's text with its emphasis."""
    parts: list[tuple[str, str]] = []
    styles: list[str] = []
    for child in token.children or ():
        if child.type in _OPENS:
            styles.append(_OPENS[child.type])
        elif child.type.endswith("_close") and styles:
            styles.pop()
        elif child.type == "softbreak":
            parts.append((" ", ""))
        elif child.type == "hardbreak":
            parts.append(("\n", ""))
        elif child.type == "code_inline":
            parts.append((child.content, "$code-string on $code-background"))
        else:
            parts.append((child.content, " ".join(styles)))
    return Content.assemble(*parts)
