"""Trains the shipped models again, in place, with the commands on their cards.

    python assets/models/make.py [--list] [NAME ...]

The order is heads, demo models, ingredients, baselines, and last the soups, which choose among the ingredients. The training sets must be in
ROBUSTPRUNE_DATA_DIR. An interrupted training continues when its command runs again. Every card says how long its command took for the
shipped model.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ORDER = ("heads", "demo", "ingredients", "baselines", "soup")


def main() -> int:
    """Runs the commands and prints how long each took. Stops at the first command that fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="folders of cards below assets/models, such as sst2-demo or ingredients/sst2-plain-1; left out: all")
    parser.add_argument("--list", action="store_true", help="say what would be run, and how long it took")
    asked = parser.parse_args()
    cards = {str(path.parent.relative_to(HERE)): json.loads(path.read_text(encoding="utf-8")) for path in HERE.rglob("card.json")}
    if unknown := set(asked.names) - set(cards):
        parser.error(f"there is no card of {', '.join(sorted(unknown))}; there are: {', '.join(sorted(cards))}")
    for name in sorted(asked.names or cards, key=_turn):
        command = shlex.split(cards[name]["command"])
        print(f"{name}: {shlex.join(command)} ({cards[name]['seconds']:,} s)", flush=True)
        if asked.list:
            continue
        started = time.perf_counter()
        done = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        if done.returncode:
            return done.returncode
        print(f"{name}: {time.perf_counter() - started:,.0f} s", flush=True)
    return 0


def _turn(name: str) -> tuple[int, str]:
    """The sort key for the order of training: by kind, then by name."""
    return next(number for number, kind in enumerate(ORDER) if kind in name), name


if __name__ == "__main__":
    sys.exit(main())
