"""The plan of a sweep: its tasks, the tasks that are stored already, and an estimate of the time for the others."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from robustprune.base import stores
from robustprune.base.errors import DataError
from robustprune.base.hashing import digest
from robustprune.base.messages import say
from robustprune.base.progress import Progress
from robustprune.lab import accuracy, baselines, runs
from robustprune.lab import attacks as lab_attacks
from robustprune.lab.models import find_model
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.specs.sweep import DEMO, SweepSpec
from robustprune.specs.train import BaselineSpec
from robustprune.texts import datasets

if TYPE_CHECKING:
    import pandas as pd

# The estimated seconds for one pruning and for one attacked text, used if nothing similar was measured before.
SECONDS_TO_PRUNE, SECONDS_A_TEXT = 30.0, 0.5


@dataclass(frozen=True)
class Task:
    """One model of a sweep, which is measured and attacked: an unpruned model, a pruning of a start, or a retrained baseline.

    Attributes:
        name: the name for display.
        model: the unpruned model, or the start of the pruning.
        dataset: the data set of all texts.
        pruning: the settings of the pruning; None for other tasks.
        baseline: the settings of the baseline; None for other tasks.
        attacks: the attacks on the model.
        examples: number of attacked texts.
        keep_weights: True if the weights of a pruned model are kept after the attacks.
    """

    name: str
    model: str
    dataset: str
    pruning: PruneSpec | None
    baseline: BaselineSpec | None
    attacks: tuple[AttackSpec, ...]
    examples: int
    keep_weights: bool

    @property
    def key(self) -> str:
        """The unique key of the task."""
        if self.baseline:  # it starts from the data set's head and does not depend on the start
            return digest("task", self.dataset, self.baseline.to_json())
        return digest("task", self.name, self.model, self.dataset)


@dataclass(frozen=True)
class Plan:
    """The tasks of a sweep in order, and the keys of the tasks whose results are all stored (``done``)."""

    tasks: tuple[Task, ...]
    done: frozenset[str]

    @cached_property
    def left(self) -> tuple[Task, ...]:
        """The tasks that still have to run."""
        return tuple(task for task in self.tasks if task.key not in self.done)

    def seconds(self, measured: "pd.DataFrame", workers: int) -> float:
        """The estimated seconds for the remaining tasks on that number of workers. ``measured`` is the results table of earlier runs."""
        return sum(_seconds(task, measured) for task in self.left) / max(min(workers, len(self.left)), 1)


def plan(spec: SweepSpec, progress: Progress) -> Plan:
    """Makes the tasks of a sweep, checks their models and texts, and looks up which of them are stored.

    Raises:
        SpecError: the settings are not valid.
        ModelError, DataError: a model or a data set of the sweep cannot be found, or they do not fit together.
    """
    tasks = list({task.key: task for task in _tasks(spec)}.values())
    checked = set()
    done = set()
    for number, task in enumerate(tasks):
        progress(number, len(tasks), say("studies.looking_for_stored"), None)
        if (task.model, task.dataset) not in checked:  # checks that texts and classes fit, before any run
            checked.add((task.model, task.dataset))
            accuracy.texts_for(find_model(task.model), task.dataset, task.examples, 0)
            if task.pruning:
                runs.resolve(task.pruning)
        if is_done(task):
            done.add(task.key)
    return Plan(tuple(tasks), frozenset(done))


def is_done(task: Task) -> bool:
    """True if all results of a task are stored. Loads no model."""
    model, store = made_model(task), stores.store()
    if model is None or not all(lab_attacks.find_scores(model, task.examples, attack, task.dataset) for attack in task.attacks):
        return False
    source = find_model(model)
    return bool(task.pruning or accuracy.find(store, source.digest, model, accuracy.texts_for(source, task.dataset, runs.EVALUATION_EXAMPLES, 0)))


def made_model(task: Task) -> str | None:
    """The name of the model that a task makes, or of its unpruned model. None if the made model is not stored."""
    store = stores.store()
    if task.pruning:
        run = runs.find(store, runs.resolve(task.pruning)[0])
        return run.ref if run else None
    if task.baseline:
        made = baselines.find_same(store, task.dataset, task.baseline)
        return made.ref if made else None
    return task.model


def _tasks(spec: SweepSpec) -> list[Task]:
    found = []
    for start in map(_absolute, spec.starts):
        for dataset in spec.datasets:
            name = _dataset(start, dataset)
            for model in (start, *map(_absolute, spec.beside)):
                found.append(Task(model, model, name, None, None, spec.attack.specs, spec.attack.examples, spec.keep_weights))
            for pruning in spec.prunings(start, name):
                said = f"{start} {pruning.asked} {pruning.method} {pruning.adaptive}, {pruning.calibration} texts, seed {pruning.seed}"
                found.append(Task(said, start, name, pruning, None, spec.attack.specs, spec.attack.examples, spec.keep_weights))
            for baseline, seed in spec.retrainings():
                baselines.default_head(name)
                said = f"{name} {baseline.sparsity:.1%} {baseline.name}, seed {seed}"
                found.append(Task(said, start, name, None, baseline, spec.attack.specs, spec.attack.examples, spec.keep_weights))
    return found


def _dataset(start: str, asked: str | None) -> str:
    """The name of the data set for pruning and attacking a start. ``asked`` is the entry of the sweep file."""
    trained_on = find_model(start).dataset
    if asked == DEMO:
        demo = datasets.demo_for(trained_on)
        if demo is None:
            raise DataError("studies.no_demo_texts", start=start)
        return demo
    return _absolute(asked) if asked else datasets.default_for(trained_on)


def _absolute(name: str) -> str:
    """Makes the path of an existing file or folder absolute, so that a worker finds it from any working directory. Keeps other names."""
    path = Path(name).expanduser()
    return str(path.resolve()) if ("/" in name or path.suffix) and path.exists() else name


def _seconds(task: Task, measured: "pd.DataFrame") -> float:
    """The estimated seconds for a task: the medians of similar earlier runs."""
    same = measured[measured["start"] == task.model] if (measured["start"] == task.model).any() else measured
    total = 0.0
    if task.pruning:
        total += _median(same[same["method"] == task.pruning.method]["prune_seconds"].tolist(), SECONDS_TO_PRUNE)
    if task.baseline:
        total += _median(measured[measured["method"] == task.baseline.name]["prune_seconds"].tolist(), SECONDS_TO_PRUNE * 60)
    for attack in task.attacks:
        of_recipe = same[same["recipe"] == attack.recipe]
        total += task.examples * _median((of_recipe["attack_seconds"] / of_recipe["examples"]).tolist(), SECONDS_A_TEXT)
    return total


def _median(values: Sequence[float], otherwise: float) -> float:
    known = [value for value in values if value == value]
    return statistics.median(known) if known else otherwise
