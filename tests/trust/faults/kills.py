"""``kill -9`` at random moments of a piece of work, again and again, until it is let run to its end."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from tests.trust.faults import commands
from tests.trust.table import Lost, Row

KILLS = {"prune": 13, "attack": 24, "soup": 9, "sweep": 6}
# The first moments of a process go into imports: kills there find little to break.
EARLIEST = 0.35


def killed(work: str, home: Path) -> Row:
    """The row of one kind of work: every kill is a try, and so is every run to the end that follows some of them."""
    row, draw = Row(f"kill -9 during {work}"), random.Random(work)
    undisturbed, disturbed, midway = home / "undisturbed", home / "disturbed-0", 0
    words = commands.arguments(work, undisturbed)
    begun = time.monotonic()
    expected_answer = commands.done(words, undisturbed)
    seconds, expected = time.monotonic() - begun, commands.contents(undisturbed)

    def check_end(at: Path, before: dict) -> None:
        answer = commands.done(words, at)
        assert commands.lasting(answer.get("layers")) == commands.lasting(expected_answer.get("layers")), "the numbers differ"
        after = commands.contents(at)
        check_nothing_lost(before, after, expected)
        if set(after) != set(expected):
            raise Lost(f"at the end the store lacks {sorted(set(expected) - set(after))} or has too much: {sorted(set(after) - set(expected))}")
        assert not commands.leftovers(at), f"half-written: {commands.leftovers(at)}"

    before: dict = {}
    for number in range(KILLS[work]):
        with row.trying(f"kill {number + 1}"):
            process = commands.start(words, disturbed)
            came_midway = _kill(process, seconds * draw.uniform(EARLIEST, 1.0))
            midway += came_midway
            after = commands.contents(disturbed)
            check_nothing_lost(before, after, expected)
            before = after
        if not came_midway:  # there is nothing left to kill: begin anew, after a look at what is there
            with row.trying(f"to the end after kill {number + 1}"):
                check_end(disturbed, before)
            disturbed, before = home / f"disturbed-{number + 1}", {}
    with row.trying("to the end"):
        check_end(disturbed, before)
    row.notes.append(f"{midway} of {KILLS[work]} kills came before the work had ended, which takes {seconds:.0f} s")
    return row


def check_nothing_lost(before: dict, after: dict, expected: dict) -> None:
    """Raises Lost if an entry went, or holds anything but what undisturbed work puts there."""
    if gone := set(before) - set(after):
        raise Lost(f"{sorted(gone)[0]} was finished and is gone")
    for name, value in after.items():
        if name in expected and not commands.alike(value, expected[name]):
            raise Lost(f"{name} is not what undisturbed work makes")


def _kill(process: subprocess.Popen, seconds: float) -> bool:
    """Kills a process and all that it started; whether it still ran."""
    try:
        process.communicate(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
