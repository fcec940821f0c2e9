"""The same spec twice: again in one process, in another, with one thread and with two. The same masks, and reports alike to 1e-6."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from robustprune import lab
from robustprune.specs.prune import PruneSpec
from tests import small_models
from tests.trust.faults import commands
from tests.trust.table import Row

TOLERANCE = 1e-6
# With another number of threads sums round differently, and what is nearly a tie falls the other way. Above this it would be no rounding.
ANOTHER_SIZE = 0.1
# All methods on a small model, where those that take minutes take seconds, and two of them on one that ships. With fewer texts than
# a layer has inputs its Hessian is all but singular, and rounding grows: with 16 texts, to two fifths of a layer's error.
SMALL, SHIPPED, CALIBRATION = ("magnitude", "wanda", "sparsegpt", "admm", "obs"), ("magnitude", "sparsegpt"), 128


def rows(home: Path) -> Iterator[Row]:
    """With as many threads everything must agree; with another number what differs must be told by the run's own record of its threads."""
    again, apart, threads = Row("same spec again"), Row("same spec in another process"), Row("same spec with one thread and with two")
    small = small_models.saved(home / "small", labels=2)
    first, second = _pruned_apart(1, small, home / "first", home / "second")
    (other,), (doubled,) = _pruned_apart(1, small, home / "other"), _pruned_apart(2, small, home / "doubled")
    for name, run in first.items():
        with again.trying(name):
            check_same(run, second[name])
        with apart.trying(name):
            check_same(run, other[name])
        with threads.trying(name):
            assert (run["made"]["threads"], doubled[name]["made"]["threads"]) == (1, 2), "the runs do not say how many threads made them"
            differing = masks_differ(Path(run["model_dir"]), Path(doubled[name]["model_dir"]))
            worst = max(map(distance, run["layers"], doubled[name]["layers"]))
            threads.notes.append(f"{name}: {differing:.2%} of the zeros elsewhere, errors different by {worst:.1e} of their size at most")
            assert worst < ANOTHER_SIZE, "the errors are of another size"
    yield from (again, apart, threads)


def prune_all(small: Path, store: Path) -> dict[str, Any]:
    """All the specs, pruned in this process into a store; what their reports say, by name."""
    os.environ["ROBUSTPRUNE_HOME"] = str(store)
    found = {}
    for start, method in [*((str(small), method) for method in SMALL), *(("sst2-demo", method) for method in SHIPPED)]:
        run = lab.prune(PruneSpec(start, "demo-reviews", method, sparsity=0.5, calibration=CALIBRATION))
        found[f"{Path(start).name}, {method}"] = {"digest": run.digest, "model_dir": str(run.model_dir), "made": run.made, **run.report.to_json()}
    return found


def _pruned_apart(threads: int, small: Path, *stores: Path) -> list[dict[str, Any]]:
    """What :func:`prune_all` gives for each of these stores, one after the other in one new process with so many threads."""
    command = [sys.executable, "-m", "tests.trust.repeat", str(small), *map(str, stores)]
    environment = commands.environment(stores[0], OMP_NUM_THREADS=str(threads))
    ended = subprocess.run(command, cwd=commands.ROOT, env=environment, capture_output=True, text=True, timeout=commands.SECONDS)
    assert ended.returncode == 0, ended.stderr[-900:]
    return json.loads(ended.stdout)


def check_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """That two runs have one digest, the same zeros and, to 1e-6, the same errors."""
    assert one["digest"] == other["digest"]
    assert masks_differ(Path(one["model_dir"]), Path(other["model_dir"])) == 0, "the masks differ"
    worst = max(map(distance, one["layers"], other["layers"]))
    assert worst <= TOLERANCE, f"the reports differ by {worst:.1e}"


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference between two layers' errors, of the size of the first one's total: parts of it may be next to nothing."""
    assert (one["name"], one["shape"], one["sparsity"]) == (other["name"], other["shape"], other["sparsity"])
    return max(abs(one[name] - other[name]) / max(one["total"], 1e-12) for name in ("uncorrected", "inherited", "own", "total") if one[name] is not None)


def masks_differ(one: Path, other: Path) -> float:
    """The share of weights that are zero in one model and not in the other."""
    from safetensors import safe_open

    differing = total = 0
    with safe_open(one / "model.safetensors", "pt") as first, safe_open(other / "model.safetensors", "pt") as second:
        for name in first.keys():  # noqa: SIM118 - not a dict
            zeros = first.get_tensor(name) == 0
            differing += int((zeros != (second.get_tensor(name) == 0)).sum())
            total += zeros.numel()
    return differing / total


if __name__ == "__main__":
    print(json.dumps([prune_all(Path(sys.argv[1]), Path(store)) for store in sys.argv[2:]]))
