"""A robust dense model by greedy weight averaging (Li et al. 2023, Alg. 3): decides which ingredients are averaged, and records why."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Robustness:
    """The accuracy of a model and its accuracy under attack (``aua``) on the texts that the choice is based on, both in [0, 1]."""

    accuracy: float
    aua: float


@dataclass(frozen=True)
class Step:
    """One step of the greedy choice, which tries one ingredient.

    Attributes:
        name: name of the ingredient.
        alone: result of the ingredient alone.
        together: result of the average of all kept ingredients and this one; for the first ingredient, its own result.
        before: result of the average of the ingredients kept before this step; None for the first ingredient.
        kept: whether the ingredient was kept, because the average with it is at least as robust as the average without it.
    """

    name: str
    alone: Robustness
    together: Robustness
    before: Robustness | None
    kept: bool

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Returns the step that ``to_json`` wrote."""
        measured = {key: Robustness(**value[key]) if value[key] else None for key in ("alone", "together", "before")}
        return cls(value["name"], kept=value["kept"], **measured)


def greedy(names: Sequence[str], measure: Callable[[Sequence[str]], Robustness], report: Callable[[Sequence[Step]], None] = lambda steps: None) -> list[Step]:
    """Chooses the ingredients greedily and returns one step per ingredient.

    The most robust ingredient comes first. Each following ingredient is kept if the average with it is at least as robust as the average
    without it. Of two equally robust ingredients, the more accurate one comes first. If they are equally accurate too, the order of
    ``names`` decides.

    Args:
        names: names of the ingredients.
        measure: measures the average of the named models.
        report: called with all steps so far, after every step.

    Raises:
        ValueError: ``names`` is empty.
    """
    if not names:
        raise ValueError("a soup needs an ingredient")
    alone = {name: measure([name]) for name in names}
    ranked = sorted(names, key=lambda name: (-alone[name].aua, -alone[name].accuracy))
    first, *others = ranked
    steps = [Step(first, alone[first], alone[first], None, kept=True)]
    kept, best = [first], alone[first]
    report(steps)
    for name in others:
        together = measure([*kept, name])
        steps.append(Step(name, alone[name], together, best, kept=together.aua >= best.aua))
        if steps[-1].kept:
            kept, best = [*kept, name], together
        report(steps)
    return steps
