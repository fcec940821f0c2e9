"""Two processes, and more, at the same work on one store at once."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.trust.faults import commands
from tests.trust.table import Lost, Row

TURNS = {"prune": 1, "attack": 2, "soup": 1, "sweep": 1}


def rows(home: Path) -> Iterator[Row]:
    """A row for every kind of work."""
    for work in TURNS:
        yield _together(home, work)


def _together(home: Path, work: str) -> Row:
    """Two of the same command at once end well, with the answer and the store that one alone gives."""
    row, alone = Row(f"two processes at one {work}"), home / f"{work}-alone"
    words = commands.arguments(work, alone)
    answer, expected = commands.done(words, alone), commands.contents(alone)
    for turn in range(TURNS[work]):
        with row.trying(f"turn {turn + 1}"):
            store = home / f"{work}-{turn}"
            for ended in [command.end() for command in [commands.Command(words, store) for _ in range(2)]]:
                assert ended.returncode == 0, f"exit status {ended.returncode}: {ended.stderr[-600:]}"
                check_same(work, json.loads(ended.stdout), answer)
            found = commands.contents(store)
            if set(found) != set(expected) or not all(commands.alike(found[name], expected[name]) for name in found):
                raise Lost("the store holds something else than after one alone")
            assert not commands.leftovers(store), f"half-written: {commands.leftovers(store)}"
    return row


def check_same(work: str, answer: dict, expected: dict) -> None:
    """That two answers agree in what they found; a sweep also counts what was there already, which differs."""
    keys = {"sweep": ("planned", "failed"), "prune": ("digest", "layers", "sparsity"), "soup": ("steps", "accuracy", "aua")}
    for key in keys.get(work, ("examples", "held", "flipped", "skipped", "aua", "queries_mean")):
        assert commands.lasting(answer[key]) == commands.lasting(expected[key]), f"{key}: {answer[key]!r} against {expected[key]!r}"
