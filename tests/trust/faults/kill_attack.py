"""``kill -9`` during ``attack``."""

from collections.abc import Iterator
from pathlib import Path

from tests.trust.faults.kills import killed
from tests.trust.table import Row


def rows(home: Path) -> Iterator[Row]:
    """One row."""
    yield killed("attack", home)
