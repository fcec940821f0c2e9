"""The lessons of the Learn page as data: ``assets/lessons/<number>-<id>.json``, one lesson per file, each text in every language.

A card has a text (``say``) and a view (``show``). The page knows the view by its name, and ``with`` gives the state in which it opens.
The texts hold placeholders instead of numbers; :mod:`robustprune.ui.learn.numbers` fills them in.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from robustprune.base import paths

FOLDER = paths.ASSETS / "lessons"
Said = dict[str, str]


@dataclass(frozen=True)
class LessonCard:
    """One card of a lesson.

    Attributes:
        say: the text of the card, by language.
        show: the name of the view below the text.
        start: the first values of the view's widgets, by the keys of the widgets.
    """

    say: Said
    show: str
    start: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Opening:
    """A page of the app, in the state that a lesson describes.

    Attributes:
        page: the name of the page.
        model: the dense model that is chosen on the page.
        runs: the runs that are chosen, each as the fields of its spec that differ from the defaults.
        link: further parameters of the link, under the names that the page uses.
    """

    page: str
    model: str
    runs: tuple[dict[str, Any], ...] = ()
    link: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """One lesson: one idea, some cards, one task, and the page to do the task on.

    Attributes:
        number: the position of the lesson, from 1.
        title, idea, task: the texts, by language.
    """

    number: int
    id: str
    title: Said
    idea: Said
    cards: tuple[LessonCard, ...]
    task: Said
    opens: Opening


@cache
def all_lessons() -> tuple[Lesson, ...]:
    """All lessons, in the order of their numbers."""
    files = sorted(FOLDER.glob("*-*.json"), key=lambda file: int(file.stem.split("-")[0]))
    return tuple(_read(file) for file in files)


def _read(file: Path) -> Lesson:
    content = json.loads(file.read_text(encoding="utf-8"))
    cards = tuple(LessonCard(card["say"], card["show"], card.get("with", {})) for card in content.pop("cards"))
    opens = content.pop("opens")
    return Lesson(int(file.stem.split("-")[0]), cards=cards, opens=Opening(**{**opens, "runs": tuple(opens.get("runs", ()))}), **content)
