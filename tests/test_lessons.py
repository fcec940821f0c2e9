"""The lessons' data: complete in both languages, and without a number of their own."""

import re
from string import Formatter

import pytest

from robustprune import lab
from robustprune.lessons import lessons
from robustprune.ui import i18n
from robustprune.ui.lesson_views import VIEWS

LESSONS = {lesson.id: lesson for lesson in lessons()}
# Digits that are no results: what the paper and the field call things, and the level of an interval.
NAMES = r"w[12] = 0|SST-2|Table 1|表 1|[wF][12]|w²|2 \[H⁻¹\]|95 ?%"


def texts(lesson):
    yield from (lesson.title, lesson.idea, lesson.task, *(card.say for card in lesson.cards))


def placeholders(text):
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


def test_there_are_eight_and_each_stands_at_its_number():
    assert [lesson.number for lesson in lessons()] == list(range(1, 9))


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_every_text_is_there_in_every_language_with_the_same_numbers(lesson):
    for said in texts(lesson):
        assert set(said) == set(i18n.languages())
        assert len({tuple(placeholders(text)) for text in said.values()}) == 1


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_no_number_is_written_by_hand(lesson):
    known = lab.lesson_numbers()
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
    assert {card.show for lesson in lessons() for card in lesson.cards} == set(VIEWS)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_the_runs_that_a_lesson_opens_ship(lesson, empty_home):
    for fields in lesson.opens.runs:
        assert lab.find_usual_run(lesson.opens.model, **fields), fields


def test_the_papers_numbers_are_those_of_its_table(empty_home):
    numbers = lab.lesson_numbers()
    assert [round(numbers[f"paper_{row}_aua"] * 100, 1) for row in ("finetune", "average", "ada", "imp")] == [12.7, 30.4, 43.1, 7.9]
    table = next(lesson for lesson in lessons() if lesson.id == "table")
    assert all("1" in re.findall(r"(?:Table|表) (\d)", text) for text in table.cards[1].say.values())


def test_the_rates_follow_from_the_counts_that_are_shown(empty_home):
    table = next(table for table in lab.all_tables() if table.dataset == "sst2" and table.sparsity)
    for row in table.rows:
        n, s, f, a = (row.scores[key] for key in ("examples", "skipped", "held", "flipped"))
        assert [(n - s) / n, f / n, a / (a + f)] == pytest.approx([row.scores[rate] for rate in ("acc", "aua", "asr")])
