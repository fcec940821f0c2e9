"""Writes the folders and files that users name as export targets. Each is written completely or not at all."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from robustprune.base import partials
from robustprune.base.errors import ModelError, StoreError

T = TypeVar("T")


def check_is_free(out: Path) -> None:
    """Raises ModelError unless ``out`` does not exist or is an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ModelError("base.folder_not_empty", path=out)


def copy_whole(source: Path, out: Path) -> Path:
    """Copies the folder ``source`` to ``out``, completely or not at all. Raises ModelError if :func:`check_is_free` does."""
    write_whole(out, lambda partial: shutil.copytree(source, partial, dirs_exist_ok=True))
    return out


def write_whole(out: Path, write: Callable[[Path], T]) -> T:
    """Calls ``write`` on a new folder beside ``out`` and then moves that folder to ``out`` by one rename. Returns the result of ``write``.

    Raises ModelError unless ``out`` does not exist or is an empty folder.
    """
    out = out.resolve()
    check_is_free(out)
    return _write(out, write)


@contextmanager
def file_written_whole(out: Path) -> Iterator[Path]:
    """Yields a path beside ``out`` to write to. The file there replaces ``out`` when the block ends without an error.

    Raises StoreError if the file cannot be written.
    """
    try:
        with partials.file(out) as partial:
            yield partial
    except OSError as error:
        raise StoreError("base.file_cannot_be_written", path=out, why=error.strerror or error) from error


def remove(folder: Path) -> None:
    """Removes a folder and all that it contains. Ignores errors."""
    shutil.rmtree(folder, ignore_errors=True)


def check_is_replaceable(out: Path, mark: str) -> None:
    """Raises ModelError unless ``out`` is a new or an empty folder, or holds the file ``mark``, which shows that this program wrote it."""
    if not (out / mark).is_file():
        check_is_free(out)


def replace_whole(out: Path, mark: str, write: Callable[[Path], T]) -> T:
    """Like :func:`write_whole`, but replaces an existing folder if it holds the file ``mark``, once the new folder is complete."""
    out = out.resolve()  # if ``out`` is a symbolic link, the link stays and its target is replaced
    check_is_replaceable(out, mark)
    return _write(out, write)


def _write(out: Path, write: Callable[[Path], T]) -> T:
    with partials.beside(out) as partial:
        (partial / out.name).mkdir()  # mkdtemp makes the partial private to its owner; the export gets the usual permissions
        result = write(partial / out.name)
        partials.put(partial / out.name, out)
    return result
