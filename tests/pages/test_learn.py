"""The Learn page as people go through it: every lesson to its last card, its link, its games, in both languages."""

import re
from urllib.parse import parse_qsl

import pytest

from robustprune.base import locales
from robustprune.ui.frame import shell
from robustprune.ui.learn import numbers as lesson_numbers
from robustprune.ui.learn import quiz, surgeon
from robustprune.ui.learn.lesson import all_lessons
from tests.pages.opening import open_page, press, wait_until, words

LESSONS = {lesson.id: lesson for lesson in all_lessons()}


def key(app, name):
    return next(button for button in app.button if button.key == name)


@pytest.mark.parametrize("language", locales.languages())
@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_lesson_is_gone_through_to_its_last_card(lesson, language, empty_home):
    app = open_page("learn", lesson=str(lesson.number), lang=language)
    for card in [*lesson.cards, None]:
        assert not app.exception
        assert not app.error
        assert app.title[0].value == lesson.title[language]
        said = words(app)
        if card:
            assert card.say[language].split("{")[0][:20] in said
            assert locales.texts(language)["learn.not_here"] not in said
        else:
            assert lesson.task[language] in said
        key(app, "learn-next").click().run()
    after = LESSONS[lesson.id].number + 1
    assert app.session_state["lesson"] == (str(after) if after <= len(LESSONS) else None)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_the_link_of_a_lesson_opens_the_page_in_its_state(lesson, empty_home):
    app = open_page("learn", lesson=str(lesson.number), card=str(len(lesson.cards) + 1))
    link = app.get("page_link")[0].proto
    assert link.page == lesson.opens.page or (lesson.opens.page == "overview" and not link.page)
    opened = open_page(lesson.opens.page, **dict(parse_qsl(link.query_string)))
    assert not opened.exception
    assert not opened.error
    assert opened.session_state["model"] == lesson.opens.model
    if lesson.opens.runs:
        assert opened.session_state["runs"] == [lesson_numbers.find_usual_run(lesson.opens.model, **fields).digest for fields in lesson.opens.runs]
    for name, value in lesson.opens.link.items():
        share = str(float(value.rstrip("%")) / 100) if value.endswith("%") else value
        assert str(opened.session_state[name]).lower() in (value, share), name


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_lesson_without_any_results_says_so_and_what_to_do(lesson, nothing_ships):
    for number, card in enumerate(lesson.cards, 1):
        app = open_page("learn", lesson=str(lesson.number), card=str(number))
        assert not app.exception
        assert not app.error
        needs_nothing = card.show in ("surface", "six", "paper_rows") and not re.search(r"\{(?!paper|sparsity)", card.say["en"])
        offers = [button for button in app.button if button.label.startswith("Prune ")]
        assert bool(app.info) or bool(offers) or needs_nothing, card.show
    app = open_page("learn", lesson=str(lesson.number), card=str(len(lesson.cards) + 1))
    assert not app.exception
    assert app.get("page_link")


def test_the_link_of_a_lesson_settles_what_was_chosen_before(empty_home):
    app = open_page("prune", pattern="2:4", calibration="64", seed="7", dataset="demo-news")
    lesson = LESSONS["why"]
    app.query_params.clear()
    app.query_params["lesson"], app.query_params["card"] = str(lesson.number), str(len(lesson.cards) + 1)
    app.switch_page("pages/learn.py").run()
    link = app.get("page_link")[0].proto
    app.query_params.clear()
    for name, value in parse_qsl(link.query_string):
        app.query_params[name] = value
    app.switch_page("pages/prune.py").run()
    assert "Prune at 60%" in [button.label for button in app.button]
    assert app.number_input(key="calibration").value == 512
    assert app.number_input(key="seed").value == 0


@pytest.mark.parametrize("link", [{"lesson": "9"}, {"lesson": "x"}, {"lesson": "4", "card": "77"}, {"lesson": "4", "correlation": "nan"}, {"teach": "yes"}])
def test_a_bad_link_falls_back(link, empty_home):
    app = open_page("learn", **link)
    assert not app.exception
    assert len(app.title) == 1


def test_start_over_returns_to_the_first_state(empty_home):
    app = open_page("learn", lesson="4")
    start = LESSONS["surgeon"].cards[0].start
    app.slider(key="correlation").set_value(-0.5).run()
    key(app, "learn-next").click().run()
    assert app.slider(key="correlation").value == LESSONS["surgeon"].cards[1].start["correlation"]
    app.slider(key="scale_1").set_value(3.0).run()
    key(app, "learn-start-over").click().run()
    assert {name: app.slider(key=name).value for name in start} == start
    assert app.session_state["card"] == "1"


def test_the_state_of_a_toy_is_in_the_link(empty_home):
    app = open_page("learn", lesson="4", correlation="0.3", optimum_1="-1.2")
    assert app.slider(key="correlation").value == 0.3
    assert app.slider(key="optimum_1").value == -1.2
    app.slider(key="correlation").set_value(0.5).run()
    assert app.query_params["correlation"] == "0.5"


def test_the_preset_says_that_magnitude_chose_wrong_with_its_own_numbers(empty_home):
    app = open_page("learn", lesson="4", card="2")
    start = LESSONS["surgeon"].cards[1].start
    shown = surgeon.surface(start["correlation"], (start["scale_1"], start["scale_2"]), (start["optimum_1"], start["optimum_2"]))
    assert "magnitude chose wrong" in words(app)
    assert f"{shown.drop(shown.cheapest, compensated=True).true:.3f}" in words(app)


def test_predict_first_keeps_the_score(empty_home):
    app = open_page("learn", lesson="6", card="2")
    traces = quiz.questions()
    (first, right), (_, other) = list(traces.items())[:2]
    app.button_group(key=quiz.GUESS).set_value(right.swaps[0]["index"]).run()
    key(app, "quiz-reveal").click().run()
    assert app.success
    assert right.swaps[0]["to"] in app.success[0].value
    key(app, "quiz-next").click().run()
    assert app.session_state["quiz"] != str(first)
    wrong = next(place for place in other.importance if place != other.swaps[0]["index"])
    app.button_group(key=quiz.GUESS).set_value(wrong).run()
    key(app, "quiz-reveal").click().run()
    assert app.info
    assert not app.success
    assert "1 of 2" in words(app)


def test_an_answer_stays_right_when_another_page_was_looked_at(empty_home):
    app = open_page("learn", lesson="6", card="2")
    trace = next(iter(quiz.questions().values()))
    app.button_group(key=quiz.GUESS).set_value(trace.swaps[0]["index"]).run()
    key(app, "quiz-reveal").click().run()
    app.switch_page("pages/dense.py").run()
    app.switch_page("pages/learn.py").run()
    assert app.success
    assert "1 of 1" in words(app)


def test_only_words_that_matter_are_asked_about(empty_home):
    assert len(quiz.questions()) >= 5
    assert all(max(trace.importance.values()) >= quiz.LEANS for trace in quiz.questions().values())


def test_a_question_counts_once(empty_home):
    app = open_page("learn", lesson="6", card="2")
    trace = next(iter(quiz.questions().values()))
    for _ in range(2):
        app.button_group(key=quiz.GUESS).set_value(trace.swaps[0]["index"]).run()
        key(app, "quiz-reveal").click().run()
        key(app, "learn-start-over").click().run()
        key(app, "learn-next").click().run()
    assert "1 of 1" in words(app)


def test_beating_textfooler_takes_fewer_words_that_flip_the_model(empty_home):
    app = open_page("learn", lesson="6", card="3")
    trace = quiz.attacked_texts()[44]
    app.text_area[0].set_value(trace.text.replace("ugly", "dreary"))
    press(app, "Ask the model")
    wait_until(app, lambda: app.dataframe)
    assert "holds" in words(app)
    app.text_area[0].set_value("A masterpiece: moving, funny and wonderful.")
    press(app, "Ask the model")
    wait_until(app, lambda: len(app.dataframe[0].value) == 2)
    assert "TextFooler needed" in words(app), "flipped, but in more words than the attack"
    assert not app.exception
    key(app, "learn-start-over").click().run()
    for _ in range(2):
        key(app, "learn-next").click().run()
    assert not app.dataframe, "start over forgets what was tried"
    assert app.text_area[0].value == trace.text


def test_a_guess_of_the_sparsity_is_answered_from_the_runs(empty_home):
    app = open_page("learn", lesson="3")
    assert key(app, "guess-reveal").disabled
    for method in ("magnitude", "admm"):
        app.button_group(key=f"learn_guess_{method}").set_value("50%").run()
    key(app, "guess-reveal").click().run()
    assert not app.exception
    assert "stays within" in words(app)
    assert len(app.get("plotly_chart")) == 1


def test_teacher_mode_hides_what_a_class_does_not_need_and_leads_back(empty_home):
    app = open_page("learn", lesson="5", teach="1")
    assert not app.exception
    assert not app.get("download_button")
    assert "learn-all" not in [button.key for button in app.button]
    other = open_page("layers", lesson="5", card="2", teach="1")
    assert other.get("page_link")[0].proto.label == "Back to lesson 5"
    key(other, "learn-teach").click().run()
    assert "teach" not in other.query_params
    assert open_page("layers", teach="1").get("page_link")[0].proto.label == "All lessons", "nobody came from a lesson"
    key(app, "learn-teach").click().run()
    assert app.get("download_button")
    assert not shell.teaching()


def test_all_lessons_is_the_list_again(empty_home):
    app = open_page("learn", lesson="2")
    key(app, "learn-all").click().run()
    assert app.title[0].value == "What do I need to know?"
    assert "card" not in app.query_params
    assert sum(button.key.startswith("lesson-") for button in app.button) == len(LESSONS)


def test_the_glossary_shows_both_languages_and_finds_a_term(empty_home):
    app = open_page("learn", learn_view="glossary", lang="zh")
    assert len(app.table[0].value) == 20
    app.text_input(key="term").set_value("hessian").run()
    assert "海森矩阵" in app.table[0].value.to_string()
    app.text_input(key="term").set_value("nothing like it").run()
    assert app.info


@pytest.mark.parametrize("name", shell.PAGES)
def test_every_page_opens_in_chinese(name, empty_home):
    app = open_page(name, lang="zh")
    assert not app.exception
    assert not app.error
    assert app.title[0].value == locales.texts("zh")[f"{name}.title"]


def test_the_language_is_changed_in_the_sidebar_and_stands_in_the_link(empty_home):
    app = open_page("prune")
    app.selectbox(key="lang").set_value("zh").run()
    assert app.title[0].value == locales.texts("zh")["prune.title"]
    assert app.query_params["lang"] == "zh"


def test_an_error_of_the_engine_is_told_in_chinese(empty_home):
    app = open_page("prune", lang="zh", layer_sparsities="block.0=lots")
    assert re.search("[\u4e00-\u9fff]", app.error[0].value)
    assert "lots" in app.error[0].value
