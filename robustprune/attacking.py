"""The lab's calls about attacks: on one text or many, against one model or several side by side, and what they need."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune import attack_runs, data, evaluation
from robustprune.attack_runs import AttackRun
from robustprune.attacks import archive, downloads
from robustprune.attacks.resource_names import Missing, check_can_run, describe, missing
from robustprune.loading import Progress, find_model, load_model, silent, store
from robustprune.runs import check
from robustprune.spec import AttackSpec, check_label, check_text

if TYPE_CHECKING:
    from robustprune.attacks.run import Attacker
    from robustprune.attacks.trace import AttackTrace
    from robustprune.attacks.transfer import Transfer

ATTACK_EXAMPLES = 60


def attack_text(model: str, text: str, label: int, spec: AttackSpec, progress: Progress = silent, cancel: threading.Event | None = None) -> "AttackTrace":
    """Attacks one text. Stored by model, text, label, spec and resources."""
    return attack_side_by_side([model], text, label, spec, progress, cancel)[0]


def attack_side_by_side(
    names: Sequence[str], text: str, label: int, spec: AttackSpec, progress: Progress = silent, cancel: threading.Event | None = None
) -> "list[AttackTrace]":
    """Attacks one text on several models; what does not depend on the model is computed once. ``progress``'s partial is the trace so far."""
    sources = [find_model(name) for name in names]
    text = check_text(text)
    for source in sources:
        check_label(label, source.labels)
    stored = [archive.find_trace(store(), source.digest, text, label, spec) for source in sources]
    if all(trace and trace.resources == resource_names(spec) for trace in stored):
        return stored

    def heard(word: str, done: int, total: int, trace: "AttackTrace") -> None:
        progress(done, total, f"{trace.victim['name']}: trying words in place of {word}", trace)

    traces = _attacker(names, spec, progress, heard, cancel).attack(text, label)
    for source, trace in zip(sources, traces, strict=True):
        if trace.outcome != "stopped":
            archive.put_trace(store(), source.digest, trace, spec)
    return traces


def find_attack(model: str, text: str, label: int, spec: AttackSpec) -> "AttackTrace | None":
    """The stored trace of such an attack, if there is one. Answers without loading a model."""
    return archive.find_trace(store(), find_model(model).digest, text, label, spec)


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
    names = list(dict.fromkeys(names))
    sources = [find_model(name) for name in names]
    texts = evaluation.texts_for(sources[0], dataset, examples, spec.seed)
    for source in sources:
        texts.check_labels(source.labels)
    at = [0]

    def told(place: int) -> None:
        at[0] = place

    def of_many(done: float, total: float, text: str, partial: Any = None) -> None:
        progress(at[0] + done / max(total, 1), len(texts), f"text {at[0] + 1} of {len(texts)}: {text}", partial)

    def heard(word: str, done: int, total: int, trace: "AttackTrace") -> None:
        of_many(done, total, f"{trace.victim['name']}, {word}", trace)

    return attack_runs.attack(store(), sources, texts, spec, lambda: _attacker(names, spec, of_many, heard, cancel), told, lambda: check(cancel), out)


def transfer(runs: Sequence[AttackRun], progress: Progress = silent, cancel: threading.Event | None = None) -> "Transfer":
    """Whether the texts that flipped one model flip the others, of attack runs over the same texts."""
    from robustprune import inference
    from robustprune.attacks.transfer import transfer as ask

    def predictor(name: str) -> Any:
        classifier = load_model(name, progress, cancel)
        return lambda texts: inference.logits(classifier.model, classifier.tokenizer, texts, lambda *_: check(cancel)).argmax(-1).tolist()

    return ask({run.model: run.results for run in runs}, {run.model: predictor(run.model) for run in runs})


def find_scores(model: str, examples: int = ATTACK_EXAMPLES, spec: AttackSpec | None = None) -> dict[str, Any] | None:
    """The stored scores of a model under attack on a sample of its demo texts, if they were ever computed."""
    source, spec = find_model(model), spec or AttackSpec()
    texts = evaluation.texts_for(source, data.demo_for(source.dataset), examples, spec.seed)
    entry = archive.find_scores(store(), source.digest, texts, spec)
    return entry.document if entry else None


def resource_names(spec: AttackSpec) -> dict[str, str]:
    """The names of the resources that an attack would use now."""
    return describe(spec).to_json()


def missing_resources(spec: AttackSpec) -> list[Missing]:
    """What the recipe as published would use and this machine has not; where nothing stands in for it, the recipe cannot run."""
    return missing(spec)


def get_resource(name: str, progress: Progress = silent, cancel: threading.Event | None = None, seconds: float = 600.0) -> Path:
    """Downloads a published resource. Raises ResourceMissing, saying what happened and what to do by hand."""
    return downloads.get(name, lambda done, total, text: progress(done, total, text, None), lambda: check(cancel), seconds)


def _attacker(names: Sequence[str], spec: AttackSpec, progress: Progress, heard: Any, cancel: threading.Event | None) -> "Attacker":
    """The attacker of several models. ``heard`` is told, at every word, the word, the words done and all there are, and the trace so far."""
    check_can_run(spec)
    progress(0, 1, "loading the model", None)
    classifiers = [load_model(name, progress, cancel) for name in names]
    check(cancel)
    progress(0, 1, "loading TextAttack", None)
    from robustprune.attacks import resources, run

    def say(what: str) -> None:
        check(cancel)
        progress(0, 1, f"preparing: {what}", None)

    def watch(trace: "AttackTrace | None") -> None:
        check(cancel)
        if trace is not None:
            heard(trace.at_hand, trace.words_tried, max(len(trace.importance), 1), trace)

    return run.Attacker(classifiers, resources.load(spec, say), spec, watch)
