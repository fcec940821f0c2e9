"""What a worker does: one task of a sweep, in a process that Dask started, and what it tells of it."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from robustprune.base.errors import Cancelled, RobustPruneError
from robustprune.base.messages import Message, say
from robustprune.base.progress import Cancel, Progress, part_of
from robustprune.studies.plan import Task

# How often a worker tells how far it is, and looks whether it is to stop.
SECONDS_BETWEEN = 1.0
# Two tasks in one process would prune and attack with the same loaded model at once.
_alone = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """How a task ended: ``error`` is None, or why it failed; ``cancelled``: it was asked to stop."""

    name: str
    worker: str
    seconds: float
    error: str | None = None
    cancelled: bool = False


class _Stop:
    """What the lab takes for its ``cancel``: whether the event of that name is set on the cluster, asked once a second."""

    def __init__(self, name: str) -> None:
        from distributed import Event

        self._event, self._asked, self._set = Event(name), 0.0, False

    def is_set(self) -> bool:
        if not self._set and time.monotonic() - self._asked > SECONDS_BETWEEN:
            self._set, self._asked = self._event.is_set(), time.monotonic()
        return self._set


def execute(task: Task, sweep: str, threads: int | None, code: str) -> Outcome:
    """Prunes, measures and attacks what a task says; what is stored already is not done again. Never raises but for the process's end.

    Args:
        sweep: the name under which the cluster knows the sweep: its event to stop, and the topic of its progress.
        threads: of PyTorch; None: as many as this worker was given.
        code: the version of the program (:func:`versions.code`) that the sweep was planned with.
    """
    import torch
    from distributed import get_worker

    from robustprune.studies import versions

    worker, begun = get_worker(), time.monotonic()
    if versions.code() != code:
        return Outcome(task.name, worker.address, 0.0, versions.REFUSED)
    told = [0.0]

    def progress(done: float, total: float, doing: Message | str, _: Any = None) -> None:
        if time.monotonic() - told[0] > SECONDS_BETWEEN:
            told[0] = time.monotonic()
            worker.log_event(sweep, {"key": task.key, "share": min(done / max(total, 1), 1.0), "text": str(doing)})

    with _alone:
        torch.set_num_threads(threads or worker.state.nthreads)
        try:
            _do(task, progress, _Stop(sweep))
        except Cancelled:
            return Outcome(task.name, worker.address, time.monotonic() - begun, cancelled=True)
        except RobustPruneError as error:
            return Outcome(task.name, worker.address, time.monotonic() - begun, str(error))
        except Exception as error:  # one run that breaks down must not cost the others theirs; its reason is told at the end
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
