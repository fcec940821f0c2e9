"""Pruning methods side by side under one attack (the paper's Table 1), with the same start, the same texts and one seed."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from robustprune.attacks import archive
from robustprune.attacks import scores as attack_scores
from robustprune.base import stores
from robustprune.base.hashing import digest
from robustprune.base.messages import Message, say
from robustprune.base.progress import Cancel, Progress, part_of, silent
from robustprune.base.store import Entry, understood
from robustprune.lab import accuracy as lab_accuracy
from robustprune.lab import attacks, baselines, evaluations, runs
from robustprune.lab.models import find_model, loaded
from robustprune.specs.attack import AttackSpec
from robustprune.specs.compare import CompareSpec

KIND = "tables"


@dataclass(frozen=True)
class Row:
    """One model of a table.

    Attributes:
        name: the name for display: a model's name or a method.
        model: the name of the model in calls of the lab on this machine.
        start: the model that it was pruned from; None for a model that the user named.
        settings: the settings of the method; None for a model that the user named.
        retrains: True if the method trains; None for a model that the user named.
        seconds: duration of pruning, including training; None for a model that the user named.
        accuracy: accuracy with its interval on all evaluation texts of the data set, which are more than the attacked texts.
        scores: flat scores under attack; rates with their intervals.
        against_first: comparison with the table's first model on the same texts (difference of Aua, McNemar test).
    """

    name: str
    model: str
    start: str | None
    settings: dict[str, Any] | None
    retrains: bool | None
    seconds: float | None
    accuracy: dict[str, Any]
    scores: dict[str, Any]
    against_first: dict[str, Any]


@dataclass(frozen=True)
class MethodTable:
    """A table of models under one attack. ``sparsity`` is the sparsity of the pruned models; None if the table pruned no model."""

    digest: str
    dataset: str
    split: str
    examples: int
    sparsity: float | None
    spec: AttackSpec
    resources: dict[str, str]
    rows: tuple[Row, ...]
    made: dict[str, str]
    shipped: bool = False

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}


@dataclass(frozen=True)
class _Candidate:
    """A row of the table before its model is attacked."""

    name: str
    model: str
    start: str | None = None
    settings: dict[str, Any] | None = None
    retrains: bool | None = None
    seconds: float | None = None


def compare(spec: CompareSpec, command: str = "", progress: Progress = silent, cancel: Cancel | None = None) -> MethodTable:
    """Prunes the start with every requested method, trains the baselines from the data set's head, attacks all models, and stores the table.

    Everything that is already in the store is reused, so an interrupted call continues where it stopped.
    """
    steps = len(spec.prunings) + len(spec.baselines) + 2

    def step(number: int, what: Message | str) -> Progress:
        return part_of(progress, number, steps, what)

    candidates = _candidates(spec, command, step, cancel)
    texts = lab_accuracy.texts_for(find_model(spec.start), spec.dataset, spec.examples, spec.attack.seed)
    attacked = attacks.attack_sample([one.model for one in candidates], texts, spec.attack, step(steps - 2, say("lab.attacks")), cancel)
    rows = []
    for one, run in zip(candidates, attacked, strict=True):
        measured = evaluations.evaluate(one.model, spec.dataset, evaluations.ALL, 0, step(steps - 1, say("lab.accuracy_of", name=one.name)), cancel)
        against_first = attack_scores.compare(attacked[0].results, run.results)
        rows.append({**asdict(one), "accuracy": measured.to_json(), "scores": run.scores.to_json(), "against_first": against_first.to_json()})
    models = [find_model(one.model).digest for one in candidates]
    key = digest("table", models, texts.digest, spec.attack.to_json(), attacked[0].resources, archive.ATTACKS_VERSION)
    document = {
        "dataset": spec.dataset,
        "split": texts.split,
        "examples": len(texts),
        "sparsity": spec.sparsity,
        "spec": spec.attack.to_json(),
        "resources": attacked[0].resources,
        "rows": rows,
        "made": {"command": command},
    }
    return as_table(stores.store().put(KIND, key, archive.signed(document)))


def _candidates(spec: CompareSpec, command: str, step: Callable[[int, str], Progress], cancel: Cancel | None) -> list[_Candidate]:
    """The rows of the table. Prunes and trains the models that are not stored yet. A model that occurs several times gives one row."""
    found = [_Candidate(name, name) for name in dict.fromkeys([spec.start, *spec.others])]
    if spec.baselines:
        baselines.default_head(spec.dataset)  # raises before anything is pruned if no head ships
    for number, pruning in enumerate(spec.prunings):
        run = runs.prune(stores.store(), pruning, loaded, "auto", step(number, pruning.method), cancel)
        found.append(_Candidate(pruning.method, run.ref, pruning.model, pruning.to_json(), False, run.report.seconds))
    for number, baseline in enumerate(spec.baselines, len(spec.prunings)):
        made = baselines.retrain(spec.dataset, baseline, command=command, progress=step(number, baseline.name), cancel=cancel)
        found.append(_Candidate(baseline.name, made.ref, made.card["backbone"], baseline.to_json(), True, made.card["seconds"]))
    return list({one.model: one for one in found}.values())


def all_tables() -> list[MethodTable]:
    """All tables in the store. Tables that were made on this machine come before tables that ship."""
    return [table for entry in stores.store().entries(KIND) if (table := understood(entry, as_table))]


def as_table(entry: Entry) -> MethodTable:
    """Reads the table from an entry of the store."""
    document = archive.unsigned(entry.document)
    rows, spec = tuple(Row(**row) for row in document.pop("rows")), AttackSpec.from_json(document.pop("spec"))
    for row in rows:
        attack_scores.Comparison(**row.against_first)  # raises TypeError if another version wrote it
    return MethodTable(digest=entry.key, rows=rows, spec=spec, shipped=entry.shipped, **document)
