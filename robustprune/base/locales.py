"""The files of the app's words, read so that one that is damaged is told as such."""

import json
import logging
from functools import cache
from pathlib import Path

from robustprune.base import paths
from robustprune.base.errors import AssetError
from robustprune.base.messages import DEFAULT

log = logging.getLogger(__name__)


def read(path: Path) -> dict[str, str]:
    """The texts of a file by key. Raises AssetError if it is no JSON object of texts."""
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # not there, no UTF-8, no JSON
        raise AssetError("base.words_file_damaged", file=path.name, why=error) from error
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise AssetError("base.words_file_wrong", file=path.name)
    return texts


@cache
def texts(language: str) -> dict[str, str]:
    """All texts of a language by key. Raises AssetError if its file is damaged."""
    return read(paths.ASSETS / "locales" / f"{language}.json")


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are texts for; one whose file is damaged is left out, and said so, unless it is the last resort."""
    found = []
    for language in sorted(path.stem for path in (paths.ASSETS / "locales").glob("*.json")):
        try:
            texts(language)
            found.append(language)
        except AssetError as error:
            log.warning("%s", error)
    return tuple(found) or (DEFAULT,)
