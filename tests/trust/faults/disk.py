"""A disk that is full, from one byte too few to almost enough: a small file system in memory, where this process may mount one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.trust.faults import commands
from tests.trust.table import Lost, Row

# What stands in the sentence that tells of it.
TOLD = ("No space left", "Free some space", "cannot be written", "cannot be kept")
MEGABYTE = 2**20


def rows(home: Path) -> Iterator[Row]:
    """A row for every kind of work. Where no file system can be mounted none is tried, so that nothing is claimed of it."""
    if not _can_mount(home):
        yield Row("disk full", troubles=["not tried: this process may not mount a file system. Run this part where one may, or name the other parts"])
        return
    yield _filled(home, "prune", (0.02, 8, 60))
    yield _filled(home, "attack", (0.02, 0.06, 0.2))


def _filled(home: Path, work: str, sizes: tuple[float, ...]) -> Row:
    """The same work in stores of several sizes: it ends well or says why not, keeps what was there, and goes on when there is room."""
    row, roomy = Row(f"disk full during {work}"), home / f"{work}-roomy"
    words = commands.arguments(work, roomy)
    commands.done(words, roomy)
    expected = commands.contents(roomy)
    for size in sizes:
        with row.trying(f"{size} MB"), _small_disk(home / f"{work}-{size}", int(size * MEGABYTE)) as store:
            before = commands.contents(store)
            ended = commands.Command(words, store).end()
            if ended.returncode:
                commands.check_said(ended, *TOLD)
            after = commands.contents(store)
            if set(before) - set(after):
                raise Lost(f"{sorted(set(before) - set(after))[0]} is gone")
            if wrong := [name for name, value in after.items() if value != expected.get(name)]:
                raise Lost(f"{wrong[0]} is not what there is with room enough")
            assert not commands.leftovers(store), f"half-written: {commands.leftovers(store)}"
            subprocess.run(["mount", "-o", "remount,size=1g", str(store)], check=True)
            commands.done(words, store)
            if commands.contents(store) != expected:
                raise Lost("with room again, the store holds something else")
    return row


@contextmanager
def _small_disk(place: Path, size: int) -> Iterator[Path]:
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _can_mount(home: Path) -> bool:
    if not shutil.which("mount"):
        return False
    try:
        with _small_disk(home / "tried", MEGABYTE):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
