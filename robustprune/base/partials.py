"""What is still being written, and what becomes of it when its writer dies.

A partial is a folder beside what it will become, ``.<name>.<host>-<pid>-<token>.<random>.partial``: hidden, and telling who writes it. One
whose writer lives no more on this machine is cleared away by whoever writes there next; if it holds what was to be replaced, and nothing
has taken its place, that is put back first.
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

# What a partial calls what it is to replace while the new one moves in.
REPLACED = "replaced"
# Tells this process from an earlier one of its number: in a container the first process has the same one after every start.
_TOKEN = secrets.token_hex(4)
_NAME = re.compile(r"\.(?P<name>.+)\.(?P<host>[^.]+)-(?P<pid>\d+)-(?P<token>[0-9a-f]+)\.[^.]+\.partial")
log = logging.getLogger(__name__)


def new(final: Path) -> Path:
    """A new empty folder beside ``final``, on the same file system, whose name tells its writer. Raises OSError."""
    final.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{final.name}.{_host()}-{os.getpid()}-{_TOKEN}.", suffix=".partial", dir=final.parent))


@contextmanager
def beside(final: Path) -> Iterator[Path]:
    """A new partial beside ``final``, cleared away when the block ends if it was not moved until then. Raises OSError."""
    tidy(final.parent)
    partial = new(final)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def file(final: Path) -> Iterator[Path]:
    """A file to write to, which takes the place of ``final`` when the block ends well. Raises OSError."""
    with beside(final) as partial:
        yield partial / final.name
        (partial / final.name).replace(final)


def put(written: Path, final: Path) -> None:
    """Moves a folder to where it belongs by one rename. What it replaces steps aside first: whoever looks in between finds none. Raises OSError."""
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
    """Clears away what dead writers left in a folder, and puts back what they had moved aside. What cannot be cleared stays, and is said."""
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
