"""The reader's verdict: what counts, what waits, and what can be taken along."""

from streamlit.testing.v1 import AppTest

from robustprune.ui.attack.verdict import Tally, Verdict


def verdict(outcome, same=None, english=None):
    return Verdict("dense", "textfooler", "A good film.", "A fine film.", outcome, same, english)


def test_only_flipped_texts_that_say_the_same_in_good_english_are_accepted():
    verdicts = [
        verdict("flipped", True, True), verdict("flipped", True, False), verdict("flipped", False, True), verdict("flipped", True), verdict("flipped"),
        verdict("held"), verdict("held", True, True), verdict("skipped"), verdict("stopped"),
    ]  # fmt: skip
    assert Tally.of(verdicts) == Tally(attacked=7, flipped=5, accepted=1, unread=2)


def test_nothing_attacked_is_nothing_counted():
    assert Tally.of([]) == Tally.of([verdict("skipped"), verdict("stopped")]) == Tally(0, 0, 0, 0)


def page():
    import streamlit as st

    from robustprune.ui.attack import verdict
    from tests.attacks.traces import trace

    flipped, held = trace(), trace("held", text="A good film again.")
    verdict.note({"dense": flipped, "sparse": held})
    if st.checkbox("there", value=True):
        verdict.ask(flipped)
        verdict.ask(held)
    verdict.tally()
    st.dataframe(verdict.table())


def answers(app):
    return app.dataframe[0].value[["outcome", "same", "english"]].values.tolist()


def test_the_reader_is_asked_of_flipped_texts_and_the_tally_follows():
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert len(app.button_group) == 2  # two questions about the one flipped text
    assert [metric.value for metric in app.metric] == ["1 of 2", "0 of 2"]
    for question in app.button_group:
        question.set_value("yes")
    app.run()
    assert [metric.value for metric in app.metric] == ["1 of 2", "1 of 2"]
    assert answers(app) == [["flipped", "yes", "yes"], ["held", "", ""]]


def test_an_answer_stays_when_the_page_is_left_and_can_be_taken_back():
    app = AppTest.from_function(page).run()
    app.button_group[0].set_value("no")
    app.run()
    app.checkbox[0].uncheck().run()
    app.checkbox[0].check().run()
    assert answers(app)[0] == ["flipped", "no", ""]
    assert app.button_group[0].value == "no"
