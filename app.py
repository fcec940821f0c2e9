"""The entry: page config, signing in where the server asks for it, sidebar, navigation. Every page runs inside it."""

import streamlit as st

from robustprune import logs
from robustprune.ui import classroom, shell, sidebar, sign_in

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
