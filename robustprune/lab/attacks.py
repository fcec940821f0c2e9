"""The lab's calls about attacks: on one or many texts, against one or several models side by side, and the resources they need."""

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
from robustprune.specs.recipes import RECIPES, SYNONYMS, WORDNET
from robustprune.texts import datasets

if TYPE_CHECKING:
    from robustprune.attacks.engine.attacker import Attacker
    from robustprune.attacks.traces.trace import AttackTrace
    from robustprune.attacks.transfer import Transfer

ATTACK_EXAMPLES = 60


def attack_side_by_side(
    names: Sequence[str], text: str, label: int, spec: AttackSpec, progress: Progress = silent, cancel: Cancel | None = None
) -> "list[AttackTrace]":
    """Attacks one text on several models. Everything that does not depend on the model is computed once.

    Traces in the store are reused if they were made with the same resources. The models are loaded and attacked one after the other, and every
    trace is stored at once: the weights of the next model may have to be made first. The partial result of ``progress`` is the trace so far.
    """
    names = list(dict.fromkeys(names))
    sources = _alike(names)
    text, label = check_text(text), check_label(label, sources[0].labels)
    stored = [find_attack(name, text, label, spec) for name in names]
    missing_places = [i for i, trace in enumerate(stored) if trace is None or trace.resources != resource_names(spec)]
    if not missing_places:
        return stored

    def doing(model: str, word: str) -> Message:
        return say("lab.trying_words", model=model, word=word)

    attacker = _attacker([], spec, doing, progress, cancel)
    for place, i in enumerate(missing_places):
        progress(0, 1, say("lab.loading_model"), None)
        attacker.add(load_model(names[i], progress, cancel))
        (stored[i],) = attacker.attack(text, label, only=[place])
        if stored[i].outcome != "stopped":
            archive.put_trace(store(), sources[i].digest, stored[i], spec)
    return stored


def lacks_english(text: str, spec: AttackSpec) -> bool:
    """True if the recipe takes English words from a list or from WordNet, and the text is not English."""
    from robustprune.attacks.resources.language import is_english

    return needs_english(spec.recipe) and not is_english(text)


def needs_english(recipe: str) -> bool:
    """True if a recipe takes English words from a list or from WordNet."""
    return bool(RECIPES[recipe].needs & {SYNONYMS, WORDNET})


def find_attack(model: str, text: str, label: int, spec: AttackSpec) -> "AttackTrace | None":
    """The stored trace of an attack on one text, or None. Loads no model."""
    return find_attacks(model, [(text, label)], spec)[0]


def find_attacks(model: str, texts: Sequence[tuple[str, int]], spec: AttackSpec) -> "list[AttackTrace | None]":
    """The stored trace for each (text, label) pair, or None where no trace is stored. Loads no model."""
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
    """Attacks a seeded sample of evaluation texts on every model. ``out`` is a file that receives every trace as its attack ends.

    A text that was attacked before, also by an interrupted call, is not attacked again. The partial result of ``progress`` is the trace
    so far.
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
    """Like :func:`attack_texts`, but on the given texts."""
    by_name = {source.name: source for source in _alike(list(dict.fromkeys(names)))}
    # A model that is given under several names is attacked once.
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
    """Measures how many of the texts that flipped one model also fool the others. ``runs`` must be attacks on the same texts."""
    from robustprune.attacks.transfer import transfer as ask
    from robustprune.models import inference

    def predictor(name: str) -> Any:
        classifier = load_model(name, progress, cancel)
        return lambda texts: inference.logits(classifier.model, classifier.tokenizer, texts, lambda *_: check_cancelled(cancel)).argmax(-1).tolist()

    return ask({run.model: run.results for run in runs}, {run.model: predictor(run.model) for run in runs})


def find_scores(model: str, examples: int = ATTACK_EXAMPLES, spec: AttackSpec | None = None, dataset: str | None = None) -> dict[str, Any] | None:
    """The stored scores of a model under attack on a sample of ``dataset``, by default the demo texts of the model.

    Returns None if there are no stored scores, or if the texts cannot be loaded.
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
    """Compares the second model with the first, text by text, from their stored attacks on the demo texts. None if one of them is missing."""
    from robustprune.attacks import scores as attack_scores

    stored = [find_scores(model) for model in (first, second)]
    if not all(stored):
        return None
    return attack_scores.compare(*([attack_scores.Result(**result) for result in scores["results"]] for scores in stored)).to_json()


def resource_names(spec: AttackSpec) -> dict[str, str]:
    """The names of the resources that an attack on this machine would use now."""
    return describe(spec).to_json()


def missing_resources(spec: AttackSpec) -> list[Missing]:
    """The resources of the published recipe that are not on this machine. The recipe cannot run if one of them has no replacement."""
    return missing(spec)


def get_resource(name: str, progress: Progress = silent, cancel: Cancel | None = None, seconds: float = 600.0) -> Path:
    """Downloads a published resource and returns its path.

    Raises:
        ResourceMissing: the download failed. The message gives the reason and how to install the resource by hand.
    """
    check_seconds(seconds)
    return downloads.get(name, cancellable(progress, cancel), seconds)


def _alike(names: Sequence[str]) -> list[ModelSource]:
    """Finds the models. Raises SpecError unless all have the same classes, since otherwise they cannot be compared.

    Class names that transformers made up (``LABEL_0`` ...) match any names; then only the number of classes must be equal.
    """
    sources = [find_model(name) for name in names]
    for other in sources[1:]:
        made_up = any(source.labels[0] == "LABEL_0" for source in (sources[0], other))
        if len(other.labels) != len(sources[0].labels) or (other.labels != sources[0].labels and not made_up):
            raise SpecError("lab.classes_differ", first=sources[0].name, labels=sources[0].labels, second=other.name, other_labels=other.labels)
    return sources


def _attacker(names: Sequence[str], spec: AttackSpec, doing: Callable[[str, str], Message], progress: Progress, cancel: Cancel | None) -> "Attacker":
    """Loads the models and the resources and returns the attacker.

    At every word, ``progress`` receives the number of tried words, the number of words, the message ``doing(model, word)`` and the trace
    so far.
    """
    check_can_run(spec)
    progress = cancellable(progress, cancel)
    classifiers = []
    for name in names:
        progress(0, 1, say("lab.loading_model"), None)
        classifiers.append(load_model(name, progress, cancel))
    progress(0, 1, say("lab.loading_textattack"), None)
    from robustprune.attacks.engine.attacker import Attacker
    from robustprune.attacks.resources import loading

    def watch(trace: "AttackTrace | None") -> None:
        check_cancelled(cancel)
        if trace is not None:
            words = len(trace.importance) or len(trace.words)
            progress(trace.words_tried, words, doing(trace.victim["name"], trace.at_hand), trace)

    return Attacker(classifiers, loading.load(spec, progress), spec, watch)
