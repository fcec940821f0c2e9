"""Which program a worker runs: machines that share a sweep must compute alike."""

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
# What changes numbers, besides our own code.
LIBRARIES = ("torch", "transformers", "textattack")
REFUSED = "The worker runs another version of this program."


@cache
def code() -> str:
    """SHA-256, shortened, of the program's own files that results depend on: all but pages and command line."""
    whole = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent.name not in ("ui", "cli", "bench"):
            whole.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


def describe() -> dict[str, str]:
    """The versions that must be the same on all machines."""
    return {
        "robustprune's code": code(),
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def on_worker(kind: str, key: str) -> dict[str, Any]:
    """What a worker tells of itself: its versions, where its store lies, and whether that holds the entry."""
    from robustprune import loading, paths

    return {"versions": describe(), "store": paths.shared_store() or str(paths.home()), "sees": loading.store().get(kind, key) is not None}
