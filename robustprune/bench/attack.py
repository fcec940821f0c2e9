"""``bench attack``: compares our attacks with TextAttack's own classes and wrapper, in their results for every text and in their time."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from robustprune.attacks.engine import library
from robustprune.attacks.engine.attacker import Attacker
from robustprune.attacks.resources.loading import Resources, load
from robustprune.base.errors import SpecError
from robustprune.bench import plain
from robustprune.models import loading, sources
from robustprune.specs.attack import AttackSpec
from robustprune.texts import datasets

Outcomes = list[tuple[str, str, int]]


def measure(model: str, dataset: str | None, spec: AttackSpec, examples: int, repeats: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measures the seconds of our attacks and of TextAttack, and whether outcome, final text and number of queries are equal for every text.

    The two programs run alternately; the seconds are medians over several runs. The time for imports and for loading resources is not counted. All
    caches are cleared before every run. ``tell`` gets the lines of a table.

    Raises:
        SpecError: the recipe cannot be built from TextAttack's classes alone.
    """
    if spec.recipe not in plain.RECIPES:
        raise SpecError("bench.recipe_not_comparable", recipe=spec.recipe, allowed=plain.RECIPES)
    source = sources.find(model)
    texts = datasets.load(dataset or datasets.default_for(source.dataset), "evaluation").sample(examples, spec.seed)
    classifier, loaded = loading.load(source), load(spec, lambda _done, _total, doing, _=None: tell(str(doing)))
    wrapper = library.textattack().models.wrappers.HuggingFaceModelWrapper(classifier.model, classifier.tokenizer)
    theirs = plain.attack(spec.recipe, wrapper, loaded, spec.query_budget)
    looks = _Looks()
    ours = Attacker([classifier], loaded, spec, looks)
    _ours(ours, texts.take([0]))  # resources that are loaded at the first text are not counted
    stock_seconds, seconds, victim_seconds = [], [], []
    for number in range(repeats):
        _forget(loaded)
        looks.rest()
        spent, (found, took) = ours.victim_seconds, _timed(lambda: _ours(ours, texts))
        victim_seconds.append(ours.victim_seconds - spent)
        seconds.append(took)
        _forget(loaded)
        with library.stock():
            expected, took = _timed(lambda: [plain.outcome(theirs, text, label, spec.seed) for text, label in zip(texts.texts, texts.labels, strict=True)])
        stock_seconds.append(took)
        tell(f"run {number + 1}: stock {stock_seconds[-1]:.2f} s, ours {seconds[-1]:.2f} s, of these the victim {victim_seconds[-1]:.2f} s")
    different = [text for text, mine, its in zip(texts.texts, found, expected, strict=True) if mine != its]
    for text in different:
        tell(f"different: {text}")
    return {
        "model": model,
        "dataset": texts.dataset,
        "recipe": spec.recipe,
        "resources": loaded.names.to_json(),
        "texts": len(texts),
        "queries": sum(queries for _, _, queries in found),
        "threads": torch.get_num_threads(),
        "stock_seconds": statistics.median(stock_seconds),
        "seconds": statistics.median(seconds),
        "victim_seconds": statistics.median(victim_seconds),
        "stock_over_ours_seconds": statistics.median(stock_seconds) / statistics.median(seconds),
        "seconds_over_victim": statistics.median([whole / part for whole, part in zip(seconds, victim_seconds, strict=True)]),
        "identical": not different,
        "longest_seconds_between_looks": looks.longest,
    }


class _Looks:
    """A watch that never cancels. It records the longest time between two of its calls, in which a cancel would have had no effect."""

    def __init__(self) -> None:
        self.longest, self._last = 0.0, None

    def __call__(self, _trace: Any) -> None:
        now = time.perf_counter()
        if self._last is not None:
            self.longest = max(self.longest, now - self._last)
        self._last = now

    def rest(self) -> None:
        """Leaves out the time until the next call, in which none of our attacks runs."""
        self._last = None


def _ours(attacker: Attacker, texts: datasets.Texts) -> Outcomes:
    traces = [attacker.attack(text, label)[0] for text, label in zip(texts.texts, texts.labels, strict=True)]
    return [(trace.outcome, trace.perturbed, trace.queries) for trace in traces]


def _timed(work: Callable[[], Outcomes]) -> tuple[Outcomes, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def _forget(loaded: Resources) -> None:
    loaded.encode_window.__self__.forget()
    library.forget()
