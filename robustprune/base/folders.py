"""Folders that people name to export to: filled whole or not at all."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from robustprune.base import partials
from robustprune.base.errors import ModelError, StoreError

T = TypeVar("T")


def check_is_free(out: Path) -> None:
    """Raises ModelError unless ``out`` is a new or an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ModelError("base.folder_not_empty", path=out)


def copy_whole(source: Path, out: Path) -> Path:
    """Copies a folder to ``out``, whole or not at all. Raises ModelError if ``out`` is not free."""
    write_whole(out, lambda partial: shutil.copytree(source, partial, dirs_exist_ok=True))
    return out


def write_whole(out: Path, write: Callable[[Path], T]) -> T:
    """Lets ``write`` fill a folder beside ``out`` and moves it there by one rename; gives back what ``write`` did.

    Raises ModelError if ``out`` is not free.
    """
    out = out.resolve()
    check_is_free(out)
    return _write(out, write)


@contextmanager
def file_written_whole(out: Path) -> Iterator[Path]:
    """A file beside ``out`` to write to, which takes its place when the block ends well. Raises StoreError if it cannot be written."""
    try:
        with partials.file(out) as partial:
            yield partial
    except OSError as error:
        raise StoreError("base.file_cannot_be_written", path=out, why=error.strerror or error) from error


def remove(folder: Path) -> None:
    """Removes a folder that was written here."""
    shutil.rmtree(folder, ignore_errors=True)


def check_is_replaceable(out: Path, mark: str) -> None:
    """Raises ModelError unless ``out`` is a new or an empty folder, or one with the file ``mark``, which tells that it was written here."""
    if not (out / mark).is_file():
        check_is_free(out)


def replace_whole(out: Path, mark: str, write: Callable[[Path], T]) -> T:
    """As :func:`write_whole`; a folder with the file ``mark`` that is there already gives way once the new one is whole."""
    out = out.resolve()  # a link stays, and what it points to is replaced
    check_is_replaceable(out, mark)
    return _write(out, write)


def _write(out: Path, write: Callable[[Path], T]) -> T:
    with partials.beside(out) as partial:
        (partial / out.name).mkdir()  # the partial itself is for its owner alone; what is exported has the rights that people's folders have
        result = write(partial / out.name)
        partials.put(partial / out.name, out)
    return result
