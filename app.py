"""The entry: page config, sidebar, navigation. Every page runs inside it."""

import streamlit as st

from robustprune.ui import classroom, shell, sidebar

shell.configure()
page = st.navigation(shell.pages(), position="hidden" if shell.teaching() else "sidebar")
with st.sidebar, shell.errors_shown():
    sidebar.show()
with shell.entered(), shell.errors_shown():
    classroom.way_back(page)
    page.run()
