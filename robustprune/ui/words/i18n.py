"""Every text of the app by key, from ``assets/locales/<language>.json``, and the terms of the field from ``assets/glossary.json``.

What the engine says (progress, errors) are messages with keys; ``said`` puts them into the session's language.
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
    """The terms of the field by id: each a ``term`` and what it ``means``, by language."""
    return {entry.pop("id"): entry for entry in json.loads((paths.ASSETS / "glossary.json").read_text(encoding="utf-8"))}


def choose_language() -> None:
    """Settles the session's language before anything is drawn: what a link says, else what was chosen, else the browser's."""
    asked = (st.context.locale or DEFAULT).split("-")[0].lower()
    links.choice(KEY, languages(), asked if asked in languages() else DEFAULT)


def language() -> str:
    """The language of this session."""
    chosen = st.session_state.get(KEY, DEFAULT)
    return chosen if chosen in languages() else DEFAULT


def t(key: str, **values: Any) -> str:
    """The text of that key in the session's language, with values filled in; where damage took it away, the English one, or the key."""
    text = texts(language()).get(key) or texts(DEFAULT).get(key, key)
    try:
        return text.format(**values) if values else text
    except (KeyError, IndexError, ValueError):  # a damaged word must not take a page away
        log.warning("The text %s of the app is damaged. Restore %s.json from the repository.", key, language())
        return text


def t_or(key: str, otherwise: str) -> str:
    """The text of a key that need not be there."""
    return texts(language()).get(key, otherwise)


def meaning(term: str) -> str:
    """What a term of the glossary means, for tooltips."""
    entry = glossary()[term]
    return f"**{entry['term'][language()]}**  \n{entry['means'][language()]}"


def of(versions: dict[str, str]) -> str:
    """A text that stands in every language, in the session's."""
    return versions[language()]


def said(what: Message | Explained | str) -> str:
    """What the engine said, in the session's language; a plain text is somebody's own and stays as it is."""
    message = what.message if isinstance(what, Explained) else what
    return message.render(language()) if isinstance(message, Message) else message
