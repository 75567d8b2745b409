"""tokenizer.json to tokens: reads a byte-level BPE vocabulary with harmony's tokens, encodes text, names tokens.

A `tokenizer.json` (the layout of Hugging Face's fast tokenizers) holds all that tiktoken needs, where a token's id is
its rank among the merges. No network, no transformers. Knows no messages: what the special tokens are for is `render`'s
and `parse`'s business.
"""

from __future__ import annotations

import gc
import hashlib
import json
import re
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from operator import itemgetter
from pathlib import Path

import tiktoken

from gptoss_tui.errors import VocabularyError

FORMATTING = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>")
"""The special tokens that harmony cannot do without."""

# What a byte-level pre-tokenizer splits at where the file names no pattern of its own: GPT-2's.
_GPT2_SPLIT = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# The pattern backtracks through runs of white space, and tiktoken aborts once it does so a million times.
_LONG_RUN = 200_000
_LONG_WHITESPACE = re.compile(rf"\s{{{_LONG_RUN}}}")


class Vocabulary:
    """The tokens of one checkpoint. Immutable; may be used from several threads."""

    __slots__ = ("_digest", "_encoding", "_names", "_ranks", "_split", "size", "special")

    def __init__(self, ranks: dict[bytes, int], special: dict[str, int], split: str, name: str = "") -> None:
        """`ranks`: id of each ordinary token; `special`: id of each special one; `split`: cuts text into words.

        Raises `VocabularyError` where a formatting token of harmony is missing, or where these make no encoding.
        """
        missing = [token for token in FORMATTING if token not in special]
        if missing:
            raise VocabularyError(
                f"The vocabulary lacks harmony's special tokens: {', '.join(missing)}",
                "gptoss talks to gpt-oss models only; choose a checkpoint of one, with its own tokenizer.json.",
            )
        try:
            self._encoding = tiktoken.Encoding(name, pat_str=split, mergeable_ranks=ranks, special_tokens=special)
        except ValueError as error:
            raise VocabularyError(f"The vocabulary makes no encoding: {error}", _FRESH_COPY) from error
        self._ranks, self._split = ranks, split
        self._digest = ""
        self.special = special
        """Id of each special token, by name."""
        self._names = {token_id: token for token, token_id in special.items()}
        self.size = self._encoding.n_vocab
        """One more than the highest id that has a token. A model's own table may be longer."""

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that two vocabularies share only where every token has the same id in both.

        Ids that were kept are good for the vocabulary of the digest that was kept with them.
        """
        if not self._digest:
            # A few big buffers in place of a loop over 200,000 tokens: some tens of milliseconds, once.
            of_id = sorted(self._ranks.items(), key=itemgetter(1))
            tokens = [token for token, _ in of_id]
            digest = hashlib.blake2b(b"".join(tokens), digest_size=16)
            digest.update(array("I", map(len, tokens)).tobytes())
            digest.update(array("I", (i for _, i in of_id)).tobytes())
            digest.update(json.dumps([sorted(self.special.items()), self._split]).encode())
            self._digest = digest.hexdigest()
        return self._digest

    def encode(self, text: str) -> list[int]:
        """The ids of `text` as ordinary text: a special token that is spelled out is only its letters.

        Lone surrogates, which no UTF-8 can hold, count as U+FFFD.
        """
        if len(text) < _LONG_RUN:
            return self._encoding.encode_ordinary(text)
        cuts = [0, *(run.end() for run in _LONG_WHITESPACE.finditer(text)), len(text)]
        return [i for a, b in pairwise(cuts) for i in self._encoding.encode_ordinary(text[a:b])]

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for: its name where it is special, `<|reserved_ID|>` where it is unassigned.

        Never raises: a model's output has more places than a vocabulary has tokens, and any may be sampled.
        """
        try:
            return self._encoding.decode_single_token_bytes(token_id)
        except (KeyError, OverflowError):
            return f"<|reserved_{token_id}|>".encode()

    def is_special(self, token_id: int) -> bool:
        """True for a special token and for an unassigned id: whatever no text encodes to."""
        if token_id in self._names:
            return True
        try:
            self._encoding.decode_single_token_bytes(token_id)
        except (KeyError, OverflowError):
            return True
        return False

    def piece(self, token_id: int) -> str:
        r"""The token for people: special ones by name, bytes that are no whole character as `\xNN`."""
        return self.token_bytes(token_id).decode("utf-8", "backslashreplace")


def load_vocabulary(folder: Path | str) -> Vocabulary:
    """Reads `folder`/tokenizer.json. Raises `VocabularyError` with what is wrong with it and what to do."""
    file = Path(folder) / "tokenizer.json"
    data = _read(file)
    model = data.get("model")
    if not isinstance(model, dict) or model.get("type") != "BPE" or model.get("byte_fallback"):
        raise _unfit(file, "it holds no byte-level BPE model")
    if data.get("normalizer") is not None:
        raise _unfit(file, "it normalises text before encoding it")
    special = _special_tokens(file, data.get("added_tokens"))
    vocabulary = model.get("vocab")
    if not isinstance(vocabulary, dict):
        raise _unfit(file, "its model has no vocabulary")
    ids = list(vocabulary.values())
    if not all(type(i) is int and i >= 0 for i in ids) or len(set(ids)) != len(ids):
        raise _unfit(file, "its ids are not distinct whole numbers")
    _check_order(file, vocabulary, model.get("merges"))
    # Some files list the special tokens among the ordinary ones too.
    ordinary = {token: i for token, i in vocabulary.items() if special.get(token) != i}
    if not set(special.values()).isdisjoint(ordinary.values()):
        raise _unfit(file, "a special token has the id of an ordinary one")
    return Vocabulary(_ranks(file, ordinary), special, _split(file, data.get("pre_tokenizer")), file.parent.name)


_FRESH_COPY = "Put the tokenizer.json that was published with the checkpoint into its folder."


def _unfit(file: Path, why: str) -> VocabularyError:
    return VocabularyError(f"{file} cannot be used: {why}", _FRESH_COPY)


def _read(file: Path) -> dict[str, object]:
    if file.exists() and not file.is_file():  # a pipe would be waited for
        raise _unfit(file, "it is not a regular file")
    try:
        with _collector_paused():
            data: object = json.loads(file.read_bytes().decode("utf-8"))
    except FileNotFoundError as error:
        raise VocabularyError(f"{file} is missing", _FRESH_COPY) from error
    except OSError as error:
        raise VocabularyError(
            f"{file} cannot be read: {error.strerror}", "Check the path and its permissions."
        ) from error
    except (ValueError, RecursionError) as error:
        raise VocabularyError(f"{file} is not JSON: {error}", _FRESH_COPY) from error
    if not isinstance(data, dict):
        raise _unfit(file, "it is not a JSON object")
    return data


@contextmanager
def _collector_paused() -> Iterator[None]:
    # Half a million small lists make the collector run over and over, which doubles the time; none of them is a cycle.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _special_tokens(file: Path, added: object) -> dict[str, int]:
    special: dict[str, int] = {}
    for entry in added if isinstance(added, list) else ():
        name, token_id = (entry.get("content"), entry.get("id")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or type(token_id) is not int or token_id < 0:
            raise _unfit(file, "its added tokens are damaged")
        special[name] = token_id
    if len(set(special.values())) != len(special):
        raise _unfit(file, "two special tokens share an id")
    return special


def _check_order(file: Path, vocabulary: dict[str, int], merges: object) -> None:
    """Merging by id must be merging by rank: the tokens that the merges make, in the merges' order, have rising ids."""
    if not isinstance(merges, list):
        raise _unfit(file, "its model has no merges")
    try:
        # Old files write a pair as one string with a space; a byte-level token has no space in it.
        made = [vocabulary[pair.replace(" ", "") if isinstance(pair, str) else pair[0] + pair[1]] for pair in merges]
    except (KeyError, IndexError, TypeError) as error:
        raise _unfit(file, "a merge makes no token") from error
    if made != sorted(made):
        raise VocabularyError(
            f"{file} cannot be used: its ids are not in the order of its merges",
            "Token ids must be merge ranks, as in OpenAI's files; use the tokenizer.json published with gpt-oss.",
        )


def _ranks(file: Path, ordinary: dict[str, int]) -> dict[bytes, int]:
    """Each token's bytes. Written out they are one letter a byte, so all tokens are translated as one long string."""
    try:
        joined = "".join(ordinary).translate(_BYTE_OF_LETTER).encode("latin-1")
    except UnicodeEncodeError as error:
        raise _unfit(file, "its tokens are not written in the byte-level alphabet") from error
    ends = list(accumulate(map(len, ordinary)))
    ranks = {joined[a:b]: rank for a, b, rank in zip([0, *ends], ends, ordinary.values(), strict=False)}
    if not all(bytes([byte]) in ranks for byte in range(256)):
        raise _unfit(file, "not every byte has a token of its own")
    return ranks


def _byte_of_letter() -> dict[int, int]:
    """GPT-2's alphabet: printable Latin-1 bytes stand for themselves, the others for the letters from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = sorted(set(range(256)) - set(printable))
    # A byte outside the alphabet must not pass as itself: it is sent where Latin-1 cannot follow.
    return dict.fromkeys(others, 0xFFFD) | {256 + i: byte for i, byte in enumerate(others)}


_BYTE_OF_LETTER = _byte_of_letter()


def _split(file: Path, pre_tokenizer: object) -> str:
    """The one pattern that cuts text into words."""
    steps = pre_tokenizer.get("pretokenizers", [pre_tokenizer]) if isinstance(pre_tokenizer, dict) else []
    patterns: list[str] = []
    for step in steps if isinstance(steps, list) else []:
        kind = step.get("type") if isinstance(step, dict) else None
        if kind == "Split":
            pattern = step["pattern"].get("Regex") if isinstance(step.get("pattern"), dict) else None
            # Words are kept as they are found: the matches isolated, or everything else removed.
            if not isinstance(pattern, str) or (step.get("behavior"), bool(step.get("invert"))) not in _KEEPS_MATCHES:
                raise _unfit(file, "it splits text in a way that tiktoken does not know")
            patterns.append(pattern)
        elif kind == "ByteLevel" and not step.get("add_prefix_space"):
            patterns += [_GPT2_SPLIT] if step.get("use_regex", True) else []
        else:
            raise _unfit(file, "its pre-tokenizer is not a byte-level one")
    if len(patterns) != 1:
        raise _unfit(file, f"it names {len(patterns)} patterns to split text at, instead of one")
    return patterns[0]


_KEEPS_MATCHES = {("Isolated", False), ("Removed", True)}
