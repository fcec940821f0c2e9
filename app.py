"""The entry point: page configuration, sign-in if the server asks for it, sidebar, and navigation. Every page runs inside it."""

import streamlit as st

from robustprune.base import logs
from robustprune.ui.frame import shell, sidebar, sign_in
from robustprune.ui.learn import classroom

shell.configure()
page = st.navigation(shell.pages(), position="sidebar" if sign_in.inside() and not shell.teaching() else "hidden")
with shell.errors_shown():
    logs.begin()
    sign_in.require()
    with st.sidebar, shell.errors_shown():
        sidebar.show()
        sign_in.show()
    with shell.entered():
        classroom.way_back(page)
        page.run()
