"""The store of finished work on disk. Each entry is one folder, which is written completely or not at all and is checked when read.

The folder ``<kind>/<key>/`` of an entry holds ``entry.json``, a JSON document with the SHA-256 of every other file of the entry. Entries
that ship with the project are read from a second, read-only root. A damaged entry is set aside with a warning in the log, and from then
on counts as absent.
"""

import errno
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import zict
from filelock import FileLock, Timeout

from robustprune.base import hashing, logs, partials
from robustprune.base.errors import RobustPruneError, StoreError

FORMAT = 1
LOCK_SECONDS = 30
DOCUMENT = "entry.json"
# The keys that are allowed. A key is never a path, because keys come from links that users open and damaged entries are moved.
KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
# The errors that arise when a document has another structure than expected.
DAMAGED = (ValueError, KeyError, TypeError, AttributeError)
# Twice the size of the shipped documents, counted as JSON. As Python objects the documents take about three times as much memory.
REMEMBERED_BYTES = 32_000_000
log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A stored result.

    Attributes:
        key: the key of the entry, which is also the name of its folder.
        document: its JSON document.
        files: the SHA-256 of each other file, by the file's path within the folder.
        folder: the folder of the entry.
        shipped: whether the entry ships with the project.
    """

    key: str
    document: dict[str, Any]
    files: dict[str, str]
    folder: Path
    shipped: bool


def understood(entry: Entry | None, build: Callable[[Entry], T]) -> T | None:
    """Returns ``build(entry)``, or None if there is no entry.

    An entry that another version of this program wrote also gives None, and the log gets a warning.
    """
    try:
        return build(entry) if entry else None
    except (*DAMAGED, RobustPruneError) as error:
        with logs.about(entry.key):
            log.warning("The stored entry %s is of another version of this program (%s) and is not used.", entry.key, error)
        return None


def _changed(entry: Entry) -> list[str]:
    """The names of the files whose SHA-256 differs from the one in the entry. A missing file of a shipped entry does not count as changed."""
    return [name for name, expected in entry.files.items() if not _is(entry.folder / name, expected, entry.shipped)]


def _is(path: Path, expected: str, shipped: bool) -> bool:
    try:
        return hashing.of_file(path) == expected
    except FileNotFoundError:
        return shipped


def _disk_is_full(error: Exception) -> bool:
    """True if the error says that the disk is full. Some libraries, such as safetensors, report this with an error class of their own."""
    return f"os error {errno.ENOSPC}" in str(error) or os.strerror(errno.ENOSPC) in str(error)


def _memory(most_bytes: int) -> zict.LRU:
    """A cache of the most recently used documents, by path, size and modification time. Its documents have at most ``most_bytes`` bytes in total."""
    return zict.LRU(most_bytes, {}, weight=lambda stamp, body: stamp[1])


_remembered = _memory(REMEMBERED_BYTES)


def _read_body(path: Path, size: int, changed: int) -> dict[str, Any]:
    """The checked document in a file. It comes from the cache unless the file has changed. Callers must not modify it."""
    stamp = (path, size, changed)
    body = _remembered.get(stamp)
    if body is None:
        body = _remembered[stamp] = _read_afresh(*stamp)
    return body


def _read_afresh(path: Path, size: int, changed: int) -> dict[str, Any]:
    """Reads a document from the disk and compares it with its hash. Raises ValueError if they differ."""
    body = json.loads(path.read_text(encoding="utf-8"))
    expected = body.pop("sha256")
    if hashing.of_json(body) != expected:
        raise ValueError("its document was changed")
    return body


def _entry(folder: Path, shipped: bool, read_body: Callable[..., dict[str, Any]]) -> Entry:
    """The entry in a folder. Raises OSError if it cannot be read, and one of the errors in ``DAMAGED`` if it is damaged."""
    path = folder / DOCUMENT
    stat = path.stat()
    body = read_body(path, stat.st_size, stat.st_mtime_ns)
    if body["format"] != FORMAT or body["key"] != folder.name or body["kind"] != folder.parent.name:
        raise ValueError("it is of another version or another key")
    files = body["files"]
    if missing := [name for name in files if not shipped and not (folder / name).is_file()]:
        raise ValueError(f"{missing[0]} is missing")
    return Entry(folder.name, body["document"], files, folder, shipped)


@lru_cache(maxsize=64)
def _tidy(root: Path) -> None:
    """Removes the half-written folders of killed processes, and moves back what they had moved aside. Runs once per process and root."""
    for kind in (path for path in root.glob("[!.]*") if path.is_dir()):
        partials.tidy(kind)


class Store:
    """A store of entries by kind and key. Several processes can use it at once, because an entry appears by one rename."""

    def __init__(self, root: Path, shipped: Path) -> None:
        self._root, self._shipped = root, shipped
        _tidy(root)

    def get(self, kind: str, key: str) -> Entry | None:
        """The entry of that key on this machine, else the shipped one. None if there is no entry, it is damaged, or the key is not allowed."""
        if not KEY.fullmatch(key):
            return None
        return self._read(self._root / kind / key) or self._read(self._shipped / kind / key, shipped=True)

    def get_checked(self, kind: str, key: str) -> Entry | None:
        """Like :meth:`get`, but also compares every file of the entry with its SHA-256. Call it before the files are used."""
        entry = self.get(kind, key)
        changed = _changed(entry) if entry else []
        if not changed:
            return entry
        if entry.shipped:
            with logs.about(key):
                log.warning("The shipped entry %s is damaged (%s was changed) and is not used. Restore it from the repository.", key, changed[0])
            return None
        return self._if_whole_now(entry.folder) or self.get(kind, key)

    def shipped_keys(self, kind: str) -> list[str]:
        """The keys of all shipped entries of a kind, including those that this machine has also made."""
        return sorted(path.name for path in (self._shipped / kind).glob("[!.]*"))

    def shipped_files(self, folder: str, suffix: str) -> list[Path]:
        """The files with that suffix in a shipped folder. These are results that are not entries."""
        return sorted((self._shipped / folder).glob(f"*{suffix}"))

    def entries(self, kind: str) -> Iterator[Entry]:
        """All undamaged entries of a kind, those of this machine first. An entry that ships and was also made on this machine comes once."""
        seen = set()
        for root, shipped in ((self._root, False), (self._shipped, True)):
            for folder in sorted(path for path in (root / kind).glob("[!.]*") if path.is_dir()):  # names with a leading dot are partials
                entry = self._read(folder, shipped)
                if entry and entry.key not in seen:
                    seen.add(entry.key)
                    yield entry

    def stamps(self, kind: str) -> Iterator[tuple[Path, str]]:
        """The folders of all entries of a kind, those of this machine first, each with a stamp that changes whenever the entry changes.

        The entries themselves are not read.
        """
        for root in (self._root, self._shipped):
            for folder in sorted((root / kind).glob("[!.]*")):
                try:
                    stat = (folder / DOCUMENT).stat()
                except OSError:
                    continue
                yield folder, f"{stat.st_size}-{stat.st_mtime_ns}"

    def read(self, folder: Path) -> Entry | None:
        """The entry in one of the folders that :meth:`stamps` gives, or None if it is damaged.

        The document is not cached, because a caller may read thousands of entries once each.
        """
        return self._read(folder, folder.is_relative_to(self._shipped), _read_afresh)

    def put(self, kind: str, key: str, document: dict[str, Any], fill: Callable[[Path], None] | None = None) -> Entry:
        """Stores a document, and the files that ``fill`` writes into the folder it is given. Replaces an existing entry of that key.

        Raises:
            StoreError: the store cannot be written to, or the disk is full. No partial entry is left behind.
        """
        final = self._root / kind / key
        document = json.loads(json.dumps(document))  # hash the form that will be read back (tuples become lists, for example)
        try:
            with partials.beside(final) as partial:
                if fill:
                    fill(partial)
                files = {str(path.relative_to(partial)): hashing.of_file(path) for path in sorted(partial.rglob("*")) if path.is_file()}
                body = {"format": FORMAT, "kind": kind, "key": key, "files": files, "document": document}
                body["sha256"] = hashing.of_json(body)
                with open(partial / DOCUMENT, "w", encoding="utf-8") as file:
                    json.dump(body, file, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                with self._locked(final):
                    partials.put(partial, final)
        except OSError as error:
            raise self._cannot_write(error) from error
        except Exception as error:
            if not _disk_is_full(error):
                raise
            raise self._cannot_write(error) from error
        return Entry(key, document, files, final, shipped=False)

    def set_aside(self, entry_folder: Path, why: str) -> None:
        """Moves a damaged entry into the folder ``damaged`` of the store and logs a warning."""
        target = self._root / "damaged" / f"{entry_folder.parent.name}-{entry_folder.name}-{time.time_ns()}"
        with logs.about(entry_folder.name):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                entry_folder.rename(target)
            except OSError as error:
                log.warning("The stored entry %s is damaged (%s) and cannot be moved: %s. It is not used.", entry_folder, why, error.strerror)
                return
            log.warning("The stored entry %s is damaged (%s). It was set aside as %s and is computed anew when needed.", entry_folder.name, why, target.name)

    def _read(self, folder: Path, shipped: bool = False, read_body: Callable[..., dict[str, Any]] = _read_body) -> Entry | None:
        try:
            return _entry(folder, shipped, read_body)
        except (FileNotFoundError, NotADirectoryError):
            return self._if_whole_now(folder) if folder.is_dir() and not shipped else None
        except DAMAGED as error:
            if not shipped:
                return self._if_whole_now(folder)
            with logs.about(folder.name):
                log.warning("The shipped entry %s is damaged (%s) and is not used. Restore it from the repository.", folder.name, error)
        except OSError as error:
            log.warning("The stored entry %s cannot be read: %s.", folder, error.strerror)
        return None

    def _if_whole_now(self, folder: Path) -> Entry | None:
        """Reads and checks a seemingly damaged entry again, under its lock, because another process may have replaced it in the meantime.

        Returns the entry if it is undamaged now. Otherwise sets it aside and returns None.
        """
        try:
            with self._locked(folder):
                try:
                    entry = _entry(folder, False, _read_afresh)
                    why = f"{changed[0]} was changed" if (changed := _changed(entry)) else ""
                except FileNotFoundError:
                    if not folder.is_dir():
                        return None
                    why = f"it has no {DOCUMENT}"
                except DAMAGED as error:
                    why = str(error)
                if not why:
                    return entry
                self.set_aside(folder, why)
        except (OSError, StoreError) as error:
            log.warning("The stored entry %s is damaged and cannot be moved: %s. It is not used.", folder, error)
        return None

    @staticmethod
    @contextmanager
    def _locked(final: Path) -> Iterator[None]:
        """While the block runs, other processes of this machine cannot lock the same entry."""
        try:
            with FileLock(final.with_name(f".{final.name}.lock"), timeout=LOCK_SECONDS):
                yield
        except Timeout as error:
            raise StoreError("base.entry_locked", entry=final.name, seconds=LOCK_SECONDS) from error

    def _cannot_write(self, error: Exception) -> StoreError:
        why = getattr(error, "strerror", None) or error
        return StoreError("base.store_cannot_be_written", path=self._root, why=why)
