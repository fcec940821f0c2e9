"""What the engine says to people, errors and progress, as keys with values: each language puts them into its own words.

The words stand in ``assets/locales/messages/<language>/<room>.json``; a key is ``<room>.<name>``, so every room has a file of its own.
The engine itself is asked for no language: whoever shows a message renders it. ``str`` gives the English one.
"""

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from robustprune.base import paths

DEFAULT = "en"
FOLDER = paths.ASSETS / "locales" / "messages"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """A sentence that is still to be put into words.

    Attributes:
        key: its name in the files of words.
        values: what stands in its holes. A value may be a message itself, an error with a message, or a list.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.render(DEFAULT)

    def render(self, language: str) -> str:
        """The sentence in a language; in English where that language lacks it, and the bare key where its words were damaged."""
        text = words(language).get(self.key) or words(DEFAULT).get(self.key)
        values = {name: _rendered(value, language) for name, value in self.values.items()}
        try:
            return text.format(**values)
        except (AttributeError, KeyError, IndexError, ValueError, TypeError):  # damage must not hide that something happened
            log.warning("The message %s is missing or damaged. Restore the files of words from the repository.", self.key)
            return f"{self.key} {values}" if values else self.key


def say(key: str, /, **values: Any) -> Message:
    """The message of that key, with its values by name."""
    return Message(key, values)


@cache
def words(language: str) -> dict[str, str]:
    """All messages of a language by key. A file that is damaged is left out, and the log says so."""
    found: dict[str, str] = {}
    for path in sorted((FOLDER / language).glob("*.json")):
        try:
            found.update(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            log.warning("The file of words %s is damaged (%s). Restore it from the repository.", path.name, error)
    return found


def _rendered(value: Any, language: str) -> Any:
    if isinstance(value, Message):
        return value.render(language)
    if isinstance(value, BaseException) and isinstance(message := getattr(value, "message", None), Message):
        return message.render(language)
    if isinstance(value, list | tuple | dict | set | frozenset):
        return _Listing(value, language)
    return value


class _Listing:
    """Several values: in a plain hole with commas between them, in a hole with ``!r`` as Python writes them."""

    def __init__(self, values: Collection[Any], language: str) -> None:
        self._values, self._language = values, language

    def __str__(self) -> str:
        return ", ".join(str(_rendered(one, self._language)) for one in self._values)

    def __repr__(self) -> str:
        return repr(self._values)
