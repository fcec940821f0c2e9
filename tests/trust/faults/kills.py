"""``kill -9`` at random moments of a piece of work, again and again, until it is let run to its end."""

import random
import time
from pathlib import Path

from tests.trust.faults import commands
from tests.trust.table import Lost, Row

KILLS = {"prune": 30, "attack": 20, "soup": 18, "sweep": 8}
# Most that are tried: one that comes when the work has ended is no kill.
TURNS_A_KILL = 4


def killed(work: str, home: Path) -> Row:
    """The row of one kind of work: every kill is a try, and so is every run to the end that follows some of them."""
    row, draw = Row(f"kill -9 during {work}"), random.Random(work)
    undisturbed, disturbed, kills = home / "undisturbed", home / "disturbed-0", 0
    words = commands.arguments(work, undisturbed)
    expected_answer, expected = commands.done(words, undisturbed), commands.contents(undisturbed)
    begun = time.monotonic()
    commands.done(words, home / "timed")
    seconds = time.monotonic() - begun

    def check_end(at: Path, before: dict) -> None:
        answer = commands.done(words, at)
        assert commands.lasting(answer.get("layers")) == commands.lasting(expected_answer.get("layers")), "the numbers differ"
        after = commands.contents(at)
        check_nothing_lost(before, after, expected)
        if set(after) != set(expected):
            raise Lost(f"at the end the store lacks {sorted(set(expected) - set(after))} or has too much: {sorted(set(after) - set(expected))}")
        assert not commands.leftovers(at), f"half-written: {commands.leftovers(at)}"

    before: dict = {}
    for turn in range(TURNS_A_KILL * KILLS[work]):
        command = commands.Command(words, disturbed)
        if command.ended(seconds * draw.random()) is None:
            command.kill()
            kills += 1
            with row.trying(f"kill {kills}"):
                after = commands.contents(disturbed)
                check_nothing_lost(before, after, expected)
                before = after
        else:  # there is nothing left to kill: begin anew, after a look at what is there
            with row.trying(f"to the end after kill {kills}"):
                check_end(disturbed, before)
            disturbed, before = home / f"disturbed-{turn + 1}", {}
        if kills == KILLS[work]:
            break
    with row.trying("to the end"):
        check_end(disturbed, before)
    row.notes.append(f"{kills} kills before the work had ended, which takes {seconds:.1f} s")
    with row.trying("as many kills as were to be"):
        assert kills == KILLS[work], f"only {kills} of {KILLS[work]}"
    return row


def check_nothing_lost(before: dict, after: dict, expected: dict) -> None:
    """Raises Lost if an entry went, or holds anything but what undisturbed work puts there."""
    if gone := set(before) - set(after):
        raise Lost(f"{sorted(gone)[0]} was finished and is gone")
    for name, value in after.items():
        if name in expected and not commands.alike(value, expected[name]):
            raise Lost(f"{name} is not what undisturbed work makes")
