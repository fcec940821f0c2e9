"""The names of the resources that an attack would use now, and the missing resources. Nothing here loads a resource."""

import importlib.util
import os
import stat
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from robustprune.attacks.resources import downloads, sense_list, sentences, wordnet
from robustprune.base import hashing
from robustprune.base.errors import ResourceMissing
from robustprune.base.messages import Message, say
from robustprune.models import untrusted
from robustprune.specs.attack import AttackSpec
from robustprune.specs.recipes import MASKED_LM, RECIPES, SIMILARITY, SYNONYMS, WORD_CLASSES, WORDNET

# Increased whenever the rules change by which near-synonyms are chosen by sense.
SENSES_VERSION = 2
NEIGHBOURS = 50
# The lowest cosine of a near-synonym, for MiniLM's vectors and for the counter-fitted vectors (the latter from TextFooler's code).
MIN_COSINE = 0.6
MIN_COSINE_COUNTER_FITTED = 0.5
# TextFooler's window in words, and its threshold 1 - 0.5 / pi for the Universal Sentence Encoder (Jin et al. 2020, TextAttack's version).
WINDOW = 15
MIN_ANGULAR_SIMILARITY_USE = 0.840845057
# Our built-in encoder for windows is the first three of MiniLM's six layers, with its own threshold. Like MIN_COSINE, both come from
# `bench synonyms`. At thresholds that keep 87 % of the offered synonyms that the lexicon knows, six layers (threshold 0.90) let 31 % of
# random swaps and 61 % of antonyms pass; three layers (threshold 0.95) let 10 % and 29 % pass. At TextFooler's threshold, six layers let
# 72 % and 90 % pass. Near-synonyms that are chosen by sense need less of it: at 0.95 it would refuse 4 in 10 of them, at 0.90 hardly any.
WINDOW_LAYERS = 3
MIN_ANGULAR_SIMILARITY, MIN_ANGULAR_SIMILARITY_BY_SENSE = 0.95, 0.90
# The names of the resources. Results store the English names.
MINILM_NEIGHBOURS = say("attacks.minilm_neighbours", cosine=MIN_COSINE)
COUNTER_FITTED = say("attacks.counter_fitted", cosine=MIN_COSINE_COUNTER_FITTED)
NLTK_TAGGER, LEMMINFLECT = say("attacks.nltk_tagger"), say("attacks.lemminflect")
ENCODER, MINILM_WINDOWS = say("attacks.universal_encoder"), say("attacks.minilm_windows", layers=WINDOW_LAYERS)
OWN_WORDNET, WORDNET_3 = say("attacks.wordnet"), say("attacks.wordnet_3")
# Beginnings of names that continue with the name of the user's own file or model.
OWN = {"pairs of ": "attacks.pairs", "masked language model ": "attacks.masked_lm"}
GET = "python -m robustprune resources --get {name}"


@dataclass(frozen=True)
class ResourceNames:
    """The names of an attack's resources, for display and for every result. A name is empty if the recipe uses no such resource.

    ``set`` is ``built-in``, ``full`` (all of them published resources) or ``mixed``.
    """

    set: str
    synonyms: str
    word_classes: str
    similarity: str
    stop_words: str
    other: str = ""

    def to_json(self) -> dict[str, str]:
        """A JSON object with every field."""
        return asdict(self)


@dataclass(frozen=True)
class Missing:
    """A published resource that is not on this machine. ``how`` says how to get it.

    ``instead`` is the built-in resource that is used instead; None means that the recipe cannot run.
    """

    name: Message
    how: Message | str
    instead: Message | None

    def to_json(self) -> dict[str, str]:
        """A JSON object with every field in English. ``instead`` is an empty string if there is no replacement."""
        return {"name": str(self.name), "how": str(self.how), "instead": str(self.instead or "")}


def message_of(name: str) -> Message | str:
    """The message whose English form is the stored name of a resource, or the name itself if there is no such message."""
    for message in (built_in_synonyms(), MINILM_NEIGHBOURS, COUNTER_FITTED, NLTK_TAGGER, LEMMINFLECT, ENCODER, MINILM_WINDOWS, OWN_WORDNET, WORDNET_3):
        if str(message) == name:
            return message
    for start, key in OWN.items():
        if name.startswith(start):
            return Message(key, {"name": name.removeprefix(start)})
    return name


def built_in_synonyms() -> Message:
    """The name of the near-synonyms that every machine has, with the versions of their parts.

    A damaged or missing part is left out: without WordNet our list alone serves, without our list WordNet alone. Without both, or without
    the tagger that reads the sentence, MiniLM's neighbours do.
    """
    listed, tagger = sense_list.trouble() is None, sentences.version()
    values = {"rules": SENSES_VERSION, "list": sense_list.version(), "tagger": tagger}
    if not tagger or (not listed and wordnet.trouble()):
        return MINILM_NEIGHBOURS
    if wordnet.trouble():
        return say("attacks.by_sense_listed", **values)
    return say("attacks.by_sense", **values) if listed else say("attacks.by_sense_wordnet", **values)


def describe(spec: AttackSpec, anywhere: bool = False) -> ResourceNames:
    """The resources that an attack on this machine would use. With ``anywhere``, the built-in ones, which every machine has."""
    recipe, builtin = RECIPES[spec.recipe], anywhere or spec.resources == "built-in"
    needs, stop_words = recipe.needs, {"own": recipe.title, "general": "NLTK" if not builtin and has_stop_words() else "scikit-learn"}
    published = {
        SYNONYMS: not builtin and downloads.installed("counter-fitted") is not None,
        WORD_CLASSES: not builtin and has_tagger(),
        SIMILARITY: not builtin and has_universal_sentence_encoder(),
    }
    used = [need for need in published if need in needs]
    taken = [published[need] for need in used]
    return ResourceNames(
        set="built-in" if not any(taken) else "full" if all(taken) else "mixed",
        synonyms=_synonyms(spec, published[SYNONYMS]) if SYNONYMS in needs else "",
        word_classes=str(NLTK_TAGGER if published[WORD_CLASSES] else LEMMINFLECT) if WORD_CLASSES in needs else "",
        similarity=str(ENCODER if published[SIMILARITY] else MINILM_WINDOWS) if SIMILARITY in needs else "",
        stop_words=stop_words.get(recipe.stop_words, ""),
        other=str(OWN_WORDNET if not builtin and has_wordnet() else WORDNET_3) if WORDNET in needs else _masked_lm(spec) if MASKED_LM in needs else "",
    )


def missing(spec: AttackSpec) -> list[Missing]:
    """The resources that the published recipe uses and that are not on this machine."""
    needs, result = RECIPES[spec.recipe].needs, []
    if MASKED_LM in needs and spec.masked_lm is None:
        result.append(Missing(say("attacks.a_masked_lm"), say("attacks.name_masked_lm"), None))
    if WORDNET in needs and (why := wordnet.trouble()) and (spec.resources == "built-in" or not has_wordnet()):
        result.append(Missing(say("attacks.wordnet_because", why=why), f"{say('attacks.install_again')}; {GET.format(name='wordnet')}", None))
    if spec.resources == "built-in":
        return result
    if SYNONYMS in needs and spec.synonyms is None and downloads.installed("counter-fitted") is None:
        result.append(Missing(say("attacks.vectors"), GET.format(name="counter-fitted"), built_in_synonyms()))
        damaged = (sense_list.trouble(), wordnet.trouble(), sentences.trouble())
        result += [Missing(one, say("attacks.install_again"), built_in_synonyms()) for one in damaged if one]
    if WORD_CLASSES in needs and not has_tagger():
        result.append(Missing(say("attacks.nltks_tagger"), f"{GET.format(name='tagger')}; {GET.format(name='tagset')}", say("attacks.lemminflects_dictionary")))
    if SIMILARITY in needs and not has_universal_sentence_encoder():
        result.append(Missing(say("attacks.the_encoder"), say("attacks.install_tensorflow"), say("attacks.minilm")))
    return result


def check_can_run(spec: AttackSpec) -> None:
    """Raises ResourceMissing if a missing resource has no replacement. The message says how to get the resource."""
    for one in missing(spec):
        if not one.instead:
            raise ResourceMissing("attacks.recipe_needs", recipe=spec.recipe, what=one.name, how=one.how)
    if spec.synonyms is not None and not Path(spec.synonyms).expanduser().is_file():
        raise ResourceMissing("attacks.no_synonym_file", path=spec.synonyms)


def has_tagger() -> bool:
    """True if the data of NLTK's tagger and of its universal tag set are on this machine."""
    return _in_nltk_data("taggers/averaged_perceptron_tagger_eng") and _in_nltk_data("taggers/universal_tagset")


def has_wordnet() -> bool:
    """True if WordNet is on this machine."""
    return _in_nltk_data("corpora/wordnet")


def has_stop_words() -> bool:
    """True if NLTK's stop words are on this machine."""
    return _in_nltk_data("corpora/stopwords")


def has_universal_sentence_encoder() -> bool:
    """True if TensorFlow and TensorFlow Hub are installed and the environment variable TFHUB_CACHE_DIR names an existing folder.

    This project does not require TensorFlow.
    """
    libraries = all(importlib.util.find_spec(name) for name in ("tensorflow", "tensorflow_hub"))
    return libraries and Path(os.environ.get("TFHUB_CACHE_DIR", "/nonexistent")).is_dir()


def nltk_folder() -> Path:
    """The folder for the NLTK data that this program downloads."""
    return downloads.folder() / "nltk_data"


def _in_nltk_data(name: str) -> bool:
    """True if NLTK can read that folder of its data, unpacked or as a zip. NLTK is not imported, which takes too long for opening a page."""
    if "nltk" in sys.modules:
        import nltk

        if str(nltk_folder()) not in nltk.data.path:
            nltk.data.path.append(str(nltk_folder()))
    return any(_is_private(path) for folder in nltk_folders() for path in (folder / name, folder / f"{name}.zip") if path.exists())


def _is_private(path: Path) -> bool:
    """True if NLTK reads all files here. It refuses links of both kinds, and what others own or may write to."""
    found = [one.lstat() for one in (path, *(path.rglob("*") if path.is_dir() else ()))]
    trusted = {0, os.getuid()} if hasattr(os, "getuid") else {one.st_uid for one in found}
    shared = stat.S_IWGRP | stat.S_IWOTH
    links = any(stat.S_ISLNK(one.st_mode) or (stat.S_ISREG(one.st_mode) and one.st_nlink > 1) for one in found)
    return not links and all(one.st_uid in trusted and not one.st_mode & shared for one in found)


def nltk_folders() -> list[Path]:
    """The folders where NLTK looks for data (``nltk.data.path`` on Unix), followed by the folder of this program."""
    named = [Path(folder).expanduser() for folder in os.environ.get("NLTK_DATA", "").split(os.pathsep) if folder]
    around = [Path(sys.prefix, *parts, "nltk_data") for parts in ((), ("share",), ("lib",))]
    usual = [Path(root, "nltk_data") for root in ("/usr/share", "/usr/local/share", "/usr/lib", "/usr/local/lib")]
    return [*named, Path.home() / "nltk_data", *around, *usual, nltk_folder()]


def _masked_lm(spec: AttackSpec) -> str:
    if spec.masked_lm is None:
        return ""
    folder = untrusted.folder_of(spec.masked_lm)
    files = untrusted.files(folder) if folder else []
    digest = hashing.of_parts([part for path in files for part in (path.name, hashing.of_file(path))])[:12]
    return str(say("attacks.masked_lm", name=spec.masked_lm + (f" (SHA-256 {digest})" if files else "")))


def _synonyms(spec: AttackSpec, counter_fitted: bool) -> str:
    if spec.synonyms is not None:
        path = Path(spec.synonyms).expanduser()
        return str(say("attacks.pairs", name=path.name + (f" (SHA-256 {hashing.of_file(path)[:12]})" if path.is_file() else "")))
    return str(COUNTER_FITTED if counter_fitted else built_in_synonyms())
