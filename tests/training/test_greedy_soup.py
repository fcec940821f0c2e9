"""The greedy choice of a soup's ingredients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustprune.training.greedy_soup import Robustness, Step, greedy


class Taste:
    """Made-up scores of averages, by their ingredients; remembers what was asked."""

    def __init__(self, scores):
        self.scores, self.asked = {tuple(sorted(names)): Robustness(*values) for names, values in scores.items()}, []

    def __call__(self, names):
        self.asked.append(tuple(names))
        return self.scores[tuple(sorted(names))]


def test_the_most_robust_come_first_then_the_most_accurate_then_the_first_named():
    alone = {"weak": (1.0, 0.1), "second": (0.8, 0.5), "third": (0.8, 0.5), "accurate": (0.9, 0.5), "robust": (0.1, 0.6)}
    taste = Taste({(name,): values for name, values in alone.items()} | {("robust", other): (0, 0) for other in alone if other != "robust"})
    assert [step.name for step in greedy(list(alone), taste)] == ["robust", "accurate", "second", "third", "weak"]
    assert [step.name for step in greedy(["third", "weak", "second", "robust", "accurate"], taste)] == ["robust", "accurate", "third", "second", "weak"]


def test_an_ingredient_stays_if_the_average_is_no_less_robust():
    taste = Taste(
        {
            "a": (0.9, 0.5), "b": (0.9, 0.4), "c": (0.9, 0.3), "d": (0.9, 0.2),
            "ab": (0.5, 0.5),  # as robust as before, if less accurate: kept
            "abc": (1.0, 0.49),  # less robust: not kept
            "abd": (0.6, 0.7),
        }
    )  # fmt: skip
    steps = greedy("abcd", taste)
    assert [(step.name, step.kept) for step in steps] == [("a", True), ("b", True), ("c", False), ("d", True)]
    assert [step.before for step in steps] == [None, Robustness(0.9, 0.5), Robustness(0.5, 0.5), Robustness(0.5, 0.5)]
    assert [step.together for step in steps] == [Robustness(0.9, 0.5), Robustness(0.5, 0.5), Robustness(1.0, 0.49), Robustness(0.6, 0.7)]
    assert [Step.from_json(step.to_json()) for step in steps] == steps


def test_one_ingredient_is_the_soup():
    taste = Taste({"a": (0.9, 0.5)})
    assert greedy(["a"], taste) == [Step("a", Robustness(0.9, 0.5), Robustness(0.9, 0.5), None, kept=True)]
    assert taste.asked == [("a",)]


def test_no_ingredient_is_no_soup():
    with pytest.raises(ValueError, match="ingredient"):
        greedy([], Taste({}))


SCORES = st.builds(Robustness, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))


@given(st.integers(1, 6), st.data())
def test_a_soup_never_gets_less_robust_and_is_tasted_no_oftener_than_needed(count, drawn):
    names, scores, asked, heard = [f"model {number}" for number in range(count)], {}, [], []

    def taste(parts):
        asked.append(tuple(parts))
        key = frozenset(parts)
        if key not in scores:
            scores[key] = drawn.draw(SCORES)
        return scores[key]

    steps = greedy(names, taste, lambda so_far: heard.append(list(so_far)))
    assert sorted(step.name for step in steps) == names
    assert asked[:count] == [(name,) for name in names]
    assert len(asked) == 2 * count - 1
    assert heard == [steps[:number] for number in range(1, count + 1)]
    kept, best = [], None
    for step, parts in zip(steps, [(steps[0].name,), *asked[count:]], strict=True):
        assert parts == (*kept, step.name)
        assert (step.alone, step.together, step.before) == (scores[frozenset([step.name])], scores[frozenset(parts)], best)
        assert step.kept == (best is None or step.together.aua >= best.aua)
        if step.kept:
            assert best is None or step.together.aua >= best.aua
            kept, best = [*kept, step.name], step.together
    assert best.aua == max(step.together.aua for step in steps if step.kept) >= max(step.alone.aua for step in steps)
