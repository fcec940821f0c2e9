"""Bring your own model or texts: this page checks them, and then the sidebar of every page offers them."""

import streamlit as st

from robustprune.ui import bring, limits
from robustprune.ui.frame import shell
from robustprune.ui.words.i18n import t

shell.require_entrypoint()

st.title(t("bring.title"))
st.markdown(t("bring.question"))
if limits.shared():
    st.info(t("bring.shared"), icon=":material/lock:")
    st.stop()
with st.container(border=True):
    st.subheader(t("bring.data"))
    bring.data_form(shell.model())
with st.container(border=True):
    st.subheader(t("bring.model"))
    bring.model_form()
