"""Streaming moments of a layer's inputs and outputs: all that a solver and the error report ever need of the texts.

Products are taken in float32 batch by batch and summed in float64, about a provisional mean, so that nothing is lost when the
mean is subtracted in the end. Only real tokens may be given: padding is the caller's to remove.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class InputMoments:
    """Centred second moments of the inputs x: ``hessian = sum (x - mean)(x - mean)^T``, their mean and the number of tokens."""

    hessian: Float[Tensor, "in in"]
    mean: Float[Tensor, " in"]
    tokens: int

    @property
    def about_zero(self) -> Float[Tensor, "in in"]:
        """The second moments without centring: ``sum x x^T``, which is what counts where no bias can take up a shift of the mean."""
        return self.hessian + self.tokens * torch.outer(self.mean, self.mean)

    @property
    def norm(self) -> Float[Tensor, " in"]:
        """Euclidean norm of every input over all tokens, not centred."""
        return (self.hessian.diagonal() + self.tokens * self.mean**2).clamp_min(0).sqrt()


@dataclass(frozen=True)
class OutputMoments:
    """Centred moments of the target outputs y: ``cross = sum (y - mean)(x - mean)^T``, ``power = sum ||y - mean||^2``, their mean."""

    cross: Float[Tensor, "out in"]
    power: float
    mean: Float[Tensor, " out"]

    def error_of(self, weight: Float[Tensor, "out in"], bias: Float[Tensor, " out"] | None, inputs: InputMoments) -> float:
        """``sum ||y - weight x - bias||^2`` relative to ``power``; without a bias, that of the best one."""
        error = self.power - 2 * float((weight * self.cross).sum()) + float(((weight @ inputs.hessian) * weight).sum())
        if bias is not None:
            error += inputs.tokens * float(((self.mean - weight @ inputs.mean - bias) ** 2).sum())
        return relative(error, self.power)


def relative(error: float, power: float) -> float:
    """An error as a share of the outputs' power; rounding below zero is zero. An output that never varies has no error to share."""
    return max(error, 0.0) / power if power > 0 else 0.0


class Accumulator:
    """Sums up the moments of one group of layers that share an input."""

    def __init__(self) -> None:
        self._inputs: _Sum | None = None
        self._outputs: dict[str, _Sum] = {}
        self._second: Tensor | None = None
        self._cross: dict[str, Tensor] = {}
        self._power: dict[str, float] = {}

    def add(self, x: Float[Tensor, "tokens in"], outputs: dict[str, Float[Tensor, "tokens out"]]) -> None:
        """Adds the inputs of a batch of real tokens and the outputs that each layer should have for them."""
        if self._inputs is None:
            self._inputs = _Sum(x)
            self._second = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64, device=x.device)
        x = self._inputs.add(x)
        self._second += (x.T @ x).double()
        for name, y in outputs.items():
            if name not in self._outputs:
                self._outputs[name] = _Sum(y)
                self._cross[name] = torch.zeros(y.shape[1], x.shape[1], dtype=torch.float64, device=y.device)
                self._power[name] = 0.0
            y = self._outputs[name].add(y)
            self._cross[name] += (y.T @ x).double()
            self._power[name] += float((y.double() ** 2).sum())

    def inputs(self) -> InputMoments:
        """The inputs' moments so far."""
        off = self._inputs.offset
        return InputMoments(self._second - self._inputs.count * torch.outer(off, off), self._inputs.mean, self._inputs.count)

    def outputs(self, name: str) -> OutputMoments:
        """One layer's output moments so far."""
        y, x = self._outputs[name], self._inputs
        cross = self._cross[name] - x.count * torch.outer(y.offset, x.offset)
        return OutputMoments(cross, max(self._power[name] - y.count * float((y.offset**2).sum()), 0.0), y.mean)


class _Sum:
    """Sum of rows about a provisional mean: that of the first batch."""

    def __init__(self, first: Float[Tensor, "tokens width"]) -> None:
        self._shift = first.mean(0)
        self._sum = torch.zeros_like(self._shift, dtype=torch.float64)
        self.count = 0

    def add(self, rows: Float[Tensor, "tokens width"]) -> Float[Tensor, "tokens width"]:
        """Adds rows to the sum and gives them back shifted."""
        shifted = rows - self._shift
        self._sum += shifted.double().sum(0)
        self.count += len(rows)
        return shifted

    @property
    def offset(self) -> Float[Tensor, " width"]:
        """The true mean less the provisional one."""
        return self._sum / self.count

    @property
    def mean(self) -> Float[Tensor, " width"]:
        """The mean of all rows."""
        return self._shift.double() + self.offset
