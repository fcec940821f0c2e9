"""Folders that people name to export to: filled whole or not at all."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from robustprune.errors import ModelError, StoreError

T = TypeVar("T")


def check_is_free(out: Path) -> None:
    """Raises ModelError unless ``out`` is a new or an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ModelError(f"{out} is a file or a folder that is not empty. Name a new or an empty folder.")


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
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        result = write(partial)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return result


@contextmanager
def file_written_whole(out: Path) -> Iterator[Path]:
    """A file beside ``out`` to write to, which takes its place when the block ends well. Raises StoreError if it cannot be written."""
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(out)
    except OSError as error:
        raise StoreError(f"{out} cannot be written: {error.strerror or error}. Name another file.") from error
    finally:
        with suppress(OSError):  # not there where all went well, and nowhere to be where its folder is none
            partial.unlink()


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
    fresh = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        result = write_whole(fresh, write)
        if out.exists():
            shutil.rmtree(out)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return result
