"""Calls about many runs: sweeps, the table of all results, and the answers to the paper's claims."""

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
    """Returns the tasks of a sweep, and which of them are stored already. Runs no task.

    Raises:
        SpecError: the settings are not valid.
        ModelError, DataError: a model or a data set of the sweep cannot be found, or they do not fit together.
    """
    return studies_plan.plan(spec, progress)


def sweep_workers(count: int | None = None) -> "Workers":
    """The workers of a sweep on this machine. ``count`` is the user's number of workers; None means as many as fit the machine."""
    from robustprune.studies import cluster

    return cluster.fitted(count)


def sweep(plan: Plan, workers: "Workers | None" = None, scheduler: str | None = None, progress: Progress = silent, cancel: Cancel | None = None) -> "SweepRun":
    """Runs the tasks of a plan that are not stored, on workers of this machine or on the cluster whose scheduler has the address ``scheduler``.

    Every run is stored when it ends. A run that fails is listed in the result and does not stop the others.

    Raises:
        StoreError: the store cannot be written.
        ClusterError: the cluster cannot run the tasks, or the connection to it was lost.
        Cancelled: ``cancel`` was set.
    """
    from robustprune.studies import cluster, conduct

    cluster.probe()
    workers = workers or cluster.fitted()
    place = cluster.joined(scheduler) if scheduler else cluster.local(workers)
    return conduct.conduct(plan, place, None if scheduler else workers.threads, progress, cancel or threading.Event())


def results(progress: Progress = silent) -> "pd.DataFrame":
    """All results in one tidy table, with one row per run and attack. :mod:`robustprune.studies.table` describes the columns."""
    return table.table(stores.store(), progress)


def sweep_results(spec: SweepSpec, progress: Progress = silent) -> "pd.DataFrame":
    """The rows of the results table that belong to a sweep. Runs of the sweep that were not made yet have no rows."""
    tasks = studies_plan.plan(spec, progress).tasks
    digests = {models.find_model(model).digest for task in tasks if (model := studies_plan.made_model(task))}
    return table.of_models(results(progress), digests, spec.attack.specs, spec.attack.examples)


def write_results(rows: "pd.DataFrame", out: Path) -> None:
    """Writes rows of the results table to a file: CSV if its name ends in ``.csv``, else Parquet. Raises StoreError if it cannot be written."""
    table.write(rows, out)


def answers(rows: "pd.DataFrame") -> "list[Answer]":
    """Tests each of the paper's claims on every setting for which the results have the needed numbers."""
    from robustprune.studies import claims

    return claims.answers(rows)


def shipped_sweeps() -> list[dict[str, Any]]:
    """The facts about every sweep whose results ship: name, command, day, duration in seconds, versions and machine."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in stores.store().shipped_files("sweeps", ".json")]
