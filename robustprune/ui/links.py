"""Keeps a widget and the page's link in step when the widget shows other words than the link holds.

Streamlit's own binding (``bind``) writes the shown words into the link, and these differ between languages. A widget that shows its options
unchanged uses ``bind``; every other widget uses this module.
"""

import time
from collections.abc import Sequence

import streamlit as st

SEPARATOR = ","
# Session key of the values that this session last wrote into the link. If the link holds another value, the user followed a new link: it wins.
WRITTEN = "_written_to_link"
# Session key of the values that a number had in the last seconds. While a key is held down, the browser sends such an outdated value with the
# link; it does not mean that the user followed a link.
ECHOES, ECHO_SECONDS = "_echoes_of_link", 2.0


def choice(key: str, options: Sequence[str], default: str | None) -> None:
    """Sets the state of a widget before it is made: the value of a followed link, else the current state.

    A value that is not one of the options is replaced by ``default``. The link is updated.
    """
    asked = _followed(key)
    if asked is None:
        asked = st.session_state.get(key)
    st.session_state[key] = asked if asked in options else default
    _write(key, st.session_state[key])


def choices(key: str, options: Sequence[str], default: Sequence[str], most: int) -> None:
    """Like :func:`choice`, for a widget with several values: keeps their order, and at most ``most`` of them."""
    asked = _followed(key)
    chosen = st.session_state.get(key, ()) if asked is None else asked.split(SEPARATOR)
    kept = list(dict.fromkeys(one for one in chosen if one in options))[:most]
    st.session_state[key] = kept or list(default)
    _write(key, SEPARATOR.join(st.session_state[key]))


def number(key: str, low: float, high: float, default: float) -> None:
    """Like :func:`choice`, for a widget that holds a number. The number is an integer if ``low`` is one."""
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
    """Sets the value of a widget that uses :func:`choice`, whatever the link says, even before the widget is on the page. For callbacks."""
    st.session_state[key] = value
    st.session_state.setdefault(WRITTEN, {})[key] = st.query_params.get(key)


def forget(*keys: str) -> None:
    """Removes widgets that leave the page from session and link. For callbacks."""
    for key in keys:
        st.session_state.pop(key, None)
        _write(key, None)


def _followed(key: str) -> str | None:
    """The link's value for a key; None if there is none, or if this session wrote it for a widget that still exists."""
    asked = st.query_params.get(key)
    written = key in st.session_state and asked == st.session_state.get(WRITTEN, {}).get(key)
    return None if written else asked


def _write(key: str, value: str | None) -> None:
    st.session_state.setdefault(WRITTEN, {})[key] = value
    if not value:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:  # every write adds an entry to the browser's history
        st.query_params[key] = value
