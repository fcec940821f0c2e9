"""Methods side by side under one attack: the paper's Table 1, on one start, the same texts and one seed."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from robustprune import attacking, evaluating, evaluation, loading, retraining
from robustprune import runs as _runs
from robustprune.attacks import metrics
from robustprune.loading import Progress, find_model, loaded
from robustprune.spec import AttackSpec, PruneSpec, digest
from robustprune.store import Entry, understood
from robustprune.training_specs import BaselineSpec

KIND = "tables"


@dataclass(frozen=True)
class Row:
    """One model of a table.

    Attributes:
        name: what it is, for people: a model's name, or a method.
        model: the name by which the lab knows it on this machine.
        start: what it was pruned from; None of a dense model.
        settings: of the method; None of a model that was given.
        retrains: whether the method trains; None of a model that was given.
        seconds: what pruning took, with training where it trains; None of a model that was given.
        accuracy: on as many evaluation texts as there are, with its interval: more than are attacked.
        scores: under attack, flat, rates with their intervals.
        against_first: compared with the table's first model on the same texts (Aua, McNemar).
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
class Table:
    """Models under one attack. ``sparsity``: of the pruned ones; None where none were pruned here."""

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
    """A row before it is attacked."""

    name: str
    model: str
    start: str | None = None
    settings: dict[str, Any] | None = None
    retrains: bool | None = None
    seconds: float | None = None


def make(
    start: str,
    others: Sequence[str],
    prunings: Sequence[PruneSpec],
    baselines: Sequence[BaselineSpec],
    dataset: str,
    examples: int,
    spec: AttackSpec,
    command: str,
    progress: Progress,
    cancel: threading.Event | None,
) -> Table:
    """Prunes ``start`` in every way asked for, trains the baselines from the data set's head, attacks all, and stores the table.

    Whatever was pruned, trained or attacked before is taken from the store, so an interrupted call goes on.
    """
    candidates = [_Candidate(name, name) for name in dict.fromkeys([start, *others])]
    steps = len(prunings) + len(baselines) + 2

    def told(number: int, what: str) -> Progress:
        return lambda done, total, text, partial=None: progress(number + min(done / max(total, 1), 1.0), steps, f"{what}: {text}", partial)

    if baselines:
        retraining.default_head(dataset)  # before anything is pruned, if there is none
    for number, pruning in enumerate(prunings):
        run = _runs.prune(loading.store(), pruning, loaded, "auto", told(number, pruning.method), cancel)
        candidates.append(_Candidate(pruning.method, run.ref, pruning.model, pruning.to_json(), False, run.report.seconds))
    for number, baseline in enumerate(baselines, len(prunings)):
        made = retraining.retrain(loading.store(), dataset, baseline, None, None, command, "auto", told(number, baseline.name), cancel)
        candidates.append(_Candidate(baseline.name, made.ref, made.card["backbone"], baseline.to_json(), True, made.card["seconds"]))
    candidates = list({one.model: one for one in candidates}.values())
    texts = evaluation.texts_for(find_model(start), dataset, examples, spec.seed)
    attacked = attacking.attack_sample([one.model for one in candidates], texts, spec, told(steps - 2, "attacks"), cancel)
    measured = [evaluating.evaluate(one.model, dataset, evaluating.ALL, 0, told(steps - 1, f"accuracy of {one.name}"), cancel).to_json() for one in candidates]
    rows = [
        {**asdict(one), "accuracy": accuracy, "scores": run.scores.to_json(), "against_first": metrics.compare(attacked[0].results, run.results).to_json()}
        for one, run, accuracy in zip(candidates, attacked, measured, strict=True)
    ]
    sources = [find_model(one.model).digest for one in candidates]
    key = digest("table", sources, texts.digest, spec.to_json(), attacked[0].resources)
    document = {
        "dataset": dataset,
        "split": texts.split,
        "examples": len(texts),
        "sparsity": prunings[0].sparsity if prunings else baselines[0].sparsity if baselines else None,
        "spec": spec.to_json(),
        "resources": attacked[0].resources,
        "rows": rows,
        "made": {"command": command},
    }
    return as_table(loading.store().put(KIND, key, document))


def every() -> list[Table]:
    """All tables that were made here or ship, those of this machine first."""
    return [table for entry in loading.store().entries(KIND) if (table := understood(entry, as_table))]


def as_table(entry: Entry) -> Table:
    """The table that an entry of the store holds."""
    document = dict(entry.document)
    rows, spec = tuple(Row(**row) for row in document.pop("rows")), AttackSpec.from_json(document.pop("spec"))
    for row in rows:
        metrics.Comparison(**row.against_first)  # a TypeError tells of another version
    return Table(digest=entry.key, rows=rows, spec=spec, shipped=entry.shipped, **document)
