"""Traces and scores in the store, by model, what was attacked, how, and with which resources."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from robustprune.attacks.resources.names import ResourceNames, describe
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.base.hashing import digest
from robustprune.base.store import Entry, Store, understood
from robustprune.specs.attack import AttackSpec
from robustprune.texts.datasets import Texts

# Raised whenever a change makes the same attack go another way: stored ones are then computed anew.
ATTACKS_VERSION = 2
TRACES = "traces.jsonl"
SCORES, ABOUT = "scores", "about"


def find_traces(store: Store, model_digest: str, texts: Sequence[tuple[str, int]], spec: AttackSpec) -> list[AttackTrace | None]:
    """The stored attack on each of these texts, with their labels, where there is one."""
    resources = _resources(spec)
    return [_find_trace(store, _keys(model_digest, [text, label], spec, resources)) for text, label in texts]


def _find_trace(store: Store, keys: list[str]) -> AttackTrace | None:
    return understood(_first(store, "attacks", keys), lambda entry: AttackTrace.from_json(entry.document))


def put_trace(store: Store, model_digest: str, trace: AttackTrace, spec: AttackSpec) -> None:
    """Stores an attack on one text."""
    store.put("attacks", _keys(model_digest, [trace.text, trace.label], spec, _resources(spec))[0], trace.to_json())


def find_scores(store: Store, model_digest: str, texts: Texts, spec: AttackSpec) -> Entry | None:
    """The stored scores of attacks on a sample of texts, if there are any; its folder holds TRACES, unless it ships."""
    return _first(store, SCORES, _keys(model_digest, texts.digest, spec, _resources(spec)))


def put_scores(store: Store, name: str, model_digest: str, texts: Texts, document: dict[str, Any], spec: AttackSpec, fill: Callable[[Path], None]) -> Entry:
    """Stores the scores of attacks on a sample of texts, with what was attacked and how, so that the entry tells of itself (ABOUT);
    ``fill`` puts TRACES into the folder that it is given."""
    about = {"model": name, "digest": model_digest, "texts": texts.digest, "settings": spec.to_json(), "version": ATTACKS_VERSION}
    return store.put(SCORES, scores_key(model_digest, texts, spec), {**document, ABOUT: about}, fill)


def scores_key(model_digest: str, texts: Texts, spec: AttackSpec) -> str:
    """The key of such scores with the resources of this machine."""
    return _keys(model_digest, texts.digest, spec, _resources(spec))[0]


def _resources(spec: AttackSpec) -> tuple[ResourceNames, ResourceNames]:
    """The resources of this machine, then those that are on any machine, which is what ships."""
    return describe(spec), describe(spec, anywhere=True)


def _keys(model_digest: str, what: Any, spec: AttackSpec, resources: Sequence[ResourceNames]) -> list[str]:
    """A key with each of these resources."""
    asked = {name: value for name, value in spec.to_json().items() if name not in ("resources", "synonyms")}  # the names tell
    return [digest("attack", model_digest, what, asked, names.to_json(), ATTACKS_VERSION) for names in resources]


def _first(store: Store, kind: str, keys: list[str]) -> Entry | None:
    return next((entry for key in keys if (entry := store.get(kind, key))), None)
