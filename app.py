"""The entry: page config, sidebar, navigation. Every page runs inside it."""

import streamlit as st

from robustprune import paths
from robustprune.ui import shell
from robustprune.ui.i18n import t

st.set_page_config(page_title=t("app.name"), page_icon=str(paths.ASSETS / "icon.svg"), layout="wide")
page = st.navigation(shell.pages())
with st.sidebar, shell.errors_shown():
    shell.sidebar()
with shell.entered(), shell.errors_shown():
    page.run()
