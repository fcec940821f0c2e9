"""Signing in on a shared server, by Streamlit's OpenID Connect; without an ``[auth]`` part in its secrets the app is open to whoever reaches it."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from robustprune.base.errors import SpecError
from robustprune.ui import limits
from robustprune.ui.words.i18n import t
from robustprune.ui.words.wording import plain


def required() -> bool:
    """Whether this server asks people to sign in.

    Raises:
        SpecError: it is meant to, but cannot: then nobody is let in.
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
    """Whether whoever looks is let in."""
    try:
        return not required() or (st.user.is_logged_in and limits.may_enter(st.user.get("email"), st.user.get("email_verified") is True))
    except SpecError:
        return False


def require() -> None:
    """Lets nobody further whom the provider does not know, or who is not one of ``reach.people``. Raises SpecError as ``required``."""
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
    """Who is signed in, and the way out; for the sidebar."""
    if required():
        st.caption(t("sign_in.as", name=plain(_name())))
        _way_out()


def _providers() -> list[str | None]:
    """The names of the providers where there are several; None stands for the only one."""
    return [name for name, value in st.secrets["auth"].items() if isinstance(value, Mapping)] or [None]


def _name() -> str:
    return st.user.get("email") or st.user.get("name") or st.user.get("sub") or ""


def _way_out() -> None:
    st.button(t("sign_in.out"), key="logout", on_click=st.logout, icon=":material/logout:")
