"""The texts of the app by key, from ``assets/locales/<language>.json``, and the terms of the field from ``assets/glossary.json``.

The engine reports progress and errors as messages with keys; :func:`said` renders them in the session's language.
"""

import json
from functools import cache
from typing import Any

import streamlit as st

from robustprune.base import paths
from robustprune.base.errors import Explained
from robustprune.base.locales import DEFAULT, languages, log, texts
from robustprune.base.messages import Message
from robustprune.ui import links

KEY = "lang"


@cache
def glossary() -> dict[str, dict[str, dict[str, str]]]:
    """The terms of the field by id. Each entry holds the ``term`` and what it ``means``, both by language."""
    return {entry.pop("id"): entry for entry in json.loads((paths.ASSETS / "glossary.json").read_text(encoding="utf-8"))}


def choose_language() -> None:
    """Sets the session's language before anything is drawn: the language of the link, else the chosen one, else the browser's."""
    asked = (st.context.locale or DEFAULT).split("-")[0].lower()
    links.choice(KEY, languages(), asked if asked in languages() else DEFAULT)


def language() -> str:
    """The language of this session."""
    chosen = st.session_state.get(KEY, DEFAULT)
    return chosen if chosen in languages() else DEFAULT


def t(key: str, **values: Any) -> str:
    """The text of a key in the session's language, with the values filled in.

    If that language lacks the text, returns the English text; if English lacks it too, the key.
    """
    text = texts(language()).get(key) or texts(DEFAULT).get(key, key)
    try:
        return text.format(**values) if values else text
    except (KeyError, IndexError, ValueError):  # a damaged text must not break the whole page
        log.warning("The text %s of the app is damaged. Restore %s.json from the repository.", key, language())
        return text


def t_or(key: str, otherwise: str) -> str:
    """The text of a key in the session's language, or ``otherwise`` if there is none."""
    return texts(language()).get(key, otherwise)


def meaning(term: str) -> str:
    """A term of the glossary with its meaning, as Markdown for tooltips."""
    entry = glossary()[term]
    return f"**{entry['term'][language()]}**  \n{entry['means'][language()]}"


def of(versions: dict[str, str]) -> str:
    """Of a text that is given in every language, the version in the session's language."""
    return versions[language()]


def said(what: Message | Explained | str) -> str:
    """A message of the engine in the session's language. A plain string is user text and is returned unchanged."""
    message = what.message if isinstance(what, Explained) else what
    return message.render(language()) if isinstance(message, Message) else message
