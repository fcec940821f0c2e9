"""SHA-256 of files and of plain values: the identity of weights, texts and specs."""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any


def of_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes. The result is cached until the file's size or modification time changes."""
    stat = path.stat()
    return _of_file(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _of_file(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_json(value: Any) -> str:
    """Hex SHA-256 of a JSON value. The order of the keys does not matter."""
    return of_bytes(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def of_bytes(data: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def of_parts(parts: Iterable[str]) -> str:
    """Hex SHA-256 of a sequence of strings. The borders between the strings count, so ``ab, c`` and ``a, bc`` differ."""
    return of_json(list(parts))


def digest(kind: str, *parts: Any) -> str:
    """The key that names a store entry, its folder and its job: the first 16 hex digits of a SHA-256.

    Args:
        kind: the kind of the entry.
        parts: JSON values that identify it, such as the spec and the digests of the model and the texts that the spec resolved to.
    """
    return of_json([kind, *parts])[:16]
