"""Which resources an attack would use now, told without loading any of them."""

from dataclasses import asdict, dataclass
from functools import cache

NEIGHBOURS = 50
MIN_COSINE = 0.6
# TextFooler's own threshold, 1 - 0.5 / pi, and window; kept for MiniLM's angles (Jin et al. 2020, as TextAttack implements it).
MIN_ANGULAR_SIMILARITY = 0.840845057
WINDOW = 15


@dataclass(frozen=True)
class ResourceNames:
    """The names of the resources an attack used, for the screen and for every result."""

    set: str
    synonyms: str
    word_classes: str
    similarity: str

    def to_json(self) -> dict[str, str]:
        """A JSON object with every field."""
        return asdict(self)


def describe(tagger: bool | None = None) -> ResourceNames:
    """The set of resources that is on this machine; with ``tagger`` False, the one that is on any machine."""
    word_classes = "NLTK perceptron tagger" if (has_tagger() if tagger is None else tagger) else "lemminflect dictionary"
    return ResourceNames("built-in", f"MiniLM neighbours, cosine >= {MIN_COSINE}, less listed antonyms", word_classes, f"MiniLM, window of {WINDOW} words")


@cache
def has_tagger() -> bool:
    """Whether the data of NLTK's tagger and of its universal tag set is on this machine."""
    import nltk

    try:
        nltk.data.find("taggers/averaged_perceptron_tagger_eng")
        nltk.data.find("taggers/universal_tagset")
    except LookupError:
        return False
    return True
