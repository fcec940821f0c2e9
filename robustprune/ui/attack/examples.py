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

    That is a text that flips only the sparse model, else one that flips only the dense one, else one that flips both, else the first text.
    Of several, it is the one that costs the true label the most probability, on the model that is flipped.
    """
    for wanted in (("held", "flipped"), ("flipped", "held"), ("flipped", "flipped")):
        falls = {number: max(map(_fall, pair)) for number, pair in pairs.items() if tuple(trace.outcome for trace in pair) == wanted}
        if falls:
            return max(falls, key=falls.__getitem__)
    return next(iter(pairs), None)


def _fall(trace: AttackTrace) -> float:
    """How much probability of the true label an attack that flipped the model took away; 0 for any other."""
    return trace.probabilities["original"][trace.label] - trace.probabilities["perturbed"][trace.label] if trace.outcome == "flipped" else 0.0
