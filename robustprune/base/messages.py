"""The messages of the engine to the user (errors and progress), as keys with values. Each language has its own wording for a key.

The wording is in ``assets/locales/messages/<language>/<package>.json``. A key is ``<package>.<name>``, and every package has its own file.
The engine does not know the user's language: the code that shows a message renders it. ``str(message)`` gives the English wording.
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
    """A sentence that is not yet rendered in a language.

    Attributes:
        key: the key of the sentence in the message files.
        values: the values of its placeholders. A value may be a message itself, an error with a message, or a list.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.render(DEFAULT)

    def render(self, language: str) -> str:
        """The sentence in a language, or in English if that language lacks it.

        If the wording is missing or damaged, the result is the bare key with its values.
        """
        text = words(language).get(self.key) or words(DEFAULT).get(self.key)
        values = {name: _rendered(value, language) for name, value in self.values.items()}
        try:
            return text.format(**values)
        except (AttributeError, KeyError, IndexError, ValueError, TypeError):  # the user must see that something happened, even if a message file is damaged
            log.warning("The message %s is missing or damaged. Restore the files of words from the repository.", self.key)
            return f"{self.key} {values}" if values else self.key


def say(key: str, /, **values: Any) -> Message:
    """Returns the message of that key, with the values of its placeholders by name."""
    return Message(key, values)


@cache
def words(language: str) -> dict[str, str]:
    """The wordings of all messages of a language by key. A damaged file is left out, and the log gets a warning."""
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
    """Several values for one placeholder. A plain placeholder joins them with commas; a placeholder with ``!r`` shows the Python literal."""

    def __init__(self, values: Collection[Any], language: str) -> None:
        self._values, self._language = values, language

    def __str__(self) -> str:
        return ", ".join(str(_rendered(one, self._language)) for one in self._values)

    def __repr__(self) -> str:
        return repr(self._values)
