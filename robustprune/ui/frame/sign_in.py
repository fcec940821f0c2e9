"""Sign-in on a shared server, through Streamlit's OpenID Connect.

If Streamlit's secrets have no ``[auth]`` section, the app is open to everyone who can reach it.
"""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from robustprune.base.errors import SpecError
from robustprune.ui import limits
from robustprune.ui.words.i18n import t
from robustprune.ui.words.wording import plain


def required() -> bool:
    """True if this server asks people to sign in.

    Raises:
        SpecError: the server should ask, but cannot: the secrets file is damaged, or it names no provider although ``people`` are listed. Then
            nobody is let in.
    """
    if st.secrets.load_if_toml_exists():
        if "auth" in st.secrets:
            return True
    elif damaged := [file for file in st.get_option("secrets.files") if Path(file).exists()]:
        raise SpecError("ui.secrets_damaged", files=damaged[0])
    if limits.people():
        raise SpecError("ui.no_sign_in")
    return False


def inside() -> bool:
    """True if this viewer is let in."""
    try:
        return not required() or (st.user.is_logged_in and limits.may_enter(st.user.get("email"), st.user.get("email_verified") is True))
    except SpecError:
        return False


def require() -> None:
    """Ends the page for a viewer who is not signed in or whom :func:`robustprune.ui.limits.may_enter` refuses. Raises SpecError like :func:`required`."""
    if not required() or inside():
        return
    if not st.user.is_logged_in:
        st.title(t("sign_in.title"))
        st.markdown(t("sign_in.why"))
        for provider in _providers():
            label = f"{t('sign_in.do')} ({plain(provider)})" if provider else t("sign_in.do")
            st.button(label, key=f"login-{provider}", on_click=st.login, args=(provider,), type="primary", icon=":material/login:")
    else:
        st.error(t("sign_in.unknown", name=plain(_name())), icon=":material/block:")
        _way_out()
    st.stop()


def show() -> None:
    """Shows who is signed in, and a button to sign out. For the sidebar."""
    if required():
        st.caption(t("sign_in.as", name=plain(_name())))
        _way_out()


def _providers() -> list[str | None]:
    """The names of the identity providers. A single provider without a name is given as None."""
    return [name for name, value in st.secrets["auth"].items() if isinstance(value, Mapping)] or [None]


def _name() -> str:
    return st.user.get("email") or st.user.get("name") or st.user.get("sub") or ""


def _way_out() -> None:
    st.button(t("sign_in.out"), key="logout", on_click=st.logout, icon=":material/logout:")
