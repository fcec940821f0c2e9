"""What an attack needs to know about language, loaded before it starts: synonyms, word classes, sentence similarity.

Published resources are taken where they are on this machine, else those that are on any; :mod:`names` tells which.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustprune.attacks.resources.encoder import Encode, SentenceEncoder, universal_sentence_encoder
from robustprune.attacks.resources.names import WINDOW_LAYERS, ResourceNames, check_can_run, describe
from robustprune.attacks.resources.synonyms import Pairs, Say, SynonymSource, of_counter_fitted, of_minilm
from robustprune.base.errors import ModelError, ResourceMissing
from robustprune.models import untrusted
from robustprune.specs.attack import AttackSpec
from robustprune.specs.recipes import MASKED_LM, RECIPES, SYNONYMS


@dataclass(frozen=True)
class Resources:
    """Everything an attack needs that does not depend on the victim.

    Attributes:
        names: what was taken.
        synonyms: None where the recipe swaps no synonyms.
        encode: sentence vectors for constraints on whole texts; ``encode_window``: for those on windows of words.
        masked_lm: model and tokenizer, where the recipe needs them.
    """

    names: ResourceNames
    synonyms: SynonymSource | None
    encode: Encode
    encode_window: Encode
    masked_lm: tuple[Any, Any] | None = None


_lock = threading.Lock()
_loaded: dict[str, Any] = {}


def load(spec: AttackSpec, say: Say) -> Resources:
    """The resources of a recipe; ``say`` is told what is being prepared and may raise Cancelled. Each is loaded once a process.

    Raises:
        ResourceMissing: something is not on this machine that nothing can stand in for.
    """
    check_can_run(spec)
    names, needs = describe(spec), RECIPES[spec.recipe].needs
    with _lock:
        say("sentence encoder")
        encoder = _once("encoder", SentenceEncoder)
        published = names.similarity.startswith("Universal")
        return Resources(
            names,
            _synonyms(spec, names, encoder, say) if SYNONYMS in needs else None,
            _once("use", universal_sentence_encoder) if published else encoder.encode,
            _once("use", universal_sentence_encoder) if published else _once("window", lambda: encoder.first_layers(WINDOW_LAYERS)).encode,
            _once(names.other, lambda: _masked_lm(spec.masked_lm)) if MASKED_LM in needs else None,
        )


def sentence_encoder() -> SentenceEncoder:
    """MiniLM, by which the similarity of original and perturbed texts is reported for every recipe alike."""
    with _lock:
        return _once("encoder", SentenceEncoder)


def _synonyms(spec: AttackSpec, names: ResourceNames, encoder: SentenceEncoder, say: Say) -> SynonymSource:
    if spec.synonyms is not None:
        return _once(names.synonyms, lambda: Pairs(Path(spec.synonyms).expanduser()))
    if names.synonyms.startswith("counter-fitted"):
        return _once("counter-fitted", lambda: of_counter_fitted(say))
    return _once("minilm", lambda: of_minilm(encoder, say))


def _masked_lm(name: str) -> tuple[Any, Any]:
    """A masked language model and its tokenizer, from a folder or the hub."""
    from transformers import AutoModelForMaskedLM

    place = untrusted.folder_of(name)
    if place is None and (name.startswith((".", "~", "/")) or name.count("/") > 1):
        raise ResourceMissing(f"The masked language model {name!r} cannot be loaded: there is no such folder. Give a folder with safetensors, or a hub id.")
    try:
        model, tokenizer = untrusted.load(place or untrusted.from_hub(name), AutoModelForMaskedLM)
    except ModelError as error:
        raise ResourceMissing(f"The masked language model {name!r} cannot be loaded. {error} Give another folder with safetensors, or a hub id.") from error
    if tokenizer.mask_token is None:
        raise ModelError(f"The model {name!r} has no mask token, so it cannot propose words. Give a masked language model such as BERT's.")
    return model, tokenizer


def _once(key: str, make: Any) -> Any:
    if key not in _loaded:
        _loaded[key] = make()
    return _loaded[key]
