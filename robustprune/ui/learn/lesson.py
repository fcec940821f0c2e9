"""The lessons of the Learn page as data: ``assets/lessons/<number>-<id>.json``, one lesson a file, each text in every language.

A card says something and shows something; what it shows is a view that the page knows by name, ``with`` says in which state it opens.
Numbers do not stand in the texts: they are placeholders, which :mod:`robustprune.ui.learn.numbers` fills in.
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
    """One card.

    Attributes:
        say: its text by language.
        show: the name of the view below it.
        start: what the view's widgets hold at first, by their keys.
    """

    say: Said
    show: str
    start: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Opening:
    """The real page in the state that a lesson speaks of.

    Attributes:
        page: its name.
        model: the dense model that is chosen there.
        runs: pruned versions of it that are chosen, each by the fields of its spec that are not as usual.
        link: further parameters of the link, as the page names them.
    """

    page: str
    model: str
    runs: tuple[dict[str, Any], ...] = ()
    link: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """One idea, some cards, one thing to do, and the page to do it on.

    Attributes:
        number: its place, from 1.
        title, idea, task: texts by language.
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
