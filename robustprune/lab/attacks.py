"""The lab's calls about attacks: on one text or many, against one model or several side by side, and what they need."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.attacks import archive, samples
from robustprune.attacks.resources import downloads
from robustprune.attacks.resources.names import Missing, check_can_run, describe, missing
from robustprune.attacks.samples import AttackRun
from robustprune.base.errors import DataError, SpecError
from robustprune.base.messages import Message, say
from robustprune.base.progress import Cancel, Progress, cancellable, check_cancelled, part_of, silent
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
    names: Sequence[str], text: str, label: int, spec: AttackSpec, progress: Progress = silent, cancel: Cancel | None = None
) -> "list[AttackTrace]":
    """Attacks one text on several models; what does not depend on the model is computed once. ``progress``'s partial is the trace so far."""
    names = list(dict.fromkeys(names))
    sources = _alike(names)
    text, label = check_text(text), check_label(label, sources[0].labels)
    stored = [find_attack(name, text, label, spec) for name in names]
    missing_places = [i for i, trace in enumerate(stored) if trace is None or trace.resources != resource_names(spec)]
    if not missing_places:
        return stored

    def doing(model: str, word: str) -> Message:
        return say("lab.trying_words", model=model, word=word)

    traces = _attacker([names[i] for i in missing_places], spec, doing, progress, cancel).attack(text, label)
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
    cancel: Cancel | None = None,
    out: Path | None = None,
) -> list[AttackRun]:
    """Attacks a seeded sample of evaluation texts on every model; ``out`` gets the traces as they come.

    What was attacked before, also by a call that did not end, is not attacked again. ``progress``'s partial is the trace so far.
    """
    texts = accuracy.texts_for(find_model(names[0]), dataset, examples, spec.seed)
    if out is not None and out.resolve() in {Path(given).expanduser().resolve() for given in (dataset, spec.synonyms) if given}:
        raise SpecError("lab.traces_over_input", path=out)
    return attack_sample(names, texts, spec, progress, cancel, out)


def attack_sample(
    names: Sequence[str],
    texts: datasets.Texts,
    spec: AttackSpec,
    progress: Progress = silent,
    cancel: Cancel | None = None,
    out: Path | None = None,
) -> list[AttackRun]:
    """As :func:`attack_texts`, on texts that are given."""
    by_name = {source.name: source for source in _alike(list(dict.fromkeys(names)))}
    # One model under several names is attacked once.
    sources = list({source.digest: source for source in by_name.values()}.values())
    check_can_run(spec)

    def doing(model: str, word: str) -> Message:
        return say("lab.model_and_word", model=model, word=word)

    def text_at(place: int) -> Progress:
        return part_of(progress, place, len(texts), say("lab.text_at_hand", done=place + 1, total=len(texts)))

    def waiting(model: str) -> None:
        check_cancelled(cancel)
        progress(0, len(texts), say("lab.waiting_for_another", model=model), None)

    make = partial(_attacker, [source.name for source in sources], spec, doing)
    runs = samples.attack(store(), sources, texts, spec, make, text_at, waiting, cancel, out)
    by_digest = {source.digest: run for source, run in zip(sources, runs, strict=True)}
    return [replace(by_digest[source.digest], model=name) for name, source in by_name.items()]


def transfer(runs: Sequence[AttackRun], progress: Progress = silent, cancel: Cancel | None = None) -> "Transfer":
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


def get_resource(name: str, progress: Progress = silent, cancel: Cancel | None = None, seconds: float = 600.0) -> Path:
    """Downloads a published resource. Raises ResourceMissing, saying what happened and what to do by hand."""
    check_seconds(seconds)
    return downloads.get(name, cancellable(progress, cancel), seconds)


def _alike(names: Sequence[str]) -> list[ModelSource]:
    """The models, whose classes must be the same if they are to be compared; names that transformers made up may stand for any."""
    sources = [find_model(name) for name in names]
    for other in sources[1:]:
        made_up = any(source.labels[0] == "LABEL_0" for source in (sources[0], other))
        if len(other.labels) != len(sources[0].labels) or (other.labels != sources[0].labels and not made_up):
            raise SpecError("lab.classes_differ", first=sources[0].name, labels=sources[0].labels, second=other.name, other_labels=other.labels)
    return sources


def _attacker(names: Sequence[str], spec: AttackSpec, doing: Callable[[str, str], Message], progress: Progress, cancel: Cancel | None) -> "Attacker":
    """The attacker of several models. ``progress`` hears, at every word, the words that were tried, how many there are, what ``doing`` says of
    model and word, and the trace so far."""
    check_can_run(spec)
    progress = cancellable(progress, cancel)
    progress(0, 1, say("lab.loading_model"), None)
    classifiers = [load_model(name, progress, cancel) for name in names]
    progress(0, 1, say("lab.loading_textattack"), None)
    from robustprune.attacks.engine.attacker import Attacker
    from robustprune.attacks.resources import loading

    def watch(trace: "AttackTrace | None") -> None:
        check_cancelled(cancel)
        if trace is not None:
            words = len(trace.importance) or len(trace.words)
            progress(trace.words_tried, words, doing(trace.victim["name"], trace.at_hand), trace)

    return Attacker(classifiers, loading.load(spec, progress), spec, watch)
