"""Partials: the temporary folders of files and folders that are still being written, and their removal when the writer dies.

A partial is a hidden folder beside its final place. Its name ``.<name>.<host>-<pid>-<token>.<random>.partial`` identifies the process that
writes it. If that process ran on this machine and is dead, the next process that writes in the same place removes the partial. If the
partial holds the old version of something that was being replaced, and no new version exists, the old version is first moved back.
"""

import logging
import os
import platform
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

# The name, within a partial, of the old version while the new version is moved to its place.
REPLACED = "replaced"
# Distinguishes this process from an earlier one with the same process id: in a container the first process has the same id after every start.
_TOKEN = secrets.token_hex(4)
_NAME = re.compile(r"\.(?P<name>.+)\.(?P<host>[^.]+)-(?P<pid>\d+)-(?P<token>[0-9a-f]+)\.[^.]+\.partial")
log = logging.getLogger(__name__)


def new(final: Path) -> Path:
    """Makes a new empty partial beside ``final``, on the same file system, and returns its path. Raises OSError."""
    final.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{final.name}.{_host()}-{os.getpid()}-{_TOKEN}.", suffix=".partial", dir=final.parent))


@contextmanager
def beside(final: Path) -> Iterator[Path]:
    """Yields a new partial beside ``final``. It is removed when the block ends, unless the block has moved it. Raises OSError."""
    tidy(final.parent)
    partial = new(final)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def file(final: Path) -> Iterator[Path]:
    """Yields a path to write a file to. The file replaces ``final`` when the block ends without an error. Raises OSError."""
    with beside(final) as partial:
        yield partial / final.name
        (partial / final.name).replace(final)


def put(written: Path, final: Path) -> None:
    """Moves the folder ``written`` to ``final`` by one rename.

    If ``final`` exists, it is moved aside first, so there is a short time without ``final``. It is moved back if the rename fails.
    Raises OSError.
    """
    if not final.exists():
        written.rename(final)
        return
    aside = new(final)
    final.rename(aside / REPLACED)
    try:
        written.rename(final)
    except BaseException:
        (aside / REPLACED).rename(final)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Removes the partials of dead processes from a folder, and moves back what those processes had moved aside.

    A partial that cannot be removed stays, and the log gets a warning.
    """
    for path in folder.glob(".*.partial"):
        made = _NAME.fullmatch(path.name)
        if not made or made["host"] != _host() or _lives(int(made["pid"]), made["token"]):
            continue
        try:
            if (path / REPLACED).exists() and not (folder / made["name"]).exists():
                (path / REPLACED).rename(folder / made["name"])
                log.warning("%s was put back: a process that was replacing it ended before it was done.", folder / made["name"])
            shutil.rmtree(path)
        except OSError as error:
            log.warning("%s was left half-written and cannot be cleared away: %s.", path, error.strerror)


def _lives(pid: int, token: str) -> bool:
    return token == _TOKEN if pid == os.getpid() else psutil.pid_exists(pid)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9]", "-", platform.node()) or "here"
