"""The messages that a card shows when its result is missing."""

import streamlit as st

from robustprune.ui.frame import shell
from robustprune.ui.words.i18n import t


def result(page: str) -> None:
    """Says that a result is missing, and links to the page on which the user can make it."""
    st.info(t("learn.not_here"), icon=":material/info:")
    st.page_link(shell.page(page), label=t(f"{page}.menu"), icon=shell.PAGES[page])


def shipped() -> None:
    """Says that a result is missing that normally ships with the program."""
    st.info(t("learn.not_shipped"), icon=":material/info:")
