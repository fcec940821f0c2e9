"""Conducting a sweep: tasks go to the workers, how far they are comes back, and what ended is counted."""

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
# How long workers that were asked to stop are waited for.
SECONDS_TO_STOP = 20


@dataclass
class SweepRun:
    """What came of a sweep.

    Attributes:
        planned: all tasks; ``skipped``: those that were stored before.
        outcomes: of the others, as they ended.
        seconds: all together.
    """

    planned: int
    skipped: int
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> list[Outcome]:
        """Those that failed, with their reasons."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]

    @property
    def done(self) -> int:
        """How many were run to their end."""
        return len(self.outcomes) - len(self.failed)

    def to_json(self) -> dict[str, Any]:
        """A JSON object: the numbers, and why each failure failed."""
        failures = [{"task": one.name, "reason": one.error} for one in self.failed]
        return {"planned": self.planned, "done": self.done, "skipped": self.skipped, "failed": len(failures), "seconds": self.seconds, "failures": failures}


def conduct(plan: Plan, cluster: "AbstractContextManager[Client]", threads: int | None, progress: Progress, cancel: Cancel) -> SweepRun:
    """Runs what is left of a plan on a cluster.

    Raises:
        Cancelled: ``cancel`` was set; what is finished is stored.
        ClusterError: the cluster cannot do the work, or was lost; what is finished is stored.
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
    # One attempt is one task: a worker that is lost costs what it was at, and Dask gives that to another one, three times at most.
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
    """What workers are at: the share that is done of each task, and what they said last."""

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
    """How a task ended, also where its worker could not tell."""
    from distributed import KilledWorker

    if future.cancelled():
        return Outcome(task.name, "", 0.0, "The cluster gave the task up.")
    error = future.exception()
    if isinstance(error, KilledWorker):
        return Outcome(task.name, "", 0.0, "Every worker that tried it was lost: killed, or out of memory. Try fewer workers.")
    return Outcome(task.name, "", 0.0, f"{type(error).__name__}: {error}") if error else future.result()


def _stop(client: "Client", stop: Any, futures: list["Future"], quiet: bool = False) -> None:
    """Asks the workers to stop, and waits until they have, for a while; raises Cancelled unless ``quiet``."""
    stop.set()
    running = {key for keys in client.processing().values() for key in keys}
    client.cancel([future for future in futures if future.key not in running])
    until = time.monotonic() + SECONDS_TO_STOP
    while time.monotonic() < until and any(not future.done() for future in futures):
        time.sleep(SECONDS_TO_LOOK)
    client.cancel(futures)
    if not quiet:
        raise Cancelled("studies.cancelled")
