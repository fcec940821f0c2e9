"""Everything that could break the program, done to it on purpose; a table of what came of it.

    python -m tests.trust [PART ...]     the harness, or some parts of it: at most 15 minutes on two cores
    python -m tests.trust --soak         half an hour of twelve people in browsers, and a check of every answer that they got

Ends with exit status 0 only if every try survived and nothing was lost. Every part is a process of its own, two at a time.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

from tests.trust.table import Row, table

ROOT = Path(__file__).resolve().parents[2]
LANES = 2
# Every part is a module with ``rows(home) -> Iterator[Row]``, which gets a folder of its own. Those that take longest come first.
PARTS = (
    "faults.sharing",
    "faults.kill_sweep",
    "faults.kill_soup",
    "faults.kill_prune",
    "faults.kill_attack",
    "faults.disk",
    "faults.damage",
    "faults.memory",
    "faults.clock",
    "hostile.links",
    "hostile.shown",
    "hostile.data",
    "hostile.models",
    "hostile.changed_models",
    "hostile.specs",
)
# Uses both cores itself, so it comes when the others are done.
ALONE = ("repeat",)
SECONDS = 800


def run_here(part: str) -> None:
    """Runs one part in this process; prints its rows as lines of JSON."""
    with tempfile.TemporaryDirectory(prefix="trust-") as home:
        for row in import_module(f"tests.trust.{part}").rows(Path(home)):
            print(row.to_line(), flush=True)


def run_apart(part: str) -> list[Row]:
    """The rows of one part, from a process of its own with one thread and no store but its own. A part that breaks is a row that did not survive."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ROBUSTPRUNE_")}
    environment |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.trust", "--here", part]
    try:
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS)
        printed, error = ended.stdout, ended.stderr if ended.returncode else ""
    except subprocess.TimeoutExpired as late:
        printed, error = (late.stdout or b"").decode(), f"not done after {SECONDS} s"
    rows = [Row.of_line(line) for line in printed.splitlines() if line.startswith("{")]
    if error or not rows:
        rows.append(Row(part, tries=1, troubles=[f"the part broke down: {error.strip()[-1500:] or 'it tried nothing'}"]))
    print(f"{part}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows


def main() -> int:
    """Runs what was asked for; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS + ALONE)}")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    parser.add_argument("--soak", action="store_true", help="load instead of faults")
    parser.add_argument("--minutes", type=float, default=30, help="how long the load lasts (default: %(default)s)")
    parser.add_argument("--people", type=int, default=12, help="how many browser sessions (default: %(default)s)")
    asked = parser.parse_args()
    if unknown := [part for part in asked.parts if part not in PARTS + ALONE]:
        parser.error(f"no part is called {unknown[0]!r}; allowed are: {', '.join(PARTS + ALONE)}")
    if asked.here:
        run_here(asked.here)
        return 0
    if asked.soak:
        return report(soak(asked.minutes, asked.people))
    chosen = asked.parts or PARTS + ALONE
    with ThreadPoolExecutor(LANES) as lanes:
        rows = [row for part in lanes.map(run_apart, [part for part in chosen if part not in ALONE]) for row in part]
    rows += [row for part in chosen if part in ALONE for row in run_apart(part)]
    return report(rows)


def soak(minutes: float, people: int) -> list[Row]:
    """The load, with a store of its own."""
    from tests.trust import soak

    with tempfile.TemporaryDirectory(prefix="trust-") as home:
        return list(soak.rows(Path(home), minutes, people))


def report(rows: list[Row]) -> int:
    """Prints the table; the exit status."""
    print(table(rows))
    return 0 if all(row.well for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
