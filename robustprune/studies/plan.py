"""What a sweep comes to: its tasks, which of them are stored already, and about how long the others take."""

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

# Where nothing like it was ever measured: seconds of a pruning, and of one attacked text.
SECONDS_TO_PRUNE, SECONDS_A_TEXT = 30.0, 0.5


@dataclass(frozen=True)
class Task:
    """One model of a sweep: a start or a model beside it as it is, a pruning, or a retrained baseline; measured and attacked.

    Attributes:
        name: what it is, for people.
        model: what is attacked as it is, or pruned.
        dataset: where all texts come from.
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
        """What tells this task from all others."""
        if self.baseline:  # which starts from the data set's head, whatever else is pruned
            return digest("task", self.dataset, self.baseline.to_json())
        return digest("task", self.name, self.model, self.dataset)


@dataclass(frozen=True)
class Plan:
    """The tasks of a sweep, in their order, and which of them are stored already."""

    tasks: tuple[Task, ...]
    done: frozenset[str]

    @cached_property
    def left(self) -> tuple[Task, ...]:
        """The tasks that are to be run."""
        return tuple(task for task in self.tasks if task.key not in self.done)

    def seconds(self, measured: "pd.DataFrame", workers: int) -> float:
        """About how long the tasks that are left take, by what earlier runs took (the results table)."""
        return sum(_seconds(task, measured) for task in self.left) / max(min(workers, len(self.left)), 1)


def plan(spec: SweepSpec, progress: Progress) -> Plan:
    """Settles what a sweep names, and looks what is stored.

    Raises:
        SpecError, ModelError, DataError: something that it names is not to be had, or does not fit together.
    """
    tasks = list({task.key: task for task in _tasks(spec)}.values())
    checked = set()
    done = set()
    for number, task in enumerate(tasks):
        progress(number, len(tasks), say("studies.looking_for_stored"), None)
        if (task.model, task.dataset) not in checked:  # that texts and classes fit, before anything runs
            checked.add((task.model, task.dataset))
            accuracy.texts_for(find_model(task.model), task.dataset, task.examples, 0)
            if task.pruning:
                runs.resolve(task.pruning)
        if is_done(task):
            done.add(task.key)
    return Plan(tuple(tasks), frozenset(done))


def is_done(task: Task) -> bool:
    """Whether everything that a task gives is stored. Loads no model."""
    model, store = made_model(task), stores.store()
    if model is None or not all(lab_attacks.find_scores(model, task.examples, attack, task.dataset) for attack in task.attacks):
        return False
    source = find_model(model)
    return bool(task.pruning or accuracy.find(store, source.digest, model, accuracy.texts_for(source, task.dataset, runs.EVALUATION_EXAMPLES, 0)))


def made_model(task: Task) -> str | None:
    """The name of the model that a task makes, or takes as it is; None if it is not stored."""
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
    """The name of the data set that a start is pruned and attacked with."""
    card = find_model(start).dataset
    if asked == DEMO:
        demo = datasets.demo_for(card)
        if demo is None:
            raise DataError("studies.no_demo_texts", start=start)
        return demo
    return _absolute(asked) if asked else datasets.default_for(card)


def _absolute(name: str) -> str:
    """A file or folder by its whole path, so that a worker finds it from wherever it was started."""
    path = Path(name).expanduser()
    return str(path.resolve()) if ("/" in name or path.suffix) and path.exists() else name


def _seconds(task: Task, measured: "pd.DataFrame") -> float:
    """What a task like this one took, by the median of those that are most alike."""
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
