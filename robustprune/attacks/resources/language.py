"""Whether a text is English, which near-synonyms and WordNet need."""

import re

from robustprune.attacks.resources.forms import frequency

# A text is English if this share of its words is in lemminflect's dictionary or among the words that make up most of any English text,
# whatever a detector says of so few words.
SHARE, FUNCTION_WORD = 0.5, 5.5
FEWEST = 4  # a detector cannot tell the language of fewer words


def is_english(text: str) -> bool:
    """True unless few of the words are English and a language detector names another language."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    if not words or (len(words) < FEWEST and text.isascii()) or sum(map(_is_known, words)) >= SHARE * len(words):
        return True
    from langdetect import DetectorFactory, LangDetectException, detect

    DetectorFactory.seed = 0  # the detector draws at random
    try:
        return detect(text) == "en"
    except LangDetectException:  # no letters that it knows
        return True


def _is_known(word: str) -> bool:
    import lemminflect

    return bool(lemminflect.getAllLemmas(word)) or frequency(word) >= FUNCTION_WORD
