"""The entry: page config, sidebar, navigation. Every page runs inside it."""

import streamlit as st

from robustprune.ui import shell, sidebar

shell.configure()
page = st.navigation(shell.pages())
with st.sidebar, shell.errors_shown():
    sidebar.show()
with shell.entered(), shell.errors_shown():
    page.run()
