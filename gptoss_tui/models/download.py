"""Downloads a checkpoint into Hugging Face's cache: looked at first, with progress, and whole before it counts.

Everything that moves bytes is huggingface_hub's: shards that are complete are kept when a download is taken up again, a
connection that breaks is resumed where it broke, and HF_HUB_OFFLINE, HF_ENDPOINT and tokens are honoured. What this
adds: that it is a gpt_oss model is known before its weights are fetched, only the files that are needed come, and the
disk has room for them.
"""

from __future__ import annotations

import errno
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.engine.checkpoint import INDEX
from gptoss_tui.engine.config import read_config
from gptoss_tui.errors import CheckpointError, GptOssError
from gptoss_tui.models.apart import apart
from gptoss_tui.models.find import hub_cache
from gptoss_tui.models.inspection import Inspection, inspect

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SMALL = (
    "config.json",
    INDEX,
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "LICENSE",
)
"""What is needed besides the weights; fetched first, so that an interrupted download shows what it lacks."""

SPARE_BYTES = 64 * 2**20
"""Disk that stays free."""

POLL_S = 0.25

STALE_S = 600.0
"""After this long without a byte a partial file belongs to no download that is still alive."""

_PARTIAL = re.compile(r".+\.[0-9a-f]{8}\.incomplete")
_WEIGHTS = re.compile(r"model[\w.-]*\.safetensors")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be fetched."""

    repo: str
    revision: str
    """The commit."""
    sizes: dict[str, int]
    """Bytes of each file that is needed, those already here included."""
    missing_bytes: int
    """Bytes that are not here yet."""

    @property
    def total_bytes(self) -> int:
        """Bytes of all files."""
        return sum(self.sizes.values())


def plan(repo: str) -> Plan:
    """Asks the hub what `repo` (ORG/NAME) holds, and checks that it is a gpt_oss checkpoint and fits on the disk.

    Fetches config.json and nothing else. Raises `GptOssError` where the hub cannot be reached, knows no such model, or
    the disk is too full; `CheckpointError` where it is another kind of model.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise CheckpointError(
            f"{repo} is not a Hugging Face id", "Give ORG/NAME, such as mlx-community/gpt-oss-20b-MXFP4-Q4."
        )
    with _explained(repo):
        info = _api().model_info(repo, files_metadata=True)
    sizes = {
        file.rfilename: file.size or 0
        for file in info.siblings or []
        if file.rfilename in SMALL or _WEIGHTS.fullmatch(file.rfilename)
    }
    if "config.json" not in sizes or not any(map(_WEIGHTS.fullmatch, sizes)) or info.sha is None:
        raise CheckpointError(
            f"{repo} holds no config.json and model*.safetensors",
            "Choose a checkpoint in MLX's or Transformers' format.",
        )
    read_config(_fetch(repo, info.sha, ["config.json"]))  # says so where it is not gpt_oss
    missing = sum(size for name, size in sizes.items() if not _is_here(repo, info.sha, name))
    place = next(path for path in (hub_cache(), *hub_cache().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if missing + SPARE_BYTES > free:
        raise GptOssError(
            f"{repo} takes {missing / 1e9:.1f} GB and {place} has {free / 1e9:.1f} GB free",
            "Make room, or let HF_HUB_CACHE name a folder on another disk.",
        )
    return Plan(repo, info.sha, sizes, missing)


def download(wanted: Plan, on_progress: Callable[[int, int], None] | None = None) -> Inspection:
    """Fetches what is missing and returns the checkpoint, inspected.

    `on_progress(done, total)` is called in bytes, from another thread, a few times a second. Raises `GptOssError` where
    the connection fails; what came before stays and need not come again.
    """
    small = [name for name in wanted.sizes if name in SMALL]
    weights = [name for name in wanted.sizes if name not in SMALL]
    sweep(_blobs(wanted.repo))
    with _watched(wanted, on_progress):
        _fetch(wanted.repo, None, small)
        folder = _fetch(wanted.repo, None, weights)
    found = inspect(folder)
    if found.problems:
        raise CheckpointError(
            f"{wanted.repo} was downloaded and is not in order: {found.problems[0]}",
            f"gptoss inspect {wanted.repo} tells more.",
        )
    return found


def downloaded(repo: str) -> Inspection | None:
    """The checkpoint, where it is in the cache and whole; asks nobody."""
    from huggingface_hub import snapshot_download

    with suppress(OSError, ValueError, CheckpointError):
        found = inspect(
            Path(snapshot_download(repo, cache_dir=hub_cache(), local_files_only=True, allow_patterns=["config.json"]))
        )
        return None if found.problems else found
    return None


def offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids asking."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def sweep(blobs: Path) -> None:
    """Removes what killed downloads have left: partial files under names that huggingface_hub never takes up again."""
    with suppress(OSError):
        for path in blobs.iterdir():
            with suppress(OSError):
                if _PARTIAL.fullmatch(path.name) and time.time() - path.stat().st_mtime > STALE_S:
                    path.unlink()


def _blobs(repo: str) -> Path:
    return hub_cache() / ("models--" + repo.replace("/", "--")) / "blobs"


def _api() -> HfApi:
    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # the caller shows its own
    return HfApi(library_name="gptoss")


def _fetch(repo: str, revision: str | None, names: list[str]) -> Path:
    """The snapshot's folder, with these files in it."""
    from huggingface_hub import snapshot_download

    def work(abandoned: Callable[[], bool]) -> Path:
        return Path(snapshot_download(repo, revision=revision, cache_dir=hub_cache(), allow_patterns=names))

    with _explained(repo):
        return apart(work, "gptoss-fetch")


def _is_here(repo: str, revision: str, name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repo, name, cache_dir=hub_cache(), revision=revision), str)


@contextmanager
def _watched(wanted: Plan, on_progress: Callable[[int, int], None] | None) -> Iterator[None]:
    """Tells how many bytes lie in the cache, complete or not, until the block ends."""
    if on_progress is None:
        yield
        return
    blobs = _blobs(wanted.repo)
    total, ended = wanted.missing_bytes, threading.Event()
    before = _bytes_in(blobs)

    def watch() -> None:
        while not ended.wait(POLL_S):
            on_progress(min(total, max(0, _bytes_in(blobs) - before)), total)

    thread = threading.Thread(target=watch, name="gptoss-pull", daemon=True)
    thread.start()
    try:
        yield
        on_progress(total, total)
    finally:
        ended.set()
        thread.join()


def _bytes_in(folder: Path) -> int:
    total = 0
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):  # gone, because it was complete and took its name
                total += path.stat().st_size
    return total


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Turns what huggingface_hub raises into a fault that says what to do."""
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

    try:
        yield
    except GatedRepoError:
        raise GptOssError(
            f"{repo} asks for consent first", "Accept its terms on huggingface.co, then: hf auth login"
        ) from None
    except RepositoryNotFoundError:
        raise GptOssError(
            f"The hub knows no model called {repo}", "Check the spelling; for a private one, first: hf auth login"
        ) from None
    except OfflineModeIsEnabled:
        raise GptOssError(f"{repo} is not downloaded, since HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE") from None
    except GptOssError:
        raise
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            raise _failed(repo, error) from error
        where = f" {error.filename}" if error.filename else ""
        raise GptOssError(
            f"Downloading {repo} failed: {error.strerror}{where}",
            "Make room or give permission there, or let HF_HUB_CACHE name another folder.",
        ) from error
    except Exception as error:  # its HTTP library, and with it the classes, changes from version to version
        raise _failed(repo, error) from error


def _failed(repo: str, error: Exception) -> GptOssError:
    said = str(error).partition("\n")[0] or type(error).__name__
    return GptOssError(
        f"Downloading {repo} failed: {said}", "Check the connection and run the same command again: what came is kept."
    )
