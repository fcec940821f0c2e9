"""Shows the list of lessons, or one lesson with its cards, its task and the link to the page of the task.

The content of the lessons is data: see :mod:`robustprune.ui.learn.lesson`.
"""

import streamlit as st

from robustprune import lab
from robustprune.ui import links
from robustprune.ui.frame import missing, shell
from robustprune.ui.learn import lesson_views, quiz
from robustprune.ui.learn import numbers as lesson_numbers
from robustprune.ui.learn.classroom import CARD, LESSON, card_of, teach_button
from robustprune.ui.learn.lesson import Lesson, LessonCard, Opening, all_lessons
from robustprune.ui.words import i18n, wording
from robustprune.ui.words.i18n import t

# The width of a tile in pixels: four tiles fill a wide page, two a narrow one.
TILE_WIDTH = 210


def contents() -> None:
    """Draws all lessons as tiles."""
    row = st.container(horizontal=True)
    for lesson in all_lessons():
        with row.container(border=True, width=TILE_WIDTH, height="stretch"):
            st.markdown(f"**{lesson.number}. {i18n.of(lesson.title)}**")
            st.caption(i18n.of(lesson.idea))
            st.space("stretch")
            label = t("learn.start", number=lesson.number)
            st.button(label, key=f"lesson-{lesson.number}", on_click=go, args=(lesson, 1), icon=":material/play_arrow:")


def show(lesson: Lesson) -> None:
    """Draws one lesson: the current card, and the buttons that lead to the others."""
    last = len(lesson.cards) + 1
    number = card_of(lesson)
    if not shell.teaching():
        st.markdown(i18n.of(lesson.idea))
    _steps(lesson, number, last)
    with st.container(border=True):
        if number < last:
            _card(lesson.cards[number - 1])
        else:
            _task(lesson, number)


def go(lesson: Lesson | None, card: int) -> None:
    """Goes to a card, whose view opens in its first state, or to the list of lessons. For callbacks."""
    _leave()
    links.choose(LESSON, str(lesson.number) if lesson else None)
    if lesson is None:
        links.forget(CARD)
        return
    links.choose(CARD, str(card))
    if card <= len(lesson.cards):
        for key, value in lesson.cards[card - 1].start.items():
            links.choose(key, value)


def start_over(lesson: Lesson) -> None:
    """Goes to the first card, and resets the views of all cards, but not the score of the quiz. For callbacks."""
    quiz.forget()
    go(lesson, 1)


def _leave() -> None:
    """Removes the values of all cards' widgets from link and session."""
    for card in (card for lesson in all_lessons() for card in lesson.cards):
        links.forget(*card.start)
    links.forget(*lesson_views.KEYS)


def _steps(lesson: Lesson, number: int, last: int) -> None:
    """Draws the progress bar and the buttons. The buttons are the same on every card, so that the keyboard focus stays where it is."""
    st.progress(number / last, text=t("learn.card", number=number, last=last))
    with st.container(horizontal=True):
        st.button(t("learn.back"), key="learn-back", on_click=go, args=(lesson, number - 1), disabled=number == 1, icon=":material/arrow_back:", shortcut="B")
        label, target = _following(lesson, number, last)
        st.button(t(label), key="learn-next", on_click=go, args=target, type="primary", icon=":material/arrow_forward:", shortcut="N")
        st.button(
            t("learn.start_over"), key="learn-start-over", on_click=start_over, args=(lesson,), icon=":material/restart_alt:", help=t("learn.start_over_help")
        )
        if not shell.teaching():
            st.button(t("learn.all"), key="learn-all", on_click=go, args=(None, 1), icon=":material/list:")
        teach_button()


def _following(lesson: Lesson, number: int, last: int) -> tuple[str, tuple[Lesson | None, int]]:
    """The text key and the target of the button that leads on: to the next card, to the next lesson, or to the list of lessons."""
    if number < last:
        return "learn.next", (lesson, number + 1)
    after = next((one for one in all_lessons() if one.number == lesson.number + 1), None)
    return ("learn.next_lesson", (after, 1)) if after else ("learn.finish", (None, 1))


def _card(card: LessonCard) -> None:
    try:
        st.markdown(i18n.of(card.say).format(**_numbers()))
    except KeyError:  # the text names a number that no stored result gives
        missing.shipped()
        return
    lesson_views.VIEWS[card.show](card.start)


def _numbers() -> dict[str, float | str]:
    """The numbers for the texts, by name. P-values, whose names end in ``_p``, are already formatted."""
    return {name: wording.p_value(number) if name.endswith("_p") else number for name, number in lesson_numbers.numbers().items()}


def _task(lesson: Lesson, number: int) -> None:
    """Shows the task, and the link to the page on which to do it."""
    st.markdown(f"**{t('learn.your_turn')}** {i18n.of(lesson.task)}")
    opens = lesson.opens
    links.forget(*opens.link)  # an earlier choice on that page would override the link
    icon = shell.PAGES[opens.page]
    st.page_link(shell.page(opens.page), label=t("learn.open", page=t(f"{opens.page}.menu")), icon=icon, query_params=link_of(opens, lesson.number, number))


def link_of(opens: Opening, lesson: int, card: int) -> dict[str, str]:
    """The parameters of the link that opens a page in the state that a lesson describes. Runs that are not stored are left out.

    In teacher mode the link also holds the lesson and the card to return to.
    """
    runs = [run.digest for fields in opens.runs if (run := lesson_numbers.find_usual_run(opens.model, **fields))]
    chosen = {"runs": links.SEPARATOR.join(runs)} if runs else {}
    teach = {shell.TEACH: shell.YES, LESSON: str(lesson), CARD: str(card)} if shell.teaching() else {}
    return {"model": opens.model, "dataset": lab.usual_dataset(opens.model), **chosen, **opens.link, **teach, i18n.KEY: i18n.language()}
