"""What the harness did and what came of it: a row for every kind of fault or input."""

import json
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field


class Lost(AssertionError):
    """Something that was finished is gone, or something half-done was taken for done."""


@dataclass
class Row:
    """A kind of fault or input: how often it was tried, how often the program did what it should, and how often work was lost.

    Attributes:
        troubles: of every try that did not go well, what happened.
        notes: what is worth knowing besides.
    """

    name: str
    tries: int = 0
    survived: int = 0
    lost: int = 0
    troubles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether something was tried, all of it survived and nothing was lost."""
        return self.tries == self.survived > 0 and not self.lost

    @contextmanager
    def trying(self, what: str) -> Iterator[None]:
        """One try: it survives unless the block raises, whatever that is; :class:`Lost` says that work was lost."""
        self.tries += 1
        try:
            yield
        except Exception as error:
            self.lost += isinstance(error, Lost)
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.troubles.append(f"{what}: {type(error).__name__}: {str(error)[:500]} ({where.filename.rpartition('/')[2]}:{where.lineno})")
        else:
            self.survived += 1

    def to_line(self) -> str:
        """The row as a line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of_line(cls, line: str) -> "Row":
        """The row that :meth:`to_line` wrote."""
        return cls(**json.loads(line))


def table(rows: Iterable[Row]) -> str:
    """The rows for people, in columns; troubles and notes below."""
    rows = list(rows)
    width = max([len("fault or input"), *(len(row.name) for row in rows)])
    lines = [f"{'fault or input':{width}}  tries  survived  lost"]
    lines += [f"{row.name:{width}}  {row.tries:5}  {row.survived:8}  {row.lost:4}{'' if row.well else '  <--'}" for row in rows]
    lines.append(f"{'all':{width}}  {sum(row.tries for row in rows):5}  {sum(row.survived for row in rows):8}  {sum(row.lost for row in rows):4}")
    lines += [f"note: {row.name}: {note}" for row in rows for note in row.notes]
    lines += [f"trouble: {row.name}: {trouble}" for row in rows for trouble in row.troubles]
    return "\n".join(lines)
