"""The lessons' data: complete in both languages, and without a number of their own."""

import re
from string import Formatter
from types import SimpleNamespace

import pytest

from robustprune import lab
from robustprune.base import locales, stores
from robustprune.ui.learn import numbers as lesson_numbers
from robustprune.ui.learn.lesson import FOLDER, all_lessons
from robustprune.ui.learn.lesson_views import VIEWS
from robustprune.ui.learn.numbers import stays_near

LESSONS = {lesson.id: lesson for lesson in all_lessons()}
# Digits that are no results: what the paper and the field call things, and the level of an interval.
NAMES = r"w[12] = 0|SST-2|Table 1|表 1|[wF][12]|w²|2 \[H⁻¹\]|95 ?%"


def texts(lesson):
    yield from (lesson.title, lesson.idea, lesson.task, *(card.say for card in lesson.cards))


def placeholders(text):
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


def test_there_are_eight_and_each_stands_at_its_number():
    assert [lesson.number for lesson in all_lessons()] == list(range(1, 9))
    assert {f"{lesson.number}-{lesson.id}" for lesson in all_lessons()} == {file.stem for file in FOLDER.iterdir()}


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_every_text_is_there_in_every_language_with_the_same_numbers(lesson):
    for said in texts(lesson):
        assert set(said) == set(locales.languages())
        assert len({tuple(placeholders(text)) for text in said.values()}) == 1


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_no_number_is_written_by_hand(lesson):
    known = lesson_numbers.numbers()
    for said in texts(lesson):
        for text in said.values():
            assert set(placeholders(text)) <= set(known)
            bare = re.sub(NAMES, "", re.sub(r"\{[^}]*\}", "", text))
            assert not re.search(r"\d", bare), text


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_what_a_card_shows_is_a_view(lesson):
    assert lesson.cards
    assert {card.show for card in lesson.cards} <= set(VIEWS)


def test_no_view_is_left_over():
    assert {card.show for lesson in all_lessons() for card in lesson.cards} == set(VIEWS)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_the_runs_that_a_lesson_opens_ship(lesson, empty_home):
    for fields in lesson.opens.runs:
        assert lesson_numbers.find_usual_run(lesson.opens.model, **fields), fields


def test_the_papers_numbers_are_those_of_its_table(empty_home):
    numbers = lesson_numbers.numbers()
    assert [round(numbers[f"paper_{row}_aua"] * 100, 1) for row in ("finetune", "average", "ada", "imp")] == [12.7, 30.4, 43.1, 7.9]
    table = next(lesson for lesson in all_lessons() if lesson.id == "table")
    assert all("1" in re.findall(r"(?:Table|表) (\d)", text) for text in table.cards[1].say.values())


def test_what_the_texts_say_of_their_numbers_holds(empty_home):
    numbers = lesson_numbers.numbers()
    assert numbers["curve_best_loss"] < min(numbers["curve_left_loss"], numbers["curve_right_loss"]), "no hill lies between them"
    assert min(numbers["plain_p"], numbers["best_p"]) > 0.05, "no ingredient is told from the soup"
    assert numbers["our_imp_p"] > 0.05, "IMP + FreeLB does not collapse here"
    assert numbers["our_imp_aua"] > 2 * numbers["paper_imp_aua"]
    assert numbers["aua_most_p"] < 0.05, "text by text the two models differ, though their intervals overlap"
    assert numbers["magnitude_accuracy_eighty"] < 0.6, "a model that hardly listens"


def test_a_soup_and_a_table_of_ones_own_leave_the_lessons_as_they_are(empty_home):
    numbers, store = lesson_numbers.numbers(), stores.store()
    soup = store.get("soups", lesson_numbers.lesson_soup().digest).document
    table = store.get("tables", lesson_numbers.lesson_table().digest).document
    own = {name: score for name, score in soup["reported"].items() if "plain" not in name}
    store.put("soups", "0123456789abcdef", {**soup, "reported": own})
    store.put("tables", "0123456789abcdef", {**table, "rows": table["rows"][:1]})
    assert not lab.all_soups()[0].shipped
    assert lesson_numbers.numbers() == numbers


def test_how_far_a_method_stays_near_the_dense_accuracy():
    def run(sparsity, accuracy):
        return SimpleNamespace(spec=SimpleNamespace(sparsity=sparsity), dense=SimpleNamespace(accuracy=0.9), sparse=SimpleNamespace(accuracy=accuracy))

    assert stays_near([run(0.3, 0.9), run(0.5, 0.86), run(0.7, 0.8), run(0.8, 0.9)]) == 0.5, "what lies beyond the first fall does not count"
    assert stays_near([run(0.3, 0.8)]) is None


def test_the_rates_follow_from_the_counts_that_are_shown(empty_home):
    table = next(table for table in lab.all_tables() if table.dataset == "sst2" and table.sparsity)
    for row in table.rows:
        n, s, f, a = (row.scores[key] for key in ("examples", "skipped", "held", "flipped"))
        assert [(n - s) / n, f / n, a / (a + f)] == pytest.approx([row.scores[rate] for rate in ("acc", "aua", "asr")])
