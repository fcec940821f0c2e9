"""The lab's calls about many runs: sweeps, the table of all results, and what they say of the paper's claims."""

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.base import stores
from robustprune.base.progress import Cancel, Progress, silent
from robustprune.lab import models
from robustprune.specs.sweep import SweepSpec
from robustprune.studies import plan as studies_plan
from robustprune.studies import table
from robustprune.studies.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

    from robustprune.studies.claims import Answer
    from robustprune.studies.cluster import Workers
    from robustprune.studies.conduct import SweepRun


def plan_sweep(spec: SweepSpec, progress: Progress = silent) -> Plan:
    """What a sweep comes to, and what of it is stored. Runs nothing.

    Raises:
        ModelError, DataError: something that it names is not to be had, or does not fit together.
    """
    return studies_plan.plan(spec, progress)


def sweep_workers(count: int | None = None) -> "Workers":
    """The workers that a sweep on this machine gets; ``count``: as many as a person asks for."""
    from robustprune.studies import cluster

    return cluster.fitted(count)


def sweep(plan: Plan, workers: "Workers | None" = None, scheduler: str | None = None, progress: Progress = silent, cancel: Cancel | None = None) -> "SweepRun":
    """Runs what is left of a plan: on workers of this machine, or on the cluster whose ``scheduler`` has that address.

    Every run that ends is stored; one that fails is told of in the result and stops no other.

    Raises:
        StoreError: the store cannot be written to.
        ClusterError: the cluster cannot do the work, or was lost.
        Cancelled: ``cancel`` was set.
    """
    from robustprune.studies import cluster, conduct

    cluster.probe()
    workers = workers or cluster.fitted()
    place = cluster.joined(scheduler) if scheduler else cluster.local(workers)
    return conduct.conduct(plan, place, None if scheduler else workers.threads, progress, cancel or threading.Event())


def results(progress: Progress = silent) -> "pd.DataFrame":
    """All results in one tidy table, one row a run and attack (:mod:`robustprune.studies.table` names the columns)."""
    return table.table(stores.store(), progress)


def sweep_results(spec: SweepSpec, progress: Progress = silent) -> "pd.DataFrame":
    """The rows of that table that a sweep gave, as far as it has been run."""
    tasks = studies_plan.plan(spec, progress).tasks
    digests = {models.find_model(model).digest for task in tasks if (model := studies_plan.made_model(task))}
    return table.of_models(results(progress), digests, spec.attack.specs, spec.attack.examples)


def write_results(rows: "pd.DataFrame", out: Path) -> None:
    """Writes such a table as Parquet, or as CSV where the name ends so. Raises StoreError if it cannot."""
    table.write(rows, out)


def answers(rows: "pd.DataFrame") -> "list[Answer]":
    """The paper's claims, each asked of every setting that the results have the numbers for."""
    from robustprune.studies import claims

    return claims.answers(rows)


def shipped_sweeps() -> list[dict[str, Any]]:
    """What is told of the sweeps whose results ship: name, command, day, seconds, versions, and the machine."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in stores.store().shipped_files("sweeps", ".json")]
