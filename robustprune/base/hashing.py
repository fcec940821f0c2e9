"""SHA-256 of files and of plain values: the identity of weights, texts and specs."""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any


def of_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes. Remembered for as long as the file's size and time of change stay the same."""
    stat = path.stat()
    return _of_file(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _of_file(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_json(value: Any) -> str:
    """Hex SHA-256 of a JSON value, whatever the order of its keys."""
    return of_bytes(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def of_bytes(data: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def of_parts(parts: Iterable[str]) -> str:
    """Hex SHA-256 of several strings, kept apart from each other."""
    return of_json(list(parts))


def digest(kind: str, *parts: Any) -> str:
    """The key of cache, job and folder: SHA-256 over what was asked for and what it resolved to, 16 hex digits."""
    return of_json([kind, *parts])[:16]
