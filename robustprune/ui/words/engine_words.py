"""What the engine says of itself, progress and errors, in other languages: by the patterns of its sentences, as in message catalogues.

The engine knows nothing of pages and speaks English. ``assets/locales/engine/<language>.json`` maps each of its sentences, with ``{0}``,
``{1}``, ... where values stand, to the same in that language; values that are sentences themselves are looked up in turn.
"""

import json
import re
from functools import cache

from robustprune.base import paths

FOLDER = paths.ASSETS / "locales" / "engine"
VALUE = re.compile(r"\{\d+\}")


def translate(text: str, language: str) -> str:
    """A sentence of the engine in a language; as it is where the catalogue does not know it."""
    for pattern, said in _patterns(language):
        if found := pattern.fullmatch(text):
            return said.format(*(translate(part, language) if " " in part else part for part in found.groups()))  # a word is somebody's value
    return text


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The catalogue as patterns, the most specific first; none for English."""
    file = FOLDER / f"{language}.json"
    if not file.is_file():
        return []
    catalogue = json.loads(file.read_text(encoding="utf-8"))
    ordered = sorted(catalogue.items(), key=lambda pair: -len(VALUE.sub("", pair[0])))
    return [(re.compile("(.+?)".join(map(re.escape, VALUE.split(sentence))), re.DOTALL), said) for sentence, said in ordered]
