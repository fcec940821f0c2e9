"""What a link carries for widgets whose options are shown by other words than those that stand in the link.

Streamlit's own binding writes what is shown, which differs between languages. Where options are shown as they are, ``bind`` does it.
"""

from collections.abc import Sequence

import streamlit as st

SEPARATOR = ","
# Where it is kept what was last written into the link: a link that says something else was followed since, and is believed.
WRITTEN = "_written_to_link"


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
    asked = _followed(key)
    if asked is None:
        asked = st.session_state.get(key, default)
    try:
        value = type(low)(asked)
    except ValueError:
        value = default
    st.session_state[key] = value if low <= value <= high else default  # NaN is in no range
    _write(key, f"{st.session_state[key]:g}")


def choose(key: str, value: str | float | None) -> None:
    """Chooses for a widget whose state ``choice`` keeps, also one that is not on the page yet, whatever the link says; for callbacks."""
    st.session_state[key] = value
    st.session_state.setdefault(WRITTEN, {})[key] = st.query_params.get(key)


def forget(*keys: str) -> None:
    """Takes widgets that leave the page out of session and link; for callbacks."""
    for key in keys:
        st.session_state.pop(key, None)
        st.query_params.pop(key, None)


def _followed(key: str) -> str | None:
    """What the link says, unless this session wrote that itself for a widget that is still there."""
    asked = st.query_params.get(key)
    written = key in st.session_state and asked == st.session_state.get(WRITTEN, {}).get(key)
    return None if written else asked


def _write(key: str, value: str | None) -> None:
    st.session_state.setdefault(WRITTEN, {})[key] = value
    if value:
        st.query_params[key] = value
    else:
        st.query_params.pop(key, None)
