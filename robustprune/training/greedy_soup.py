"""A robust dense model by greedy weight averaging (Li et al. 2023, Alg. 3): which ingredients go in, and why."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Tasted:
    """A model under attack on the texts that are chosen by: accuracy, and accuracy under attack, both in [0, 1]."""

    accuracy: float
    aua: float


@dataclass(frozen=True)
class Step:
    """One ingredient on its turn.

    Attributes:
        name: the ingredient.
        alone: the ingredient by itself.
        together: the average of what was kept so far and this one; of the first, the ingredient itself.
        before: the average of what was kept so far; None of the first.
        kept: whether it went in: the average got no less robust.
    """

    name: str
    alone: Tasted
    together: Tasted
    before: Tasted | None
    kept: bool

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The step that ``to_json`` wrote."""
        tasted = {key: Tasted(**value[key]) if value[key] else None for key in ("alone", "together", "before")}
        return cls(value["name"], kept=value["kept"], **tasted)


def greedy(names: Sequence[str], taste: Callable[[Sequence[str]], Tasted], heard: Callable[[Sequence[Step]], None] = lambda steps: None) -> list[Step]:
    """Ingredients in the order of their robustness, most robust first, each kept if the average with it is no less robust than without.

    Of two that are equally robust the more accurate one comes first, then the one that is named first.

    Args:
        taste: how robust the average of the named models is.
        heard: told the steps so far after each.

    Raises:
        ValueError: no ingredients.
    """
    if not names:
        raise ValueError("a soup needs an ingredient")
    alone = {name: taste([name]) for name in names}
    ranked = sorted(names, key=lambda name: (-alone[name].aua, -alone[name].accuracy))
    first, *others = ranked
    steps = [Step(first, alone[first], alone[first], None, kept=True)]
    kept, best = [first], alone[first]
    heard(steps)
    for name in others:
        together = taste([*kept, name])
        steps.append(Step(name, alone[name], together, best, kept=together.aua >= best.aua))
        if steps[-1].kept:
            kept, best = [*kept, name], together
        heard(steps)
    return steps
