"""The rows of the table of keys that move about in a conversation, and between conversations."""

from __future__ import annotations

from gptoss_tui.keys.action import Action

AGAIN: tuple[Action, ...] = (
    Action(
        "app.retry",
        "alt+r",
        "do('retry')",
        "retry",
        "Ask again; the answer so far stays, as a branch.",
        show=True,
    ),
    Action(
        "app.continue",
        "alt+g",
        "do('continue')",
        "continue",
        "Go on with a stopped answer; after the start, with the conversation that was cut off.",
        show=True,
    ),
)
"""Anywhere: what is done most with an answer."""

MOVES: tuple[Action, ...] = (
    Action("app.older", "alt+up", "walk(-1)", "turn above", "Select the turn above: edit, retry, copy it there."),
    Action("app.newer", "alt+down", "walk(1)", "turn below", "Select the turn below; after the last one, the prompt."),
    Action(
        "app.edit", "alt+i", "do('edit')", "edit", "Change your message and ask it; the old one stays, as a branch."
    ),
    Action(
        "app.answer", "alt+a", "do('answer')", "edit answer", "Change the answer; ending it in … lets the model go on."
    ),
    Action("app.previous", "alt+comma", "do('previous')", "branch before", "Show the branch before this one."),
    Action("app.next", "alt+full_stop", "do('next')", "next branch", "Show the branch after this one."),
    Action("app.fork", "alt+n", "do('fork')", "fork", "Go on in a new conversation that begins like this one."),
    Action("app.shorten", "alt+h", "do('shorten')", "shorten", "Go on in a new conversation without the oldest turns."),
    Action("app.copy", "alt+c", "do('copy')", "copy", "Copy the answer as it was written.", show=True),
    Action("app.copy-code", "alt+y", "do('code')", "copy code", "Copy the answer's last block of code."),
    Action(
        "app.sessions",
        "alt+s,ctrl+t",
        "sessions",
        "conversations",
        "Find, open, rename, delete and export conversations.",
    ),
)
"""Anywhere: for the selected turn, else for the last one."""

CHAT: tuple[Action, ...] = (
    Action("chat.up", "up", "step(-1)", "up", "Read upwards: a few lines, then the turn above.", palette=False),
    Action("chat.down", "down", "step(1)", "down", "Read downwards: a few lines, then the turn below.", palette=False),
    Action("chat.edit", "e", "do('edit')", "edit", "Change this message and ask it.", show=True, palette=False),
    Action("chat.retry", "r", "do('retry')", "retry", "Ask this message again.", show=True, palette=False),
    Action("chat.continue", "c", "do('continue')", "continue", "Go on with this answer.", show=True, palette=False),
    Action("chat.answer", "a", "do('answer')", "edit answer", "Change this answer.", show=True, palette=False),
    Action("chat.previous", "left", "do('previous')", "answer before", "Show the other answer before.", palette=False),
    Action("chat.next", "right", "do('next')", "next answer", "Show the other answer after this one.", palette=False),
    Action(
        "chat.earlier",
        "left_square_bracket",
        "do('earlier')",
        "message before",
        "Show the message as it was before.",
        palette=False,
    ),
    Action(
        "chat.later",
        "right_square_bracket",
        "do('later')",
        "next message",
        "Show the message as it was changed.",
        palette=False,
    ),
    Action("chat.fork", "f", "do('fork')", "fork", "Go on from here in a new conversation.", show=True, palette=False),
    Action("chat.copy", "y", "do('copy')", "copy", "Copy this answer.", show=True, palette=False),
    Action("chat.code", "Y", "do('code')", "copy code", "Copy this answer's last block of code.", palette=False),
    Action("chat.thinking", "t", "do('thinking')", "thinking", "Open or close this answer's thinking.", palette=False),
)
"""What works on the selected turn."""

SESSIONS: tuple[Action, ...] = (
    Action("sessions.back", "escape,ctrl+c", "leave", "back", "Back to the conversation as it is.", palette=False),
    Action("sessions.below", "down", "move(1)", "below", "Mark the one below.", priority=True, palette=False),
    Action("sessions.above", "up", "move(-1)", "above", "Mark the one above.", priority=True, palette=False),
    Action("sessions.words", "tab,slash", "words", "search", "From the list to the words, and back.", palette=False),
    Action("sessions.rename", "r,alt+r", "rename", "rename", "Give it another title.", palette=False),
    Action("sessions.delete", "d,alt+d", "delete", "delete", "Delete it; it can be brought back.", palette=False),
    Action("sessions.undo", "u,alt+u", "undo", "undo", "Bring back what was deleted last.", palette=False),
    Action("sessions.export", "e,alt+e", "export", "export", "Write it to a Markdown file.", palette=False),
)
"""What works in the list of conversations; Enter opens one. The letters act where the list has the focus."""
