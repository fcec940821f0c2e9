"""How much faster two workers end a sweep than one, each a process of one thread on a scheduler of its own on this machine.

    python -m tests.benchmarks.workers [--rounds 3] [--runs 12]

One and two workers take turns, each turn with a new store and workers that have done one small run before. Prints JSON.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from robustprune import studies
from robustprune.specs import sweep
from tests.clusters import scheduler, wait_for_workers, worker

SWEEP = """
starts: [sst2-demo]
datasets: [demo]
methods: [sparsegpt]
sparsities: {sparsities}
calibrations: [128]
attack: {{recipes: [textfooler, deepwordbug], examples: 20}}
"""
FIRST = "starts: [sst2-demo]\ndatasets: [demo]\nmethods: [magnitude]\nsparsities: [0.1]\nseeds: [0, 1, 2, 3]\ncalibrations: [16]\nattack: {examples: 2}\n"


def seconds(workers: int, runs: int) -> float:
    """Seconds of one sweep."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        os.environ["ROBUSTPRUNE_HOME"] = home
        address = stack.enter_context(scheduler(Path(home)))
        for _ in range(workers):
            stack.enter_context(worker(address, Path(home)))
        wait_for_workers(address, workers)
        studies.sweep(studies.plan_sweep(sweep.SweepSpec.parse(FIRST)), scheduler=address)
        plan = studies.plan_sweep(sweep.SweepSpec.parse(SWEEP.format(sparsities=[round(0.2 + 0.6 * number / runs, 3) for number in range(runs)])))
        begun = time.monotonic()
        result = studies.sweep(plan, scheduler=address)
        assert not result.failed, result.failed
        return time.monotonic() - begun


def main() -> None:
    """Lets one and two workers take turns, and prints medians and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=12)
    asked = parser.parse_args()
    found: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(asked.rounds):
        for workers, taken in found.items():
            taken.append(seconds(workers, asked.runs))
            print(f"{workers} worker(s): {taken[-1]:.1f} s", flush=True)
    one, two = (statistics.median(taken) for taken in found.values())
    print(json.dumps({"runs": asked.runs, "one_worker_seconds": one, "two_workers_seconds": two, "one_over_two": one / two}, indent=2))


if __name__ == "__main__":
    main()
