"""What a card says whose result is not there."""

import streamlit as st

from robustprune.ui.frame import shell
from robustprune.ui.words.i18n import t


def result(page: str) -> None:
    """A result that a person can make: says on which page."""
    st.info(t("learn.not_here"), icon=":material/info:")
    st.page_link(shell.page(page), label=t(f"{page}.menu"), icon=shell.PAGES[page])


def shipped() -> None:
    """A result that only ships with the program."""
    st.info(t("learn.not_shipped"), icon=":material/info:")
