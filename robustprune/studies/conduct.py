"""Runs a sweep on a cluster: submits the tasks to the workers, reports their progress and collects their outcomes."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from robustprune.base.errors import Cancelled, ClusterError
from robustprune.base.messages import say
from robustprune.base.progress import Cancel, Progress
from robustprune.studies import versions
from robustprune.studies.plan import Plan, Task
from robustprune.studies.task import Outcome, execute

if TYPE_CHECKING:
    from distributed import Client, Future

SECONDS_TO_LOOK = 0.5
# The seconds to wait for workers that were asked to stop.
SECONDS_TO_STOP = 20


@dataclass
class SweepRun:
    """The result of a sweep.

    Attributes:
        planned: number of all tasks.
        skipped: number of tasks that were stored before.
        outcomes: outcomes of the other tasks, in the order in which they ended.
        seconds: duration of the sweep.
    """

    planned: int
    skipped: int
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> list[Outcome]:
        """The outcomes of the failed tasks, with their reasons."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]

    @property
    def done(self) -> int:
        """The number of tasks that ended without an error."""
        return len(self.outcomes) - len(self.failed)

    def to_json(self) -> dict[str, Any]:
        """A JSON object: the numbers, and the reason of every failure."""
        failures = [{"task": one.name, "reason": one.error} for one in self.failed]
        return {"planned": self.planned, "done": self.done, "skipped": self.skipped, "failed": len(failures), "seconds": self.seconds, "failures": failures}


def conduct(plan: Plan, cluster: "AbstractContextManager[Client]", threads: int | None, progress: Progress, cancel: Cancel) -> SweepRun:
    """Runs the tasks of a plan that are not stored yet, on a cluster.

    Raises:
        Cancelled: ``cancel`` was set. The finished runs are stored.
        ClusterError: the cluster cannot run the tasks, or the connection to it was lost. The finished runs are stored.
    """
    begun = time.monotonic()
    result = SweepRun(len(plan.tasks), len(plan.done))
    if plan.left:
        progress(0, len(plan.left), say("studies.starting_workers"), None)
        with cluster as client:
            _work(client, plan.left, threads, result, progress, cancel)
    result.seconds = time.monotonic() - begun
    return result


def _work(client: "Client", tasks: tuple[Task, ...], threads: int | None, result: SweepRun, progress: Progress, cancel: Cancel) -> None:
    from distributed import Event

    sweep = f"robustprune-{time.time_ns()}"
    stop, under_way = Event(sweep, client), _UnderWay()
    client.subscribe_topic(sweep, under_way.hear)
    # If a worker is lost, only its current task is lost. Dask gives that task to another worker, at most three times.
    futures = {client.submit(execute, task, sweep, threads, versions.code(), key=f"{sweep}-{task.key}", pure=False): task for task in tasks}
    while futures:
        _tell(client, tasks, futures, under_way, result, progress)
        if cancel.is_set():
            _stop(client, stop, list(futures))
        for future in [future for future in futures if future.done()]:
            task = futures.pop(future)
            outcome = _outcome(future, task)
            under_way.forget(task.key)
            if outcome.error == versions.REFUSED:
                _stop(client, stop, list(futures), quiet=True)
                raise ClusterError("studies.other_version_joined", worker=outcome.worker)
            result.outcomes.append(outcome)
        time.sleep(SECONDS_TO_LOOK if futures else 0)
    _tell(client, tasks, futures, under_way, result, progress)


class _UnderWay:
    """The progress of the running tasks: the finished share of each, and the latest message of a worker."""

    def __init__(self) -> None:
        self._shares: dict[str, float] = {}
        self.text = ""

    def hear(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        self._shares[message["key"]], self.text = message["share"], message["text"]

    def forget(self, key: str) -> None:
        self._shares.pop(key, None)

    @property
    def share(self) -> float:
        return sum(list(self._shares.values()))


def _tell(client: "Client", tasks: tuple[Task, ...], futures: "dict[Future, Task]", under_way: _UnderWay, result: SweepRun, progress: Progress) -> None:
    if client.status != "running":
        raise ClusterError("studies.scheduler_lost")
    ended = len(tasks) - len(futures)
    failed = say("studies.some_failed", count=len(result.failed)) if result.failed else ""
    progress(
        min(ended + under_way.share, len(tasks)),
        len(tasks),
        say("studies.runs_ended", ended=ended, total=len(tasks), failed=failed, doing=under_way.text or say("studies.waiting_for_workers")),
        None,
    )


def _outcome(future: "Future", task: Task) -> Outcome:
    """The outcome of a finished future, also if its worker was lost and could not report."""
    from distributed import KilledWorker

    if future.cancelled():
        return Outcome(task.name, "", 0.0, "The cluster gave the task up.")
    error = future.exception()
    if isinstance(error, KilledWorker):
        return Outcome(task.name, "", 0.0, "Every worker that tried it was lost: killed, or out of memory. Try fewer workers.")
    return Outcome(task.name, "", 0.0, f"{type(error).__name__}: {error}") if error else future.result()


def _stop(client: "Client", stop: Any, futures: list["Future"], quiet: bool = False) -> None:
    """Asks the workers to stop and waits for them, at most SECONDS_TO_STOP. Then raises Cancelled, unless ``quiet`` is set."""
    stop.set()
    running = {key for keys in client.processing().values() for key in keys}
    client.cancel([future for future in futures if future.key not in running])
    until = time.monotonic() + SECONDS_TO_STOP
    while time.monotonic() < until and any(not future.done() for future in futures):
        time.sleep(SECONDS_TO_LOOK)
    client.cancel(futures)
    if not quiet:
        raise Cancelled("studies.cancelled")
