"""Traces and scores in the store. A key is made from the model, the attacked text or texts, the settings and the resource names."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from robustprune.attacks.resources.names import ResourceNames, describe
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.base.hashing import digest
from robustprune.base.store import Entry, Store, understood
from robustprune.specs.attack import AttackSpec
from robustprune.texts.datasets import Texts

# Increased whenever a change of the code makes the same attack give another result; stored attacks are then computed again.
ATTACKS_VERSION = 3
TRACES = "traces.jsonl"
SCORES, ABOUT = "scores", "about"
# The field of a stored document about several attacks (a soup, a table, a curve) that holds ATTACKS_VERSION.
VERSION_FIELD = "attacks_version"


def find_traces(store: Store, model_digest: str, texts: Sequence[tuple[str, int]], spec: AttackSpec) -> list[AttackTrace | None]:
    """The stored trace for each (text, label) pair, or None where no trace is stored."""
    resources = _resources(spec)
    return [_find_trace(store, _keys(model_digest, [text, label], spec, resources)) for text, label in texts]


def _find_trace(store: Store, keys: list[str]) -> AttackTrace | None:
    return understood(_first(store, "attacks", keys), lambda entry: AttackTrace.from_json(entry.document))


def put_trace(store: Store, model_digest: str, trace: AttackTrace, spec: AttackSpec) -> None:
    """Stores the trace of an attack on one text."""
    store.put("attacks", _keys(model_digest, [trace.text, trace.label], spec, _resources(spec))[0], trace.to_json())


def find_scores(store: Store, model_digest: str, texts: Texts, spec: AttackSpec) -> Entry | None:
    """The stored scores of the attacks on a sample of texts, or None. The entry's folder holds TRACES, except in entries that ship."""
    return _first(store, SCORES, _keys(model_digest, texts.digest, spec, _resources(spec)))


def put_scores(store: Store, name: str, model_digest: str, texts: Texts, document: dict[str, Any], spec: AttackSpec, fill: Callable[[Path], None]) -> Entry:
    """Stores the scores of the attacks on a sample of texts. The field ABOUT of the entry names the model, the texts and the settings.

    ``fill`` writes TRACES into the folder that it is given.
    """
    about = {"model": name, "digest": model_digest, "texts": texts.digest, "settings": spec.to_json(), "version": ATTACKS_VERSION}
    return store.put(SCORES, scores_key(model_digest, texts, spec), {**document, ABOUT: about}, fill)


def signed(document: dict[str, Any]) -> dict[str, Any]:
    """The document of a result that is made of several attacks, with the version of the attacks."""
    return {**document, VERSION_FIELD: ATTACKS_VERSION}


def unsigned(document: dict[str, Any]) -> dict[str, Any]:
    """The document that ``signed`` was given. Raises ValueError if its attacks are of another version, so that the two are never mixed."""
    if document.get(VERSION_FIELD) != ATTACKS_VERSION:
        raise ValueError(f"attacks of version {document.get(VERSION_FIELD)}, not {ATTACKS_VERSION}")
    return {name: value for name, value in document.items() if name != VERSION_FIELD}


def scores_key(model_digest: str, texts: Texts, spec: AttackSpec) -> str:
    """The key under which these scores are stored, given the resources of this machine."""
    return _keys(model_digest, texts.digest, spec, _resources(spec))[0]


def _resources(spec: AttackSpec) -> tuple[ResourceNames, ResourceNames]:
    """The resources of this machine, then the built-in resources that every machine has. Entries that ship were made with the latter."""
    return describe(spec), describe(spec, anywhere=True)


def _keys(model_digest: str, what: Any, spec: AttackSpec, resources: Sequence[ResourceNames]) -> list[str]:
    """One key for each of these sets of resources."""
    asked = {name: value for name, value in spec.to_json().items() if name not in ("resources", "synonyms")}  # ``names`` covers both
    return [digest("attack", model_digest, what, asked, names.to_json(), ATTACKS_VERSION) for names in resources]


def _first(store: Store, kind: str, keys: list[str]) -> Entry | None:
    return next((entry for key in keys if (entry := store.get(kind, key))), None)
