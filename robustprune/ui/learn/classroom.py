"""The session's position in the lessons, and the link back to the lesson from the pages that a lesson opens.

Every page needs this module, so it does not import the views of the lessons.
"""

import streamlit as st

from robustprune.ui import links
from robustprune.ui.frame import shell
from robustprune.ui.learn.lesson import Lesson, all_lessons
from robustprune.ui.words import i18n
from robustprune.ui.words.i18n import t

LESSON, CARD = "lesson", "card"


def chosen() -> Lesson | None:
    """The lesson that the link or the session names; None for the list of lessons."""
    numbers = {str(lesson.number): lesson for lesson in all_lessons()}
    links.choice(LESSON, list(numbers), None)
    return numbers.get(st.session_state[LESSON])


def card_of(lesson: Lesson) -> int:
    """The number of the current card, from 1. The number after the last card stands for the task."""
    links.choice(CARD, [str(number) for number in range(1, len(lesson.cards) + 2)], "1")
    return int(st.session_state[CARD])


def way_back(page: st.Page) -> None:
    """In teacher mode, draws a link back to the lesson on every other page. The links of those pages also hold the lesson and its card."""
    if not shell.teaching() or page.url_path == "learn":
        return
    lesson = chosen()
    label = t("learn.way_back", number=lesson.number) if lesson else t("learn.all")
    at = {LESSON: str(lesson.number), CARD: str(card_of(lesson))} if lesson else {}
    with st.container(horizontal=True):
        st.page_link(shell.page("learn"), label=label, icon=":material/arrow_back:", query_params={**at, shell.TEACH: shell.YES, i18n.KEY: i18n.language()})
        teach_button()


def teach_button() -> None:
    """Draws the button that starts or ends teacher mode."""
    label, icon, value = (
        ("learn.teach_end", ":material/close_fullscreen:", None) if shell.teaching() else ("learn.teach", ":material/cast_for_education:", shell.YES)
    )
    st.button(t(label), key="learn-teach", on_click=links.choose, args=(shell.TEACH, value), icon=icon, type="tertiary", help=t("learn.teach_help"))
