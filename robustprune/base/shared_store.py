"""A store that several machines share: this machine's own, and behind it any address that fsspec knows (a folder, s3://, gs://, ...).

An entry is one archive ``<address>/<kind>/<key>/<SHA-256 of the archive>.zip``. Its name says whether it is whole, so no file system
needs to be able to rename or to lock: one that is still being written, or was cut off, is no entry yet. Writers never touch each other's.
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
# What a file system of somebody else's may raise: OSError and the like, but also its own kinds; each means that it cannot be reached.
FAULTS = Exception


class SharedStore(Store):
    """This machine's store, filled from a shared one, to which all that is stored here goes too."""

    def __init__(self, root: Path, shipped: Path, address: str) -> None:
        super().__init__(root, shipped)
        self._address = address
        self._ours: dict[tuple[str, str], set[str]] = {}  # archives that this process wrote or took: a newer one of ours replaces them
        try:
            self._fs, self._base = fsspec.core.url_to_fs(address)
        except (ValueError, ImportError) as error:
            raise StoreError("base.shared_store_cannot_be_opened", address=address, why=error) from error

    def get(self, kind: str, key: str) -> Entry | None:
        """As :meth:`Store.get`; what is not here is fetched."""
        found = super().get(kind, key)
        if found is None and self._pull(kind, key):
            return super().get(kind, key)
        if found is not None and not found.shipped and (kind, key) not in self._ours:
            self._make_up_for(kind, found)
        return found

    def entries(self, kind: str) -> Iterator[Entry]:
        """As :meth:`Store.entries`, after all that is shared was fetched."""
        self._pull_all(kind)
        return super().entries(kind)

    def stamps(self, kind: str) -> Iterator[tuple[Path, str]]:
        """As :meth:`Store.stamps`, after all that is shared was fetched."""
        self._pull_all(kind)
        return super().stamps(kind)

    def put(self, kind: str, key: str, document: dict[str, Any], fill: Callable[[Path], None] | None = None) -> Entry:
        """As :meth:`Store.put`, here and in the shared store."""
        entry = super().put(kind, key, document, fill)
        self._share(kind, key, entry)
        return entry

    def _make_up_for(self, kind: str, entry: Entry) -> None:
        """Shares what could not be shared when it was made. Who only wants to read it is not kept from that, whatever the shared store does."""
        try:
            if self._list(f"{self._base}/{kind}/{entry.key}"):
                self._ours[kind, entry.key] = set()
            else:
                self._share(kind, entry.key, entry)
        except StoreError as error:
            with logs.about(entry.key):
                log.warning("The entry %s is not in the shared store, and cannot be put there now: %s", entry.key, error)

    def _share(self, kind: str, key: str, entry: Entry) -> None:
        packed = _pack(entry.folder)
        name = f"{hashlib.sha256(packed).hexdigest()}.zip"
        folder = f"{self._base}/{kind}/{key}"
        try:
            self._fs.makedirs(folder, exist_ok=True)
            self._fs.pipe_file(f"{folder}/{name}", packed)
            for old in self._ours.get((kind, key), set()) - {name}:
                self._fs.rm_file(f"{folder}/{old}")
        except FileNotFoundError:
            log.info("An older archive of %s was gone already.", key)
        except FAULTS as error:
            raise StoreError("base.shared_store_cannot_be_written", address=self._address, why=error or type(error).__name__) from error
        self._ours[kind, key] = {name}

    def _pull_all(self, kind: str) -> None:
        for key in (Path(path).name for path in self._list(f"{self._base}/{kind}")):
            if not (self._root / kind / key / DOCUMENT).is_file():
                self._pull(kind, key)

    def _list(self, folder: str) -> list[str]:
        """What lies in a folder of the shared store, read afresh; nothing where there is no such folder."""
        try:
            self._fs.invalidate_cache(folder)
            return sorted(self._fs.ls(folder, detail=False))
        except FileNotFoundError:
            return []
        except FAULTS as error:
            raise StoreError("base.shared_store_cannot_be_read", address=self._address, why=error or type(error).__name__) from error

    def _pull(self, kind: str, key: str) -> bool:
        """Fetches an entry; whether there was a whole one."""
        for path in self._list(f"{self._base}/{kind}/{key}"):
            try:
                packed = self._fs.cat_file(path)
            except FileNotFoundError:  # replaced in between
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
        """Puts a fetched entry into this machine's store, whole or not at all."""
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
    """An entry's folder as an archive: the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return buffer.getvalue()
