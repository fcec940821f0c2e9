"""Every text of the app by key, from ``assets/locales/<language>.json``."""

import json
from functools import cache
from typing import Any

import streamlit as st

from robustprune import paths

DEFAULT = "en"


@cache
def texts(language: str) -> dict[str, str]:
    """All texts of a language by key."""
    return json.loads((paths.ASSETS / "locales" / f"{language}.json").read_text(encoding="utf-8"))


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are texts for."""
    return tuple(sorted(path.stem for path in (paths.ASSETS / "locales").glob("*.json")))


def language() -> str:
    """The language of this session."""
    chosen = st.session_state.get("lang", DEFAULT)
    return chosen if chosen in languages() else DEFAULT


def t(key: str, **values: Any) -> str:
    """The text of that key in the session's language, with values filled in."""
    text = texts(language())[key]
    return text.format(**values) if values else text


def t_or(key: str, otherwise: str) -> str:
    """The text of a key that need not be there."""
    return texts(language()).get(key, otherwise)
