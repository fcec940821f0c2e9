"""The lab's calls about attacks: on one text or many, against one model or several side by side, and what they need."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.attacks import archive, samples
from robustprune.attacks.resources import downloads
from robustprune.attacks.resources.names import Missing, check_can_run, describe, missing
from robustprune.attacks.samples import AttackRun
from robustprune.base.errors import DataError, SpecError
from robustprune.base.progress import Progress, check_cancelled, silent
from robustprune.base.stores import store
from robustprune.lab import accuracy
from robustprune.lab.models import find_model, load_model
from robustprune.models.sources import ModelSource
from robustprune.specs.attack import AttackSpec, check_label, check_seconds, check_text
from robustprune.texts import datasets

if TYPE_CHECKING:
    from robustprune.attacks.engine.attacker import Attacker
    from robustprune.attacks.traces.trace import AttackTrace
    from robustprune.attacks.transfer import Transfer

ATTACK_EXAMPLES = 60


def attack_side_by_side(
    names: Sequence[str], text: str, label: int, spec: AttackSpec, progress: Progress = silent, cancel: threading.Event | None = None
) -> "list[AttackTrace]":
    """Attacks one text on several models; what does not depend on the model is computed once. ``progress``'s partial is the trace so far."""
    names = list(dict.fromkeys(names))
    sources = _alike(names)
    text, label = check_text(text), check_label(label, sources[0].labels)
    stored = [find_attack(name, text, label, spec) for name in names]
    missing_places = [i for i, trace in enumerate(stored) if trace is None or trace.resources != resource_names(spec)]
    if not missing_places:
        return stored

    def heard(word: str, done: int, total: int, trace: "AttackTrace") -> None:
        progress(done, total, f"{trace.victim['name']}: trying words in place of {word}", trace)

    traces = _attacker([names[i] for i in missing_places], spec, progress, heard, cancel).attack(text, label)
    for i, trace in zip(missing_places, traces, strict=True):
        stored[i] = trace
        if trace.outcome != "stopped":
            archive.put_trace(store(), sources[i].digest, trace, spec)
    return stored


def find_attack(model: str, text: str, label: int, spec: AttackSpec) -> "AttackTrace | None":
    """The stored trace of such an attack, if there is one. Answers without loading a model."""
    return find_attacks(model, [(text, label)], spec)[0]


def find_attacks(model: str, texts: Sequence[tuple[str, int]], spec: AttackSpec) -> "list[AttackTrace | None]":
    """The same for several texts with their labels."""
    traces = archive.find_traces(store(), find_model(model).digest, texts, spec)
    return [replace(trace, victim={**trace.victim, "name": model}) if trace else None for trace in traces]


def attack_texts(
    names: Sequence[str],
    dataset: str | None,
    examples: int,
    spec: AttackSpec,
    progress: Progress = silent,
    cancel: threading.Event | None = None,
    out: Path | None = None,
) -> list[AttackRun]:
    """Attacks a seeded sample of evaluation texts on every model; ``out`` gets the traces as they come.

    What was attacked before, also by a call that did not end, is not attacked again. ``progress``'s partial is the trace so far.
    """
    texts = accuracy.texts_for(find_model(names[0]), dataset, examples, spec.seed)
    if out is not None and out.resolve() in {Path(given).expanduser().resolve() for given in (dataset, spec.synonyms) if given}:
        raise SpecError(f"The traces would be written over {out}, which the attack reads. Name another file.")
    return attack_sample(names, texts, spec, progress, cancel, out)


def attack_sample(
    names: Sequence[str],
    texts: datasets.Texts,
    spec: AttackSpec,
    progress: Progress = silent,
    cancel: threading.Event | None = None,
    out: Path | None = None,
) -> list[AttackRun]:
    """As :func:`attack_texts`, on texts that are given."""
    by_name = {source.name: source for source in _alike(list(dict.fromkeys(names)))}
    # One model under several names is attacked once.
    sources = list({source.digest: source for source in by_name.values()}.values())
    check_can_run(spec)
    at = [0]

    def told(place: int) -> None:
        at[0] = place

    def of_many(done: float, total: float, text: str, partial: Any = None) -> None:
        progress(at[0] + min(done / max(total, 1), 1.0), len(texts), f"text {at[0] + 1} of {len(texts)}: {text}", partial)

    def heard(word: str, done: int, total: int, trace: "AttackTrace") -> None:
        of_many(done, total, f"{trace.victim['name']}, {word}", trace)

    def waiting(model: str) -> None:
        progress(0, len(texts), f"waiting for another process that attacks {model} on the same texts", None)

    make = partial(_attacker, [source.name for source in sources], spec, of_many, heard, cancel)
    runs = samples.attack(store(), sources, texts, spec, make, told, lambda: check_cancelled(cancel), waiting, out)
    by_digest = {source.digest: run for source, run in zip(sources, runs, strict=True)}
    return [replace(by_digest[source.digest], model=name) for name, source in by_name.items()]


def transfer(runs: Sequence[AttackRun], progress: Progress = silent, cancel: threading.Event | None = None) -> "Transfer":
    """Whether the texts that flipped one model flip the others, of attack runs over the same texts."""
    from robustprune.attacks.transfer import transfer as ask
    from robustprune.models import inference

    def predictor(name: str) -> Any:
        classifier = load_model(name, progress, cancel)
        return lambda texts: inference.logits(classifier.model, classifier.tokenizer, texts, lambda *_: check_cancelled(cancel)).argmax(-1).tolist()

    return ask({run.model: run.results for run in runs}, {run.model: predictor(run.model) for run in runs})


def find_scores(model: str, examples: int = ATTACK_EXAMPLES, spec: AttackSpec | None = None, dataset: str | None = None) -> dict[str, Any] | None:
    """The stored scores of a model under attack on a sample of ``dataset``, left out of its demo texts; None if they were never computed.

    None also where the texts are not to be had.
    """
    spec = spec or AttackSpec()
    try:
        source = find_model(model)
        texts = accuracy.texts_for(source, dataset or datasets.demo_for(source.dataset), examples, spec.seed)
    except DataError:
        return None
    entry = archive.find_scores(store(), source.digest, texts, spec)
    return entry.document if entry else None


def find_comparison(first: str, second: str) -> dict[str, Any] | None:
    """The second model against the first, text by text, from the stored attacks on their demo texts; None unless both are there."""
    from robustprune.attacks import scores as attack_scores

    stored = [find_scores(model) for model in (first, second)]
    if not all(stored):
        return None
    return attack_scores.compare(*([attack_scores.Result(**result) for result in scores["results"]] for scores in stored)).to_json()


def resource_names(spec: AttackSpec) -> dict[str, str]:
    """The names of the resources that an attack would use now."""
    return describe(spec).to_json()


def missing_resources(spec: AttackSpec) -> list[Missing]:
    """What the recipe as published would use and this machine has not; where nothing stands in for it, the recipe cannot run."""
    return missing(spec)


def get_resource(name: str, progress: Progress = silent, cancel: threading.Event | None = None, seconds: float = 600.0) -> Path:
    """Downloads a published resource. Raises ResourceMissing, saying what happened and what to do by hand."""
    check_seconds(seconds)
    return downloads.get(name, lambda done, total, text: progress(done, total, text, None), lambda: check_cancelled(cancel), seconds)


def _alike(names: Sequence[str]) -> list[ModelSource]:
    """The models, whose classes must be the same if they are to be compared; names that transformers made up may stand for any."""
    sources = [find_model(name) for name in names]
    for other in sources[1:]:
        made_up = any(source.labels[0] == "LABEL_0" for source in (sources[0], other))
        if len(other.labels) != len(sources[0].labels) or (other.labels != sources[0].labels and not made_up):
            raise SpecError(
                f"The models {sources[0].name} ({', '.join(sources[0].labels)}) and {other.name} ({', '.join(other.labels)}) have different classes. "
                "Attack them one at a time."
            )
    return sources


def _attacker(names: Sequence[str], spec: AttackSpec, progress: Progress, heard: Any, cancel: threading.Event | None) -> "Attacker":
    """The attacker of several models. ``heard`` is told, at every word, the word, the words done and all there are, and the trace so far."""
    check_can_run(spec)
    progress(0, 1, "loading the model", None)
    classifiers = [load_model(name, progress, cancel) for name in names]
    check_cancelled(cancel)
    progress(0, 1, "loading TextAttack", None)
    from robustprune.attacks.engine.attacker import Attacker
    from robustprune.attacks.resources import loading

    def say(what: str) -> None:
        check_cancelled(cancel)
        progress(0, 1, f"preparing: {what}", None)

    def watch(trace: "AttackTrace | None") -> None:
        check_cancelled(cancel)
        if trace is not None:
            heard(trace.at_hand, trace.words_tried, len(trace.importance) or len(trace.words), trace)

    return Attacker(classifiers, loading.load(spec, say), spec, watch)
