"""Token ids and texts as SQLite keeps them: ids in as few bytes as the largest needs, texts whatever they hold.

Knows no table.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

LARGEST_ID = 2**32 - 1


def pack(ids: Sequence[int]) -> bytes:
    """Ids from 0 to `LARGEST_ID` as one byte that tells the width, then that many bytes each, the lowest first."""
    if not ids:
        return b""
    wide = array("I", ids)
    if sys.byteorder == "big":
        wide.byteswap()
    data = wide.tobytes()
    width = max(1, (max(ids).bit_length() + 7) // 8)
    packed = bytearray(1 + width * len(ids))
    packed[0] = width
    for byte in range(width):
        packed[1 + byte :: width] = data[byte :: wide.itemsize]
    return bytes(packed)


def unpack(packed: bytes) -> tuple[int, ...]:
    """What `pack` was given. Raises `ValueError` for bytes that it never made."""
    if not packed:
        return ()
    width, length = packed[0], len(packed) - 1
    wide = array("I")
    if not 1 <= width <= wide.itemsize or length % width:
        raise ValueError("these are no packed token ids")
    data = bytearray(length // width * wide.itemsize)
    for byte in range(width):
        data[byte :: wide.itemsize] = packed[1 + byte :: width]
    wide.frombytes(bytes(data))
    if sys.byteorder == "big":
        wide.byteswap()
    return tuple(wide)


def pack_text(text: str) -> str | bytes:
    """The text itself, or bytes where UTF-8 cannot hold it: a terminal may hand over lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def unpack_text(stored: str | bytes) -> str:
    """What `pack_text` was given."""
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogatepass")
