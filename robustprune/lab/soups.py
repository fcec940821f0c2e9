"""Soups (averages of models): the ingredients for a data set, the texts for choosing among them, the greedy choice, and its result."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from robustprune.attacks import archive
from robustprune.attacks import scores as attack_scores
from robustprune.base import folders, logs, stores
from robustprune.base.errors import DataError, ModelError, SpecError
from robustprune.base.hashing import digest
from robustprune.base.messages import Message, say
from robustprune.base.progress import Cancel, Progress, silent
from robustprune.base.store import Entry, understood
from robustprune.lab import accuracy, attacks, evaluations
from robustprune.lab.models import find_model, load_model
from robustprune.models import adapters, averaging
from robustprune.models import sources as model_sources
from robustprune.models.loading import Classifier
from robustprune.specs.attack import AttackSpec
from robustprune.specs.train import TrainSpec
from robustprune.texts import datasets
from robustprune.training import split
from robustprune.training.greedy_soup import Robustness, Step, greedy

KIND = "soups"
SOUP_EXAMPLES = 100


@dataclass(frozen=True)
class SoupRun:
    """A finished soup.

    Attributes:
        dataset: the data set of the ingredients' training and of all texts.
        steps: the ingredients in the order of their robustness, each with its scores on the choosing texts and whether it was kept.
        chosen_by: data set, split, number and hash of the choosing texts, which were held out of the ingredients' training.
        evaluated_on: data set, split, number and hash of the attacked evaluation texts.
        reported: scores of every ingredient and of the soup under attack on the evaluation texts, by model name.
        accuracies: accuracy of the same models on all evaluation texts of the data set, with intervals.
        comparisons: the soup compared with every ingredient on the attacked evaluation texts, by the ingredient's name.
        unknown: the ingredients for which it is unknown whether they were trained on the choosing texts.
        seconds: duration of all attacks.
    """

    digest: str
    dataset: str
    spec: AttackSpec
    steps: tuple[Step, ...]
    chosen_by: dict[str, Any]
    evaluated_on: dict[str, Any]
    reported: dict[str, dict[str, Any]]
    accuracies: dict[str, dict[str, Any]]
    comparisons: dict[str, dict[str, Any]]
    unknown: tuple[str, ...]
    seconds: float
    shipped: bool = False

    @property
    def kept(self) -> list[str]:
        """The ingredients that the soup contains, in order."""
        return [step.name for step in self.steps if step.kept]

    @property
    def model(self) -> str:
        """The name of the average in calls of the lab."""
        return average_name(self.kept)

    def to_json(self) -> dict[str, Any]:
        """A JSON object. ``aua`` refers to the attacked evaluation texts, ``accuracy`` to all evaluation texts."""
        turns = {step.name: step for step in self.steps}
        ingredients = [
            {
                "name": name,
                "accuracy": self.accuracies[name]["accuracy"],
                "aua": scores["aua"],
                "kept": turns[name].kept,
                "scores": scores,
                "evaluation": self.accuracies[name],
                "against_soup": self.comparisons[name],
            }
            for name, scores in self.reported.items()
            if name in turns
        ]
        soup = self.reported[self.model]
        return {
            "digest": self.digest,
            "dataset": self.dataset,
            "accuracy": self.accuracies[self.model]["accuracy"],
            "aua": soup["aua"],
            "scores": soup,
            "evaluation": self.accuracies[self.model],
            "ingredients": ingredients,
            "steps": [step.to_json() for step in self.steps],
            "chosen_by": self.chosen_by,
            "evaluated_on": self.evaluated_on,
            "settings": self.spec.to_json(),
            "unknown": list(self.unknown),
            "seconds": self.seconds,
        }


def average_name(names: Sequence[str]) -> str:
    """The name of the average of some models; a single model keeps its own name.

    Raises:
        ModelError: a name contains ``+`` or ``*``, which separate names and weights in the name of an average.
    """
    if wrong := next((name for name in names if "+" in name or "*" in name), None):
        raise ModelError("lab.name_with_separator", name=wrong)
    return names[0] if len(names) == 1 else model_sources.MEAN + "+".join(names)


def is_adversarial(name: str) -> bool:
    """True if a model's card says that it was trained adversarially (FreeLB). False if there is no card or the card does not say."""
    try:
        return model_sources.card(name)["settings"]["freelb"]["steps"] > 0
    except (ModelError, KeyError):
        return False


def ingredients_of(dataset: str) -> list[str]:
    """The shipped ingredients for a data set, given by its own name or by the name of its demo texts."""
    return [name for name in model_sources.ingredients() if dataset in (of := model_sources.card(name)["dataset"], datasets.demo_for(of))]


def choosing_texts(names: Sequence[str], dataset: str) -> tuple[datasets.Texts, tuple[str, ...]]:
    """The training texts of a data set that no model was trained on, and the models for which this is unknown.

    The hash of the training texts on a model's card decides whether it was trained on this data set, whatever the data set's name is. If
    no model held out texts of this data set, all its training texts are returned.

    Raises:
        DataError: a model was trained on all texts, or on unknown texts of this data set, or two models held out different texts.
    """
    texts = datasets.load(dataset, "calibration")
    pools, unknown = {}, []
    parts = cache(partial(split.split, texts))  # cached, because usually all ingredients have the same held-out number
    for name in names:
        folder = find_model(name).folder
        about = adapters.card(folder) if folder and (folder / adapters.CARD).is_file() else {}
        try:
            spec = TrainSpec.from_json(about["settings"])
        except (KeyError, SpecError):  # no card, or the card of another kind of training
            unknown.append(name)
            continue
        trained, held_out = parts(spec.held_out)
        if (trained if spec.rows is None else trained.sample(spec.rows, spec.seed)).digest == about["training"]["texts_sha256"]:
            if not spec.held_out:
                raise DataError("lab.trained_on_all", name=name, dataset=dataset)
            pools[spec.held_out] = held_out
        elif about["dataset"] == dataset:
            raise DataError("lab.trained_on_other_texts", name=name, dataset=dataset)
    if len(pools) > 1:
        numbers = ", ".join(map(str, sorted(pools)))
        raise DataError("lab.different_held_out", numbers=numbers)
    return next(iter(pools.values()), texts), tuple(unknown)


def soup(
    dataset: str,
    ingredients: Sequence[str] | None = None,
    examples: int = SOUP_EXAMPLES,
    choose_by: int = SOUP_EXAMPLES,
    spec: AttackSpec | None = None,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> SoupRun:
    """Makes a robust dense model by greedy weight averaging (Li et al. 2023, Alg. 3).

    The ingredients are chosen by their accuracy under attack on ``choose_by`` training texts that were held out of their training. The
    reported scores come from ``examples`` evaluation texts. Without ``ingredients``, the shipped ingredients of the data set are used. The
    attacks on every model are stored, so an interrupted call continues where it stopped. The partial result of ``progress`` is the list
    of steps so far. Every call of the lab accepts the name ``SoupRun.model`` for the average.

    Raises:
        ModelError: there are no ingredients, or they cannot be averaged.
        DataError: :func:`choosing_texts` says when.
    """
    spec = spec or AttackSpec()
    names = list(dict.fromkeys(ingredients or ingredients_of(dataset)))
    if not names:
        raise ModelError("lab.no_ingredients", dataset=dataset)
    pool, unknown = choosing_texts(names, dataset)
    chosen_by = pool.sample(choose_by, spec.seed)
    sources = [find_model(name) for name in names]
    reported_on = accuracy.texts_for(sources[0], dataset, examples, spec.seed)
    attacked = [spec.to_json(), attacks.resource_names(spec), archive.ATTACKS_VERSION]
    key = digest("soup", names, [source.digest for source in sources], chosen_by.digest, reported_on.digest, attacked)
    if stored := understood(stores.store().get(KIND, key), as_soup):
        return stored
    with logs.work("soup", key):
        check_can_be_averaged(names, progress, cancel)
        steps: list[Step] = []
        seconds = [0.0]

        def step_progress(what: Message) -> Progress:
            return lambda done, total, doing, partial=None: progress(done, total, say("base.part", what=what, doing=doing), list(steps))

        def measure(mixed: Sequence[str]) -> Robustness:
            run = attacks.attack_sample([average_name(mixed)], chosen_by, spec, step_progress(say("lab.average_of", count=len(mixed))), cancel)[0]
            seconds[0] += run.seconds
            return Robustness(run.scores.acc.value, run.scores.aua.value)

        def report(so_far: Sequence[Step]) -> None:
            steps[:] = so_far

        # Attacking all ingredients side by side is faster than one by one. Later, measure finds these results in the store.
        attacks.attack_sample(names, chosen_by, spec, step_progress(say("lab.ingredients")), cancel)
        greedy(names, measure, report)
        mixed = average_name([step.name for step in steps if step.kept])
        everybody = list(dict.fromkeys([*names, mixed]))
        runs = attacks.attack_sample(everybody, reported_on, spec, step_progress(say("lab.scores")), cancel)
        measuring = step_progress(say("lab.accuracy"))
        measured = {name: evaluations.evaluate(name, dataset, evaluations.ALL, 0, measuring, cancel).to_json() for name in everybody}
        made = _result(dataset, spec, steps, chosen_by, reported_on, runs, unknown, seconds[0] + sum(run.seconds for run in runs)) | {"accuracies": measured}
        return as_soup(stores.store().put(KIND, key, archive.signed(made)))


def check_can_be_averaged(names: Sequence[str], progress: Progress, cancel: Cancel | None) -> None:
    """Raises ModelError if the models cannot be averaged or their average cannot be named. This runs before the long work begins."""
    model_sources.find(average_name(names))
    loaded = [load_model(name, progress, cancel).model for name in names]
    averaging.check_alike(loaded, names)


def all_soups() -> list[SoupRun]:
    """All soups in the store. Soups that were made on this machine come before soups that ship."""
    return [soup for entry in stores.store().entries(KIND) if (soup := understood(entry, as_soup))]


def as_soup(entry: Entry) -> SoupRun:
    """Reads the soup from an entry of the store."""
    document = archive.unsigned(entry.document)
    steps = tuple(Step.from_json(step) for step in document.pop("steps"))
    spec = AttackSpec.from_json(document.pop("spec"))
    for one in document["comparisons"].values():
        attack_scores.Comparison(**one)  # raises TypeError if another version wrote it
    return SoupRun(digest=entry.key, steps=steps, spec=spec, unknown=tuple(document.pop("unknown")), shipped=entry.shipped, **document)


def export_average(run: SoupRun, out: Path, progress: Progress = silent, cancel: Cancel | None = None) -> Path:
    """Writes a soup to the new folder ``out``: a model that transformers can load, and ``soup.json`` with the steps of the choice."""
    folders.check_is_free(out)
    classifier = load_model(run.model, progress, cancel)

    def write(folder: Path) -> None:
        _write(folder, classifier, run)

    folders.write_whole(out, write)
    return out


def write_recipe(run: SoupRun, out: Path, command: str) -> Path:
    """Writes only a soup's card to ``out``, which names its ingredients; soups ship in this form. The ingredients must ship themselves."""
    folders.replace_whole(out, adapters.CARD, lambda folder: _write_recipe(folder, out.name, run, command))
    return out


def _write(folder: Path, classifier: Classifier, run: SoupRun) -> None:
    """Writes the average in the format of transformers, and ``soup.json``."""
    from robustprune.models.about import ABOUT

    classifier.model.save_pretrained(folder)
    classifier.tokenizer.save_pretrained(folder)
    (folder / ABOUT).write_text(json.dumps({"dataset": run.dataset, "soup": run.digest}) + "\n", encoding="utf-8")
    (folder / "soup.json").write_text(json.dumps(run.to_json(), indent=2) + "\n", encoding="utf-8")


def _write_recipe(folder: Path, name: str, run: SoupRun, command: str) -> None:
    """Writes a card that names the ingredients, without weights. Raises ModelError unless all ingredients ship with the project."""
    if strangers := [one for one in run.kept if one not in model_sources.ingredients()]:
        raise ModelError("lab.ingredient_does_not_ship", name=strangers[0])
    about = {
        "name": name,
        "dataset": run.dataset,
        "labels": list(find_model(run.kept[0]).labels),
        "ingredients": run.kept,
        "command": command,
        "soup": run.digest,
        "scores": {**run.accuracies[run.model], "model": name, "under_attack": run.reported[run.model]},
        "chosen_by": run.chosen_by,
        "evaluated_on": run.evaluated_on,
        "seconds": round(run.seconds),
        "sha256": {},
    }
    (folder / adapters.CARD).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _result(
    dataset: str,
    spec: AttackSpec,
    steps: Sequence[Step],
    chosen_by: datasets.Texts,
    reported_on: datasets.Texts,
    runs: Sequence[attacks.AttackRun],
    unknown: tuple[str, ...],
    seconds: float,
) -> dict[str, Any]:
    turns = {step.name for step in steps}
    soup = next(run for run in runs if run.model == average_name([step.name for step in steps if step.kept]))
    return {
        "dataset": dataset,
        "spec": spec.to_json(),
        "steps": [step.to_json() for step in steps],
        "chosen_by": _about(chosen_by),
        "evaluated_on": _about(reported_on),
        "reported": {run.model: run.scores.to_json() for run in runs},
        "comparisons": {run.model: attack_scores.compare(run.results, soup.results).to_json() for run in runs if run.model in turns},
        "unknown": list(unknown),
        "seconds": seconds,
    }


def _about(texts: datasets.Texts) -> dict[str, Any]:
    return {"dataset": texts.dataset, "split": texts.split, "examples": len(texts), "texts_sha256": texts.digest}
