"""Which program a worker runs: machines that share a sweep must compute alike."""

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
# Rooms that no result depends on.
LEFT_OUT = ("ui", "cli", "bench")
# What changes numbers, besides our own code.
LIBRARIES = ("torch", "transformers", "textattack")
REFUSED = "The worker runs another version of this program."


@cache
def code() -> str:
    """SHA-256, shortened, of the program's own files that results depend on: all but pages, command line and benchmarks."""
    whole = hashlib.sha256()
    for path in counted_files():
        whole.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


def counted_files() -> list[Path]:
    """The program's files that results depend on. Raises FileNotFoundError if a room that is left out is not there: it was renamed."""
    if gone := [room for room in LEFT_OUT if not (PACKAGE / room).is_dir()]:
        raise FileNotFoundError(f"there is no room {gone[0]!r} in {PACKAGE}")
    return sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in LEFT_OUT)


def describe() -> dict[str, str]:
    """The versions that must be the same on all machines."""
    return {
        "robustprune's code": code(),
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def on_worker(kind: str, key: str) -> dict[str, Any]:
    """What a worker tells of itself: its versions, where its store lies, and whether that holds the entry."""
    from robustprune.base import paths, stores

    return {"versions": describe(), "store": paths.shared_store() or str(paths.home()), "sees": stores.store().get(kind, key) is not None}
