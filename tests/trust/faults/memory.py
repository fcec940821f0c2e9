"""Memory that is short: processes that may have only so much of it."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.trust.faults import commands
from tests.trust.table import Lost, Row

MEGABYTE = 2**20
# Address space: too little to load a model, too little for the work, almost too little, enough.
LIMITS = (1100, 1300, 1500, 1800)


def rows(home: Path) -> Iterator[Row]:
    """A row for every kind of work."""
    for work in ("prune", "attack"):
        row, roomy = Row(f"memory short during {work}"), home / f"{work}-roomy"
        words = commands.arguments(work, roomy)
        commands.done(words, roomy)
        expected, ended_well = commands.contents(roomy), 0
        for limit in LIMITS:
            with row.trying(f"{limit} MB"):
                store = home / f"{work}-{limit}"
                ended = _run_within(limit, words, store)
                ended_well += ended.returncode == 0
                if ended.returncode:
                    commands.check_said(ended, "memory", "Memory")
                found = commands.contents(store)
                if wrong := [name for name, value in found.items() if value != expected.get(name)]:
                    raise Lost(f"{wrong[0]} is not what there is with memory enough")
                assert not commands.leftovers(store), f"half-written: {commands.leftovers(store)}"
        row.notes.append(f"{ended_well} of {len(LIMITS)} limits were enough")
        yield row


def _run_within(megabytes: int, words: list[str], store: Path) -> subprocess.CompletedProcess:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * MEGABYTE, megabytes * MEGABYTE))

    command = [sys.executable, "-m", "robustprune", *words]
    return subprocess.run(
        command, cwd=commands.ROOT, env=commands.environment(store), capture_output=True, text=True, timeout=commands.SECONDS, preexec_fn=limit
    )
