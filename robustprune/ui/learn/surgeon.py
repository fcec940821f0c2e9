"""The optimal brain surgeon small enough to draw: two weights on a surface, and six weights removed one by one by the engine's own solver.

The loss is that of a single linear neuron, ``L(w) = 1/2 mean((x w - x w*)^2)`` over some inputs x, so the Hessian is ``H = mean(x^T x)``
and the second-order prediction of Hassibi and Stork (1992; Li et al. 2023, Eq. 1) is exact. The true loss is always measured on the
inputs themselves; the prediction knows nothing but H.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from robustprune.base import checks

POINTS = 400
# Beyond this the surface is a trench that no picture shows.
MAX_CORRELATION = 0.98
SCALES, OPTIMA = (0.1, 3.0), (-3.0, 3.0)
# Six inputs in three pairs that go together, as a layer's inputs do; of every pair one may do the other's work.
PAIRS, SIX = 3, 6


@dataclass(frozen=True)
class Drop:
    """One weight set to zero.

    Attributes:
        weight: its place.
        compensated: whether the other weight makes up for it.
        weights: what both are then.
        predicted: loss that the Hessian predicts: ``w^2 / (2 [H^-1]_pp)`` compensated, ``w^2 H_pp / 2`` not.
        true: loss measured on the inputs.
    """

    weight: int
    compensated: bool
    weights: tuple[float, float]
    predicted: float
    true: float


@dataclass(frozen=True)
class Surface:
    """The loss over two weights.

    Attributes:
        inputs: what the neuron is fed; their mean squares are the squared scales, their correlation the one asked for, exactly.
        optimum: the weights w* of no loss.
    """

    inputs: Float[np.ndarray, "points 2"]
    optimum: tuple[float, float]

    @property
    def hessian(self) -> Float[np.ndarray, "2 2"]:
        """Second moments of the inputs."""
        return self.inputs.T @ self.inputs / len(self.inputs)

    def loss(self, weights: Sequence[float]) -> float:
        """The loss of some weights, measured on the inputs."""
        return _loss(self.inputs, np.subtract(weights, self.optimum))

    def drop(self, weight: int, compensated: bool) -> Drop:
        """What becomes of the loss when a weight (0 or 1) is set to zero."""
        optimum, hessian = np.array(self.optimum), self.hessian
        if compensated:
            inverse = np.linalg.inv(hessian)
            cost = optimum[weight] ** 2 / (2 * inverse[weight, weight])
            after = optimum - optimum[weight] / inverse[weight, weight] * inverse[:, weight]
        else:
            cost = optimum[weight] ** 2 * hessian[weight, weight] / 2
            after = optimum.copy()
        after[weight] = 0.0
        return Drop(weight, compensated, tuple(after.tolist()), float(cost), self.loss(after))

    def losses(self, weights: Float[np.ndarray, "... 2"]) -> Float[np.ndarray, "..."]:
        """The loss of many weights, for a picture: by the Hessian, which for this loss is exact."""
        away = weights - np.array(self.optimum)
        return np.einsum("...i,ij,...j", away, self.hessian, away) / 2

    @property
    def tie(self) -> bool:
        """Whether both weights are equally large, so that magnitude cannot choose."""
        return bool(abs(self.optimum[0]) == abs(self.optimum[1]))

    @property
    def smallest(self) -> int:
        """The weight that magnitude pruning drops."""
        return int(np.argmin(np.abs(self.optimum)))

    @property
    def cheapest(self) -> int:
        """The weight that the optimal brain surgeon drops."""
        return min((0, 1), key=lambda weight: self.drop(weight, compensated=True).predicted)


def surface(correlation: float, scales: tuple[float, float], optimum: tuple[float, float]) -> Surface:
    """The surface for inputs of that correlation and those scales (root mean squares), with its lowest point at ``optimum``.

    Raises:
        SpecError: a value is out of range.
    """
    checks.number("correlation", correlation, -MAX_CORRELATION, MAX_CORRELATION)
    for scale in scales:
        checks.number("scale", scale, *SCALES)
    for weight in optimum:
        checks.number("optimum", weight, *OPTIMA)
    mixing = np.array([[scales[0], 0.0], [scales[1] * correlation, scales[1] * np.sqrt(1 - correlation**2)]])
    return Surface(_white(POINTS, 2, seed=0) @ mixing.T, optimum)


@dataclass(frozen=True)
class Removal:
    """How things stand after some of six weights were removed.

    Attributes:
        weights: what they are then.
        removed: the weight that went last; None before the first.
        predicted, true: the loss so far, by the sum of the predictions and as measured on the inputs.
        costs: what removing each weight next would cost, by prediction; None for those that are gone.
        magnitude: the true loss if the smallest weights had gone instead, with none made up for.
        by_size_made_up: the same, with those that remain making up for them as well as they can.
    """

    weights: tuple[float, ...]
    removed: int | None
    predicted: float
    true: float
    costs: tuple[float | None, ...]
    magnitude: float
    by_size_made_up: float


def six_weights(correlation: float, seed: int) -> list[Removal]:
    """Six weights, removed one by one by the engine's exact solver (Li et al. 2023, Alg. 1), from none to all.

    Args:
        correlation: of the two inputs of each pair.
        seed: of inputs, scales and weights.

    Raises:
        SpecError: the correlation is out of range.
    """
    checks.number("correlation", correlation, -MAX_CORRELATION, MAX_CORRELATION)
    draw = np.random.default_rng(seed)
    pair = np.array([[1.0, 0.0], [correlation, np.sqrt(1 - correlation**2)]])
    inputs = _white(POINTS, SIX, seed) @ np.kron(np.eye(PAIRS), pair).T * draw.uniform(0.5, 1.6, SIX)
    optimum = draw.uniform(0.3, 1.5, SIX) * draw.choice((-1.0, 1.0), SIX)
    hessian = inputs.T @ inputs / POINTS
    result, predicted, gone = [], 0.0, np.zeros(SIX, bool)
    by_size = np.argsort(np.abs(optimum))
    for step, weights in enumerate(_solved(optimum, hessian, inputs)):
        new = (weights == 0) & ~gone
        removed = int(np.argmax(new)) if step else None
        if step:
            predicted += result[-1].costs[removed]
        gone = weights == 0
        small = by_size[:step]
        losses = [_loss(inputs, other - optimum) for other in (weights, _without(small, optimum, hessian, False), _without(small, optimum, hessian, True))]
        result.append(Removal(tuple(weights.tolist()), removed, predicted, losses[0], _costs(weights, hessian, gone), *losses[1:]))
    return result


def _without(places: np.ndarray, optimum: Float[np.ndarray, "6"], hessian: Float[np.ndarray, "6 6"], made_up: bool) -> Float[np.ndarray, "6"]:
    """The weights without some of them, the others as they were or where they make up best."""
    weights = optimum.copy()
    weights[places] = 0.0
    left = np.setdiff1d(np.arange(SIX), places)
    if made_up and len(left):
        weights[left] += np.linalg.solve(hessian[np.ix_(left, left)], hessian[np.ix_(left, places)] @ optimum[places])
    return weights


def _solved(optimum: Float[np.ndarray, "6"], hessian: Float[np.ndarray, "6 6"], inputs: Float[np.ndarray, "points 6"]) -> list[Float[np.ndarray, "6"]]:
    """The engine's solutions for zero to six zeros. The surgeon is greedy, so each goes one weight further than the one before."""
    import torch

    from robustprune.pruning.problem import LayerProblem
    from robustprune.pruning.solvers.obs import OBS
    from robustprune.specs.prune import Pattern

    weight, moments = torch.from_numpy(optimum)[None], torch.from_numpy(hessian)
    norms = torch.from_numpy(np.linalg.norm(inputs, axis=0))
    patterns = [Pattern(zeros / SIX, "row") for zeros in range(SIX)]
    problems = [LayerProblem(weight, weight, moments, norms, pattern) for pattern in patterns]
    return [*(OBS().solve(problem, lambda _: None).weight[0].numpy() for problem in problems), np.zeros(SIX)]


def _costs(weights: Float[np.ndarray, "6"], hessian: Float[np.ndarray, "6 6"], gone: np.ndarray) -> tuple[float | None, ...]:
    """What each remaining weight would cost: ``w^2 / (2 [H^-1]_pp)``, with the Hessian of those that remain."""
    left = np.flatnonzero(~gone)
    costs: list[float | None] = [None] * SIX
    if len(left):
        inverse = np.linalg.inv(hessian[np.ix_(left, left)])
        for place, weight in enumerate(left):
            costs[weight] = float(weights[weight] ** 2 / (2 * inverse[place, place]))
    return tuple(costs)


def _loss(inputs: Float[np.ndarray, "points in"], difference: Float[np.ndarray, " in"]) -> float:
    return float(((inputs @ difference) ** 2).mean() / 2)


def _white(points: int, size: int, seed: int) -> Float[np.ndarray, "points size"]:
    """Random inputs that are exactly uncorrelated, with a mean square of exactly one."""
    orthonormal, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((points, size)))
    return orthonormal * np.sqrt(points)
