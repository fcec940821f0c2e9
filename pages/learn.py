"""What do I need to know? Eight short lessons, each with a link that opens the page it describes in the right state, and the glossary."""

import streamlit as st

from robustprune.ui import links
from robustprune.ui.frame import shell
from robustprune.ui.learn import classroom, glossary_view, lessons
from robustprune.ui.learn.lesson import all_lessons
from robustprune.ui.words import i18n
from robustprune.ui.words.i18n import t

VIEWS = ("lessons", "glossary")

shell.require_entrypoint()

lesson = classroom.chosen()
if lesson:
    st.title(i18n.of(lesson.title))
    st.caption(t("learn.lesson_of", number=lesson.number, lessons=len(all_lessons())))
    lessons.show(lesson)
    st.stop()
st.title(t("learn.title"))
st.markdown(t("learn.question", lessons=len(all_lessons())))
links.choice("learn_view", VIEWS, VIEWS[0])
view = st.segmented_control(
    t("learn.view"), VIEWS, key="learn_view", required=True, format_func=lambda name: t(f"learn.view_{name}"), label_visibility="collapsed"
)
if shell.teaching():
    classroom.teach_button()
if view == "lessons":
    lessons.contents()
else:
    glossary_view.show()
