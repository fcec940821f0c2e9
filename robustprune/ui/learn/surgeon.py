"""The optimal brain surgeon in examples that are small enough to draw.

One example has two weights on a loss surface. The other has six weights, which the engine's own solver removes one by one.

The loss is the loss of a single linear neuron, ``L(w) = 1/2 mean((x w - x w*)^2)`` over some inputs x. So the Hessian is
``H = mean(x^T x)``, and the second-order prediction of Hassibi and Stork (1992; Li et al. 2023, Eq. 1) is exact. The true loss is always
measured on the inputs themselves; the prediction uses only H.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from robustprune.base import checks

POINTS = 400
# Beyond this value the valley of the surface is too narrow to draw.
MAX_CORRELATION = 0.98
SCALES, OPTIMA = (0.1, 3.0), (-3.0, 3.0)
# Six inputs in three correlated pairs, because the inputs of a real layer are correlated too. One input of a pair can replace the other.
PAIRS, SIX = 3, 6


@dataclass(frozen=True)
class Drop:
    """The result of setting one weight to zero.

    Attributes:
        weight: the index of the weight, 0 or 1.
        compensated: whether the other weight compensates for it.
        weights: both weights afterwards.
        predicted: the loss that the Hessian predicts: ``w^2 / (2 [H^-1]_pp)`` with compensation, ``w^2 H_pp / 2`` without.
        true: the loss measured on the inputs.
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
        inputs: the inputs of the neuron. Their mean squares are exactly the squared scales; their correlation is exactly the requested one.
        optimum: the weights w* at which the loss is zero.
    """

    inputs: Float[np.ndarray, "points 2"]
    optimum: tuple[float, float]

    @property
    def hessian(self) -> Float[np.ndarray, "2 2"]:
        """Second moments of the inputs."""
        return self.inputs.T @ self.inputs / len(self.inputs)

    def loss(self, weights: Sequence[float]) -> float:
        """The loss at the given weights, measured on the inputs."""
        return _loss(self.inputs, np.subtract(weights, self.optimum))

    def drop(self, weight: int, compensated: bool) -> Drop:
        """Sets a weight (0 or 1) to zero; returns the weights and the loss afterwards."""
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
        """The loss at many pairs of weights, for a picture. It is computed from the Hessian, which is exact for this loss."""
        away = weights - np.array(self.optimum)
        return np.einsum("...i,ij,...j", away, self.hessian, away) / 2

    @property
    def tie(self) -> bool:
        """True if both weights have the same magnitude, so that magnitude pruning has no reason to prefer one."""
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
    """The surface for inputs of the given correlation and scales (root mean squares), with its lowest point at ``optimum``.

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
    """The state after some of six weights were removed.

    Attributes:
        weights: the weights in this state.
        removed: the index of the weight that was removed last; None before the first removal.
        predicted, true: the loss so far: the sum of the predictions, and the loss measured on the inputs.
        costs: the predicted cost of removing each weight next; None for a removed weight.
        magnitude: the true loss if as many of the smallest weights are removed instead, without compensation.
        by_size_made_up: the true loss if the smallest weights are removed and the remaining ones compensate as well as they can.
    """

    weights: tuple[float, ...]
    removed: int | None
    predicted: float
    true: float
    costs: tuple[float | None, ...]
    magnitude: float
    by_size_made_up: float


def six_weights(correlation: float, seed: int) -> list[Removal]:
    """The states while the engine's exact solver (Li et al. 2023, Alg. 1) removes six weights one by one, from none to all.

    Args:
        correlation: the correlation of the two inputs of each pair.
        seed: the seed for the random inputs, scales and weights.

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
    """The optimum with some weights set to zero. The others keep their values or, if ``made_up``, compensate as well as they can."""
    weights = optimum.copy()
    weights[places] = 0.0
    left = np.setdiff1d(np.arange(SIX), places)
    if made_up and len(left):
        weights[left] += np.linalg.solve(hessian[np.ix_(left, left)], hessian[np.ix_(left, places)] @ optimum[places])
    return weights


def _solved(optimum: Float[np.ndarray, "6"], hessian: Float[np.ndarray, "6 6"], inputs: Float[np.ndarray, "points 6"]) -> list[Float[np.ndarray, "6"]]:
    """The engine's solutions with zero to six zeros. The surgeon is greedy, so each solution removes one weight more than the one before."""
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
    """The predicted cost of removing each remaining weight: ``w^2 / (2 [H^-1]_pp)``, with the Hessian of the remaining weights."""
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
    """Random inputs that are exactly uncorrelated and have a mean square of exactly one."""
    orthonormal, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((points, size)))
    return orthonormal * np.sqrt(points)
