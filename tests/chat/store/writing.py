"""A process that has conversations kept and tells what it has said, to be killed: `python -m … FOLDER`.

Each token is told on standard output after it was said, with the time; each finished turn once it is on the disk.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.tree import Node, new_id
from gptoss_tui.harmony.messages import Message

TOKENS = 120
"""In each answer; one every few milliseconds."""


def main(folder: Path) -> None:
    store = Store(folder, tell=lambda text: print("told", text, flush=True))
    conversation = Conversation(new_id(), "A talk", date="2026-01-01")
    store.conversation(conversation)
    print("begun", conversation.id, flush=True)
    pause = threading.Event()
    head: str | None = None
    for number in itertools.count():
        prompt = Node(new_id(), head, "user", (Message.user(f"Question {number}"),), created=time.time())
        store.added(conversation.id, prompt)
        answer = Node(new_id(), prompt.id, "assistant", (), vocabulary="v", ending="writing", created=time.time())
        ids: list[int] = []
        store.added(conversation.id, answer, lambda ids=ids: tuple(ids))  # type: ignore[misc]  # this turn's list
        store.moved(conversation.id, answer.id)
        for token in range(TOKENS):
            ids.append(200_000 + token)
            print("token", answer.id, token, time.monotonic(), flush=True)
            pause.wait(0.004)
        answer = replace(answer, messages=(Message.assistant("Done."),), token_ids=tuple(ids), ending="stop")
        store.replaced(conversation.id, answer)
        if store.flush():
            print("finished", answer.id, flush=True)
        head = answer.id


if __name__ == "__main__":
    main(Path(sys.argv[1]))
