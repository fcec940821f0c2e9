"""The version of the program on a worker. All machines that share a sweep must run the same version."""

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
# Packages that no result depends on.
LEFT_OUT = ("ui", "cli", "bench")
# Libraries whose version can change results.
LIBRARIES = ("torch", "transformers", "textattack")
REFUSED = "The worker runs another version of this program."


@cache
def code() -> str:
    """The first 12 hex digits of the SHA-256 of all program files that results depend on: all except pages, command line and benchmarks."""
    whole = hashlib.sha256()
    for path in counted_files():
        whole.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


def counted_files() -> list[Path]:
    """The program's files that results depend on. Raises FileNotFoundError if a package in LEFT_OUT does not exist (it was renamed)."""
    if gone := [room for room in LEFT_OUT if not (PACKAGE / room).is_dir()]:
        raise FileNotFoundError(f"there is no room {gone[0]!r} in {PACKAGE}")
    return sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in LEFT_OUT)


def describe() -> dict[str, str]:
    """The versions that must be equal on all machines."""
    return {
        "robustprune's code": code(),
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def on_worker(kind: str, key: str) -> dict[str, Any]:
    """Runs on a worker. Returns its versions, the place of its store, and whether that store holds the entry."""
    from robustprune.base import paths, stores

    return {"versions": describe(), "store": paths.shared_store() or str(paths.home()), "sees": stores.store().get(kind, key) is not None}
