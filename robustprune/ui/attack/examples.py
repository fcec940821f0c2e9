"""The demo texts with their stored attacks, and the choice of the most instructive one."""

from collections.abc import Sequence

from robustprune import lab
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.lab.runs import PruneRun
from robustprune.specs.attack import AttackSpec

Pair = tuple[AttackTrace, AttackTrace]


def attack_pair(run: PruneRun, text: str, label: int, spec: AttackSpec) -> Pair | None:
    """The stored attacks on a text: on the run's dense model and on the run. None unless both exist and used the same resources."""
    return _pairs(run, [(text, label)], spec)[0]


def attacked_demos(run: PruneRun) -> dict[int, Pair]:
    """The pairs of attacks on demo texts, on a run's dense model and on the run, by the number of the text (from 1)."""
    pairs = _pairs(run, lab.showcase(run.spec.model), AttackSpec())
    return {number: pair for number, pair in enumerate(pairs, 1) if pair}


def _pairs(run: PruneRun, texts: Sequence[tuple[str, int]], spec: AttackSpec) -> list[Pair | None]:
    found = zip(*(lab.find_attacks(model, texts, spec) for model in (run.spec.model, run.ref)), strict=True)
    return [(dense, sparse) if dense and sparse and dense.resources == sparse.resources else None for dense, sparse in found]


def most_telling(pairs: dict[int, Pair]) -> int | None:
    """The number of the most instructive text; None if there are no texts.

    That is the first text that flips only the sparse model, else the first that flips only the dense one, else the first that flips both,
    else the first text.
    """
    wanted = (("held", "flipped"), ("flipped", "held"), ("flipped", "flipped"))
    by_outcome = {(dense.outcome, sparse.outcome): number for number, (dense, sparse) in reversed(pairs.items())}
    return next((by_outcome[outcome] for outcome in wanted if outcome in by_outcome), next(iter(pairs), None))
