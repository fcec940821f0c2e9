"""What a link carries for widgets whose options are shown by other words than those that stand in the link.

Streamlit's own binding writes what is shown, which differs between languages. Where options are shown as they are, ``bind`` does it.
"""

from collections.abc import Sequence

import streamlit as st

SEPARATOR = ","


def choice(key: str, options: Sequence[str], default: str | None) -> None:
    """Before a widget with that key is made: its state, else what the link says, else ``default``; whatever is no option falls back."""
    asked = st.session_state.get(key, st.query_params.get(key))
    st.session_state[key] = asked if asked in options else default
    _write(key, st.session_state[key])


def choices(key: str, options: Sequence[str], default: Sequence[str], most: int) -> None:
    """The same for a widget of several values, in their order."""
    asked = st.session_state[key] if key in st.session_state else st.query_params.get(key, "").split(SEPARATOR)
    kept = list(dict.fromkeys(one for one in asked if one in options))[:most]
    st.session_state[key] = kept or list(default)
    _write(key, SEPARATOR.join(st.session_state[key]))


def _write(key: str, value: str | None) -> None:
    if value:
        st.query_params[key] = value
    else:
        st.query_params.pop(key, None)
