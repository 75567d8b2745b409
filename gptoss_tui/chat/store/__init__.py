"""Conversations on the disk: one SQLite file for a user, written while the model writes. See docs/sessions.md.

Knows trees and conversations; knows no engine, no session and no front end.
"""

from __future__ import annotations
