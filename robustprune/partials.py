"""Folders and files that are still being written, and what becomes of those whose writer died.

A partial stands beside what it will become, as ``.<name>.<host>-<pid>.<random>``: hidden, and telling who writes it. One whose writer
lives no more on this machine is cleared away by whoever comes next; if it holds what was to be replaced, and nothing has taken its place,
that is put back first.
"""

import logging
import os
import platform
import re
import shutil
import tempfile
from pathlib import Path

import psutil

# What a partial calls the entry that it is to replace while the new one moves in.
REPLACED = "replaced"
_NAME = re.compile(r"\.(?P<name>.+)\.(?P<host>[^.]+)-(?P<pid>\d+)\.[^.]+")
log = logging.getLogger(__name__)


def new(final: Path) -> Path:
    """A new empty folder beside ``final``, on the same file system, whose name tells its writer. Raises OSError."""
    final.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{final.name}.{_host()}-{os.getpid()}.", dir=final.parent))


def tidy(folder: Path) -> None:
    """Clears away what dead writers left in a folder, and puts back what they had moved aside. What cannot be cleared stays, and is said."""
    for path in folder.glob(".*"):
        made = _NAME.fullmatch(path.name)
        if not made or made["host"] != _host() or psutil.pid_exists(int(made["pid"])):
            continue
        try:
            if (path / REPLACED).exists() and not (folder / made["name"]).exists():
                (path / REPLACED).rename(folder / made["name"])
                log.warning("The stored entry %s was put back: a process that was replacing it ended before it was done.", made["name"])
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            log.warning("%s was left half-written and cannot be cleared away: %s.", path, error.strerror)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9]", "-", platform.node()) or "here"
