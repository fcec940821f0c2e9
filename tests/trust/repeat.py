"""The same spec twice: again in this process, in another, with one thread and with two. The same masks, and reports alike to 1e-6."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from robustprune import lab
from robustprune.spec import PruneSpec
from tests import small_models
from tests.trust.faults import commands
from tests.trust.table import Row

TOLERANCE = 1e-6
# With another number of threads sums round differently, and what is nearly a tie falls the other way. Above this it would be no rounding.
ANOTHER_SIZE = 0.1
# All methods on a small model, where those that take minutes take seconds, and two of them on one that ships.
SMALL, SHIPPED = ("magnitude", "wanda", "sparsegpt", "admm", "obs"), ("magnitude", "sparsegpt")
CALIBRATION = 16


def rows(home: Path) -> Iterator[Row]:
    """With as many threads everything must agree; with another number what differs must be told by the run's own record of its threads."""
    same, threads = Row("same spec again, same number of threads"), Row("same spec with one thread and with two")
    small = home / "small"
    model, tokenizer = small_models.classifier(labels=2)
    model.save_pretrained(small)
    tokenizer.save_pretrained(small)
    for start, method in [*((str(small), method) for method in SMALL), *(("sst2-demo", method) for method in SHIPPED)]:
        place = f"{Path(start).name}-{method}"
        words = ["prune", "--model", start, "--dataset", "demo-reviews", "--method", method, "--sparsity", "0.5"]
        words += ["--calibration", str(CALIBRATION), "--json"]
        first = commands.done(words, home / f"{place}-one", OMP_NUM_THREADS="1")
        doubled = commands.done(words, home / f"{place}-two", OMP_NUM_THREADS="2")
        with same.trying(f"{place} in another process"):
            check_same(_again(PruneSpec(start, "demo-reviews", method, sparsity=0.5, calibration=CALIBRATION), home / f"{place}-here"), first)
        with threads.trying(place):
            assert (first["made"]["threads"], doubled["made"]["threads"]) == (1, 2), "the runs do not say how many threads made them"
            differing = masks_differ(Path(first["model_dir"]), Path(doubled["model_dir"]))
            worst = max(map(distance, first["layers"], doubled["layers"]))
            threads.notes.append(f"{place}: {differing:.2%} of the zeros elsewhere, errors different by {worst:.1e} of their size at most")
            assert worst < ANOTHER_SIZE, "the errors are of another size"
    yield same
    yield threads


def _again(spec: PruneSpec, store: Path) -> dict[str, Any]:
    """The same run twice in this process, each into a store of its own; what the second gave."""
    reports = []
    for number in range(2):
        os.environ["ROBUSTPRUNE_HOME"] = str(store / str(number))
        run = lab.prune(spec)
        reports.append({"digest": run.digest, "model_dir": str(run.model_dir), **json.loads(json.dumps(run.report.to_json()))})
    check_same(*reports)
    return reports[1]


def check_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """That two runs have one digest, the same zeros and, to 1e-6, the same errors."""
    assert one["digest"] == other["digest"]
    assert masks_differ(Path(one["model_dir"]), Path(other["model_dir"])) == 0, "the masks differ"
    worst = max(map(distance, one["layers"], other["layers"]))
    assert worst <= TOLERANCE, f"the reports differ by {worst:.1e}"


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest relative difference between two layers' reports."""
    assert (one["name"], one["shape"], one["sparsity"]) == (other["name"], other["shape"], other["sparsity"])
    return max(abs(one[name] - other[name]) / max(abs(one[name]), 1e-12) for name in ("uncorrected", "inherited", "own", "total") if one[name] is not None)


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
