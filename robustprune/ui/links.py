"""What a link carries for widgets whose options are shown by other words than those that stand in the link.

Streamlit's own binding writes what is shown, which differs between languages. Where options are shown as they are, ``bind`` does it.
"""

import time
from collections.abc import Sequence

import streamlit as st

SEPARATOR = ","
# Where it is kept what was last written into the link: a link that says something else was followed since, and is believed.
WRITTEN = "_written_to_link"
# What a number was a moment ago: a key that is held down sends on an address that is not up to date, and nobody followed that.
ECHOES, ECHO_SECONDS = "_echoes_of_link", 2.0


def choice(key: str, options: Sequence[str], default: str | None) -> None:
    """Before a widget with that key is made: what a link says that was followed, else its state, else ``default``; whatever is no option falls back."""
    asked = _followed(key)
    if asked is None:
        asked = st.session_state.get(key)
    st.session_state[key] = asked if asked in options else default
    _write(key, st.session_state[key])


def choices(key: str, options: Sequence[str], default: Sequence[str], most: int) -> None:
    """The same for a widget of several values, in their order."""
    asked = _followed(key)
    chosen = st.session_state.get(key, ()) if asked is None else asked.split(SEPARATOR)
    kept = list(dict.fromkeys(one for one in chosen if one in options))[:most]
    st.session_state[key] = kept or list(default)
    _write(key, SEPARATOR.join(st.session_state[key]))


def number(key: str, low: float, high: float, default: float) -> None:
    """The same for a widget that holds a number, whole where the ends of its range are."""
    echoes = [(when, value) for when, value in st.session_state.setdefault(ECHOES, {}).get(key, ()) if time.monotonic() - when < ECHO_SECONDS]
    asked = _followed(key)
    if asked is None or any(value == asked for _, value in echoes):
        asked = st.session_state.get(key, default)
    try:
        value = type(low)(asked)
    except ValueError:
        value = default
    st.session_state[key] = value if low <= value <= high else default  # NaN is in no range
    text, before = f"{st.session_state[key]:g}", st.session_state.get(WRITTEN, {}).get(key)
    st.session_state[ECHOES][key] = [*echoes, (time.monotonic(), before)] if before != text else echoes
    _write(key, text)


def choose(key: str, value: str | float | None) -> None:
    """Chooses for a widget whose state ``choice`` keeps, also one that is not on the page yet, whatever the link says; for callbacks."""
    st.session_state[key] = value
    st.session_state.setdefault(WRITTEN, {})[key] = st.query_params.get(key)


def forget(*keys: str) -> None:
    """Takes widgets that leave the page out of session and link; for callbacks."""
    for key in keys:
        st.session_state.pop(key, None)
        _write(key, None)


def _followed(key: str) -> str | None:
    """What the link says, unless this session wrote that itself for a widget that is still there."""
    asked = st.query_params.get(key)
    written = key in st.session_state and asked == st.session_state.get(WRITTEN, {}).get(key)
    return None if written else asked


def _write(key: str, value: str | None) -> None:
    st.session_state.setdefault(WRITTEN, {})[key] = value
    if not value:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:  # every write is a step in the browser's history
        st.query_params[key] = value
