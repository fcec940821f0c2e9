"""Runs one task of a sweep inside a Dask worker, and reports its progress and its outcome."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from robustprune.base.errors import Cancelled, RobustPruneError
from robustprune.base.messages import Message, say
from robustprune.base.progress import Cancel, Progress, part_of
from robustprune.studies.plan import Task

# The seconds between two progress reports of a worker, and between two checks whether it must stop.
SECONDS_BETWEEN = 1.0
# The lock allows one task at a time per process, because two tasks would use the same loaded model at the same time.
_alone = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """How a task ended. ``error`` is the reason of a failure, or None; ``cancelled`` is True if the task was stopped on request."""

    name: str
    worker: str
    seconds: float
    error: str | None = None
    cancelled: bool = False


class _Stop:
    """The ``cancel`` argument for calls of the lab. It is set if the cluster's event ``name`` is set; it asks once a second."""

    def __init__(self, name: str) -> None:
        from distributed import Event

        self._event, self._asked, self._set = Event(name), 0.0, False

    def is_set(self) -> bool:
        if not self._set and time.monotonic() - self._asked > SECONDS_BETWEEN:
            self._set, self._asked = self._event.is_set(), time.monotonic()
        return self._set


def execute(task: Task, sweep: str, threads: int | None, code: str) -> Outcome:
    """Runs a task: prunes, measures and attacks. Results that are already stored are reused.

    Errors are returned in the outcome. Only exceptions that end the process, such as KeyboardInterrupt, are raised.

    Args:
        sweep: name of the sweep on the cluster. The stop event and the progress topic have this name.
        threads: number of threads for PyTorch; None means the number of threads of this worker.
        code: the version of the program (:func:`versions.code`) that planned the sweep.
    """
    import torch
    from distributed import get_worker

    from robustprune.studies import versions

    worker, begun = get_worker(), time.monotonic()
    if versions.code() != code:
        return Outcome(task.name, worker.address, 0.0, versions.REFUSED)
    last = [0.0]

    def progress(done: float, total: float, doing: Message | str, _: Any = None) -> None:
        if time.monotonic() - last[0] > SECONDS_BETWEEN:
            last[0] = time.monotonic()
            worker.log_event(sweep, {"key": task.key, "share": min(done / max(total, 1), 1.0), "text": str(doing)})

    with _alone:
        torch.set_num_threads(threads or worker.state.nthreads)
        try:
            _do(task, progress, _Stop(sweep))
        except Cancelled:
            return Outcome(task.name, worker.address, time.monotonic() - begun, cancelled=True)
        except RobustPruneError as error:
            return Outcome(task.name, worker.address, time.monotonic() - begun, str(error))
        except Exception as error:  # one failed run must not stop the others; the reason is shown at the end
            return Outcome(task.name, worker.address, time.monotonic() - begun, f"{type(error).__name__}: {error}")
    return Outcome(task.name, worker.address, time.monotonic() - begun)


def _do(task: Task, progress: Progress, cancel: Cancel) -> None:
    from robustprune.base import stores
    from robustprune.lab import attacks, baselines, evaluations, models, runs

    store, steps = stores.store(), len(task.attacks) + 1

    def step(number: int, what: Message | str) -> Progress:
        return part_of(progress, number, steps, what)

    model, made = task.model, None
    if task.pruning:
        key = runs.resolve(task.pruning)[0]
        known = runs.find(store, key)
        made = None if known and known.model_dir else key
        model = (known or runs.prune(store, task.pruning, models.loaded, "auto", step(0, say("studies.pruning")), cancel)).ref
    elif task.baseline:
        model = baselines.retrain(task.dataset, task.baseline, progress=step(0, say("studies.training")), cancel=cancel).ref
    if not task.pruning:
        evaluations.evaluate(model, task.dataset, runs.EVALUATION_EXAMPLES, 0, step(0, say("studies.accuracy")), cancel)
    for number, attack in enumerate(task.attacks, 1):
        attacks.attack_texts([model], task.dataset, task.examples, attack, step(number, attack.recipe), cancel)
    if made and not task.keep_weights:
        runs.drop_weights(store, made)
