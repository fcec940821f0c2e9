"""The demo texts, and what stored attacks made of them: which of them shows most."""

from collections.abc import Sequence

from robustprune import lab
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.lab.runs import PruneRun
from robustprune.specs.attack import AttackSpec

Pair = tuple[AttackTrace, AttackTrace]


def attack_pair(run: PruneRun, text: str, label: int, spec: AttackSpec) -> Pair | None:
    """The stored attacks on a text, against the run's dense start and the run, with the same resources; None unless both are there."""
    return _pairs(run, [(text, label)], spec)[0]


def attacked_demos(run: PruneRun) -> dict[int, Pair]:
    """The demo texts that were attacked on a run and its dense start, by their numbers from 1."""
    pairs = _pairs(run, lab.showcase(run.spec.model), AttackSpec())
    return {number: pair for number, pair in enumerate(pairs, 1) if pair}


def _pairs(run: PruneRun, texts: Sequence[tuple[str, int]], spec: AttackSpec) -> list[Pair | None]:
    found = zip(*(lab.find_attacks(model, texts, spec) for model in (run.spec.model, run.ref)), strict=True)
    return [(dense, sparse) if dense and sparse and dense.resources == sparse.resources else None for dense, sparse in found]


def most_telling(pairs: dict[int, Pair]) -> int | None:
    """The first text that flips the sparse model alone; else that flips one of the two, else both, else the first; None of none."""
    wanted = (("held", "flipped"), ("flipped", "held"), ("flipped", "flipped"))
    by_outcome = {(dense.outcome, sparse.outcome): number for number, (dense, sparse) in reversed(pairs.items())}
    return next((by_outcome[outcome] for outcome in wanted if outcome in by_outcome), next(iter(pairs), None))
