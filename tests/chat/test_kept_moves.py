"""After any moves about in a conversation, what is on the disk is the conversation: nodes, branches and ids."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gptoss_tui.chat.moves import Send
from gptoss_tui.chat.session import Session
from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import PromptError
from gptoss_tui.harmony import Harmony
from tests.chat.sessions import session_on
from tests.chat.store.archives import parts
from tests.chat.test_exact import draw_move


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_sequence_of_moves_is_kept(data: st.DataObject, talker: Engine, harmony: Harmony) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        session = session_on(talker, harmony, journal=store)
        for _ in range(data.draw(st.integers(1, 7), "moves")):
            move = data.draw(st.composite(draw_move)(session), "move")
            session.params = SamplingParams(seed=data.draw(st.integers(0, 50), "seed"))
            session.max_tokens = data.draw(st.sampled_from([1, 2, 5, 16, None]), "tokens")
            try:
                turn = session.make(move)
            except PromptError:
                continue
            for _ in turn or ():
                pass
        session.close()
        assert store.close(30)
        kept = Library(Path(folder)).get(session.conversation.id)
        assert parts(kept) == parts(Archive(session.conversation, session.tree))
        again = session_on(talker, harmony, conversation=kept.conversation, tree=kept.tree)
        assert again.plan(Send("And?")).ids == session.plan(Send("And?")).ids
        assert_forks_are_kept(Path(folder), session)


def assert_forks_are_kept(folder: Path, session: Session) -> None:
    """Where the last conversation is a fork, the one it came from is there as well."""
    library, origin = Library(folder), session.conversation.origin
    while origin is not None:
        before = library.get(origin)
        assert before.tree.head is not None
        origin = before.conversation.origin
