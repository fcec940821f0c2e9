"""A store that several machines share. It combines this machine's store with any address that fsspec supports (a folder, s3://, gs://, ...).

At the address, an entry is one archive ``<address>/<kind>/<key>/<SHA-256 of the archive>.zip``. The name shows whether the archive is
complete: an archive that is still being written, or was cut off, does not match its name and is ignored. So the file system needs neither
renames nor locks. A process only replaces archives that it wrote or fetched itself.
"""

import hashlib
import io
import logging
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec

from robustprune.base import logs, partials
from robustprune.base.errors import StoreError
from robustprune.base.store import DOCUMENT, Entry, Store

log = logging.getLogger(__name__)
# A remote file system may raise OSError or error classes of its own. Each of them means that the shared store cannot be used.
FAULTS = Exception


class SharedStore(Store):
    """This machine's store, together with a shared store. Missing entries are fetched from there, and new entries are also written there."""

    def __init__(self, root: Path, shipped: Path, address: str) -> None:
        super().__init__(root, shipped)
        self._address = address
        self._ours: dict[tuple[str, str], set[str]] = {}  # archives that this process wrote or fetched; its next archive replaces them
        try:
            self._fs, self._base = fsspec.core.url_to_fs(address)
        except (ValueError, ImportError) as error:
            raise StoreError("base.shared_store_cannot_be_opened", address=address, why=error) from error

    def get(self, kind: str, key: str) -> Entry | None:
        """Like :meth:`Store.get`, but fetches an entry that is not on this machine from the shared store."""
        found = super().get(kind, key)
        if found is None and self._pull(kind, key):
            return super().get(kind, key)
        if found is not None and not found.shipped and (kind, key) not in self._ours:
            self._make_up_for(kind, found)
        return found

    def entries(self, kind: str) -> Iterator[Entry]:
        """Like :meth:`Store.entries`, but first fetches all shared entries of the kind."""
        self._pull_all(kind)
        return super().entries(kind)

    def stamps(self, kind: str) -> Iterator[tuple[Path, str]]:
        """Like :meth:`Store.stamps`, but first fetches all shared entries of the kind."""
        self._pull_all(kind)
        return super().stamps(kind)

    def put(self, kind: str, key: str, document: dict[str, Any], fill: Callable[[Path], None] | None = None) -> Entry:
        """Like :meth:`Store.put`, but writes the entry both on this machine and to the shared store."""
        entry = super().put(kind, key, document, fill)
        self._share(kind, key, entry)
        return entry

    def _make_up_for(self, kind: str, entry: Entry) -> None:
        """Writes an entry of this machine to the shared store if it is missing there, because it could not be written when it was made.

        An error of the shared store only gives a warning in the log, since the caller only wants to read the entry.
        """
        try:
            if self._list(f"{self._base}/{kind}/{entry.key}"):
                self._ours[kind, entry.key] = set()
            else:
                self._share(kind, entry.key, entry)
        except StoreError as error:
            with logs.about(entry.key):
                log.warning("The entry %s is not in the shared store, and cannot be put there now: %s", entry.key, error)

    def _share(self, kind: str, key: str, entry: Entry) -> None:
        """Writes the entry to the shared store and removes the archives of it that this process wrote before. Raises StoreError."""
        folder = f"{self._base}/{kind}/{key}"
        try:
            packed = _pack(entry.folder)
            name = f"{hashlib.sha256(packed).hexdigest()}.zip"
            self._fs.makedirs(folder, exist_ok=True)
            self._fs.pipe_file(f"{folder}/{name}", packed)
            for old in self._ours.get((kind, key), set()) - {name}:
                self._remove(f"{folder}/{old}")
        except FAULTS as error:
            raise StoreError("base.shared_store_cannot_be_written", address=self._address, why=error or type(error).__name__) from error
        self._ours[kind, key] = {name}

    def _remove(self, path: str) -> None:
        """Removes an archive; another process may have removed it already."""
        try:
            self._fs.rm_file(path)
        except FileNotFoundError:
            log.info("The older archive %s was gone already.", path)

    def _pull_all(self, kind: str) -> None:
        for key in (Path(path).name for path in self._list(f"{self._base}/{kind}")):
            if not (self._root / kind / key / DOCUMENT).is_file():
                self._pull(kind, key)

    def _list(self, folder: str) -> list[str]:
        """The paths in a folder of the shared store, read without a cache. The list is empty if there is no such folder."""
        try:
            self._fs.invalidate_cache(folder)
            return sorted(self._fs.ls(folder, detail=False))
        except FileNotFoundError:
            return []
        except FAULTS as error:
            raise StoreError("base.shared_store_cannot_be_read", address=self._address, why=error or type(error).__name__) from error

    def _pull(self, kind: str, key: str) -> bool:
        """Fetches an entry. True if the shared store has a complete archive of it."""
        for path in self._list(f"{self._base}/{kind}/{key}"):
            try:
                packed = self._fs.cat_file(path)
            except FileNotFoundError:  # another process has replaced the archive since it was listed
                continue
            except FAULTS as error:
                raise StoreError("base.shared_store_failed", address=self._address, why=error or type(error).__name__) from error
            if Path(path).stem == hashlib.sha256(packed).hexdigest():
                self._adopt(kind, key, packed)
                self._ours.setdefault((kind, key), set()).add(Path(path).name)
                return True
            log.warning("The archive %s in the shared store is not whole and is not used.", path)
        return False

    def _adopt(self, kind: str, key: str, packed: bytes) -> None:
        """Puts a fetched entry into this machine's store, completely or not at all."""
        final = self._root / kind / key
        try:
            with partials.beside(final) as partial:
                with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                    archive.extractall(partial)
                with self._locked(final):
                    partials.put(partial, final)
        except (OSError, zipfile.BadZipFile) as error:
            raise self._cannot_write(error) from error


def _pack(folder: Path) -> bytes:
    """Packs the folder of an entry into an archive. The same files always give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return buffer.getvalue()
