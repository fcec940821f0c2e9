"""A clock that jumps: years ahead, back before the epoch's start and to and fro while work is under way."""

import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from robustprune import lab
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.ui.jobs.queue import JobManager
from tests.trust.faults import commands
from tests.trust.table import Lost, Row

YEAR = 365 * 24 * 3600.0
SPEC = PruneSpec("sst2-demo", "demo-reviews", "magnitude", "none", 0.7, calibration=16)
ATTACK = AttackSpec("deepwordbug", query_budget=80, seconds=600)


def rows(home: Path) -> Iterator[Row]:
    """One row: the same work under every clock gives the same entries."""
    row, expected = Row("clock that jumps"), None
    for name, clock in _clocks().items():
        with row.trying(name):
            store = home / name.replace(" ", "-")
            os.environ["ROBUSTPRUNE_HOME"] = str(store)
            with mock.patch("time.time", clock), mock.patch("time.time_ns", lambda clock=clock: int(clock() * 1e9)):
                lab.prune(SPEC)
                lab.attack_texts(["sst2-demo"], "demo-reviews", 4, ATTACK)
                job = JobManager().submit("work", lambda job: job.progress(1, 1, "done"))
                job.future.result(10)
                assert job.state == "done"
            # Files from the future and the past: what is stored under one clock is read under another.
            for path in store.rglob("*"):
                os.utime(path, (0, 10 * YEAR) if len(path.name) % 2 else (80 * YEAR, 80 * YEAR))
            found = commands.contents(store)
            expected = expected or found
            if found != expected:
                raise Lost("the store holds something else than under a steady clock")
    yield row


def _clocks() -> dict:
    now, steps = time.time, itertools.count()
    return {
        "steady": now,
        "30 years ahead": lambda: now() + 30 * YEAR,
        "in 1970": lambda: now() % 1000,
        "to and fro": lambda: now() + (next(steps) % 7 - 3) * YEAR,
        "standing still": lambda: 1_700_000_000.0,
    }
