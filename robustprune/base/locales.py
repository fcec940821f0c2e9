"""Reads the files that hold the texts of the app, one per language. A damaged file gives an error that names it."""

import json
import logging
from functools import cache
from pathlib import Path

from robustprune.base import paths
from robustprune.base.errors import AssetError
from robustprune.base.messages import DEFAULT

log = logging.getLogger(__name__)


def read(path: Path) -> dict[str, str]:
    """The texts of one file by key. Raises AssetError unless the file is a JSON object whose values are all strings."""
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # the file is missing, is not UTF-8, or is not JSON
        raise AssetError("base.words_file_damaged", file=path.name, why=error) from error
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise AssetError("base.words_file_wrong", file=path.name)
    return texts


@cache
def texts(language: str) -> dict[str, str]:
    """All texts of a language by key. Raises AssetError if the file of the language is damaged."""
    return read(paths.ASSETS / "locales" / f"{language}.json")


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a file of texts.

    A language whose file is damaged is left out, and the log gets a warning. If no language is left, the result is English alone.
    """
    found = []
    for language in sorted(path.stem for path in (paths.ASSETS / "locales").glob("*.json")):
        try:
            texts(language)
            found.append(language)
        except AssetError as error:
            log.warning("%s", error)
    return tuple(found) or (DEFAULT,)
