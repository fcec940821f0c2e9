"""Loads the language resources of an attack before it starts: synonyms, sentence encoders and the masked language model.

A published resource is used if it is on this machine, otherwise the built-in one; :mod:`names` decides which.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustprune.attacks.resources import sense_list, sentences, wordnet
from robustprune.attacks.resources.by_sense import BySense
from robustprune.attacks.resources.encoder import Encode, SentenceEncoder, universal_sentence_encoder
from robustprune.attacks.resources.names import MINILM_NEIGHBOURS, WINDOW_LAYERS, WORDNET_3, ResourceNames, check_can_run, describe
from robustprune.attacks.resources.synonyms import Pairs, SynonymSource, of_counter_fitted, of_minilm
from robustprune.attacks.resources.wordnet_senses import WordNetSenses
from robustprune.base.errors import ModelError, ResourceMissing
from robustprune.base.messages import say
from robustprune.base.progress import Progress
from robustprune.models import untrusted
from robustprune.specs.attack import AttackSpec
from robustprune.specs.recipes import MASKED_LM, RECIPES, SYNONYMS, WORDNET


@dataclass(frozen=True)
class Resources:
    """The resources of an attack, which do not depend on the victim.

    Attributes:
        names: the names of the resources.
        synonyms: the source of synonyms; None if the recipe does not swap synonyms.
        encode: the sentence encoder for constraints on whole texts.
        encode_window: the sentence encoder for constraints on windows of words.
        masked_lm: the masked language model and its tokenizer; None if the recipe does not need them.
        wordnet: NLTK's reader of WordNet; None if the recipe does not need it.
    """

    names: ResourceNames
    synonyms: SynonymSource | None
    encode: Encode
    encode_window: Encode
    masked_lm: tuple[Any, Any] | None = None
    wordnet: Any = None


_lock = threading.Lock()
_loaded: dict[str, Any] = {}


def load(spec: AttackSpec, progress: Progress) -> Resources:
    """Loads the resources of a recipe, each once per process. ``progress`` receives the current step and may raise Cancelled.

    Raises:
        ResourceMissing: a resource is not on this machine and has no built-in replacement.
    """
    check_can_run(spec)
    names, needs = describe(spec), RECIPES[spec.recipe].needs
    with _lock:
        progress(0, 1, say("attacks.preparing_encoder"))
        encoder = _once("encoder", SentenceEncoder)
        published = names.similarity.startswith("Universal")
        return Resources(
            names,
            _synonyms(spec, names, encoder, progress) if SYNONYMS in needs else None,
            _once("use", universal_sentence_encoder) if published else encoder.encode,
            _once("use", universal_sentence_encoder) if published else _once("window", lambda: encoder.first_layers(WINDOW_LAYERS)).encode,
            _once(names.other, lambda: _masked_lm(spec.masked_lm)) if MASKED_LM in needs else None,
            _wordnet(names, progress) if WORDNET in needs else None,
        )


def sentence_encoder() -> SentenceEncoder:
    """Returns MiniLM as a sentence encoder. The reported similarity of original and perturbed texts uses it for every recipe."""
    with _lock:
        return _once("encoder", SentenceEncoder)


def _synonyms(spec: AttackSpec, names: ResourceNames, encoder: SentenceEncoder, progress: Progress) -> SynonymSource:
    if spec.synonyms is not None:
        return _once(names.synonyms, lambda: Pairs(Path(spec.synonyms).expanduser()))
    if names.synonyms.startswith("counter-fitted"):
        return _once("counter-fitted", lambda: of_counter_fitted(progress))
    if names.synonyms == str(MINILM_NEIGHBOURS):
        return _once("minilm", lambda: of_minilm(encoder, progress))
    return _once(names.synonyms, lambda: by_sense(encoder, progress))


def by_sense(encoder: SentenceEncoder, progress: Progress) -> BySense:
    """Returns the near-synonyms by sense, with those of their parts that are on this machine.

    Raises:
        ResourceMissing: the tagger is missing or damaged.
    """
    progress(0, 2, say("attacks.preparing_tagger"))
    sentences.tagger()
    progress(1, 2, say("attacks.preparing_wordnet"))
    listed = sense_list.shipped() if sense_list.trouble() is None else None
    return BySense(encoder, listed, WordNetSenses() if wordnet.trouble() is None else None)


def _wordnet(names: ResourceNames, progress: Progress) -> Any:
    progress(0, 1, say("attacks.preparing_wordnet"))
    if names.other == str(WORDNET_3):
        return wordnet.reader()
    import nltk

    return nltk.corpus.wordnet


def _masked_lm(name: str) -> tuple[Any, Any]:
    """Loads a masked language model and its tokenizer from a folder or from the hub."""
    from transformers import AutoModelForMaskedLM

    place = untrusted.folder_of(name)
    if place is None and (name.startswith((".", "~", "/")) or name.count("/") > 1):
        raise ResourceMissing("attacks.masked_lm_no_folder", name=name)
    try:
        model, tokenizer = untrusted.load(place or untrusted.from_hub(name), AutoModelForMaskedLM)
    except ModelError as error:
        raise ResourceMissing("attacks.masked_lm_cannot_load", name=name, error=error) from error
    if tokenizer.mask_token is None:
        raise ModelError("attacks.masked_lm_no_mask_token", name=name)
    return model, tokenizer


def _once(key: str, make: Any) -> Any:
    if key not in _loaded:
        _loaded[key] = make()
    return _loaded[key]
