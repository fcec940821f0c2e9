"""Streaming moments of a layer's inputs and outputs. The solvers and the error report need nothing else from the texts.

The products of each batch are computed in float32 and summed in float64. A provisional mean is subtracted first, so that no precision
is lost when the true mean is subtracted at the end. The moments accept real tokens only: the caller removes the padding.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from robustprune.pruning import linalg


@dataclass(frozen=True)
class InputMoments:
    """Moments of the inputs x: ``hessian = sum (x - mean)(x - mean)^T`` (centred), the mean of x, and the number of tokens."""

    hessian: Float[Tensor, "in in"]
    mean: Float[Tensor, " in"]
    tokens: int

    @property
    def about_zero(self) -> Float[Tensor, "in in"]:
        """The second moments without centring, ``sum x x^T``. They are needed if no bias can absorb a shift of the mean."""
        return torch.addr(self.hessian, self.mean, self.mean, alpha=self.tokens)

    @property
    def norm(self) -> Float[Tensor, " in"]:
        """The Euclidean norm of every input over all tokens, not centred."""
        return (self.hessian.diagonal() + self.tokens * self.mean**2).clamp_min(0).sqrt()

    @cached_property
    def factor(self) -> linalg.Factor:
        """The Cholesky factor of ``hessian``, without a ridge."""
        return linalg.cholesky(self.hessian)


@dataclass(frozen=True)
class OutputMoments:
    """Moments of the wanted outputs y: ``cross = sum (y - mean)(x - mean)^T`` and ``power = sum ||y - mean||^2`` (centred), and the mean of y.

    All errors are relative to ``unit``, the power of the dense layer's own outputs.
    """

    cross: Float[Tensor, "out in"]
    power: float
    mean: Float[Tensor, " out"]
    unit: float

    def error_of(self, weight: Float[Tensor, "out in"], bias: Float[Tensor, " out"] | None, inputs: InputMoments) -> float:
        """Returns the error ``sum ||y - weight x - bias||^2``, relative to ``unit``. If ``bias`` is None, it uses the best bias for the weight."""
        error = self.power - 2 * float((weight * self.cross).sum()) + float(((weight @ inputs.hessian) * weight).sum())
        if bias is not None:
            error += inputs.tokens * float(((self.mean - weight @ inputs.mean - bias) ** 2).sum())
        return relative(error, self.unit)

    def least_error(self, inputs: InputMoments) -> float:
        """Returns the error of the best possible weight and bias, ``power - tr C H^-1 C^T``, relative to ``unit``."""
        explained = torch.linalg.solve_triangular(inputs.factor.matrix, self.cross.T, upper=False)
        return relative(self.power - float((explained**2).sum()), self.unit)

    def through(self, weight: Float[Tensor, "wider out"], bias: Float[Tensor, " wider"], power: float) -> "OutputMoments":
        """Returns the moments of the outputs ``weight y + bias``. The caller summed the ``power`` of these outputs separately.

        So outputs that are wider than y never have to be multiplied with the inputs x.
        """
        return OutputMoments(weight @ self.cross, power, weight @ self.mean + bias, power)


def relative(error: float, power: float) -> float:
    """Returns ``error / power``. A negative error comes from rounding and counts as 0. If the power is 0, the result is 0."""
    return max(error, 0.0) / power if power > 0 else 0.0


class Power:
    """Accumulates ``sum ||y - mean||^2`` over rows y that arrive in batches."""

    def __init__(self, first: Float[Tensor, "tokens width"]) -> None:
        self.rows = _Sum(first)
        self._squares = torch.zeros((), dtype=torch.float64, device=first.device)

    def add(self, rows: Float[Tensor, "tokens width"]) -> Float[Tensor, "tokens width"]:
        """Adds the rows of a batch of real tokens. Returns the rows minus the provisional mean."""
        shifted = self.rows.add(rows)
        # The norm of each row is float32, the sum of their squares is float64. This is exact enough and needs no float64 copy of the rows.
        self._squares += torch.linalg.vector_norm(shifted, dim=1).double().square().sum()
        return shifted

    def total(self) -> float:
        """Returns the sum over all batches so far."""
        return max(float(self._squares - self.rows.count * (self.rows.offset**2).sum()), 0.0)


class Accumulator:
    """Accumulates the moments of one group's inputs, and of other rows that belong to the same tokens."""

    def __init__(self) -> None:
        self._inputs: _Sum | None = None
        self._second: Tensor | None = None
        self._others: dict[str, Power] = {}
        self._cross: dict[str, Tensor] = {}

    def add(self, x: Float[Tensor, "tokens in"], others: dict[str, Float[Tensor, "tokens width"]]) -> None:
        """Adds the inputs ``x`` of a batch of real tokens, and by name the other rows, whose cross moments with ``x`` are wanted."""
        if self._inputs is None:
            self._inputs = _Sum(x)
            self._second = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64, device=x.device)
        x = self._inputs.add(x)
        self._second += x.T @ x
        for name, y in others.items():
            if name not in self._others:
                self._others[name] = Power(y)
                self._cross[name] = torch.zeros(y.shape[1], x.shape[1], dtype=torch.float64, device=y.device)
            self._cross[name] += self._others[name].add(y).T @ x

    def inputs(self) -> InputMoments:
        """Returns the moments of the inputs so far."""
        off = self._inputs.offset
        return InputMoments(torch.addr(self._second, off, off, alpha=-self._inputs.count), self._inputs.mean, self._inputs.count)

    def outputs(self, name: str, unit: float | None = None) -> OutputMoments:
        """Returns the moments so far of the rows with that name. Errors are relative to ``unit``, or to the rows' own power if it is None."""
        other, x = self._others[name], self._inputs
        cross = torch.addr(self._cross[name], other.rows.offset, x.offset, alpha=-x.count)
        power = other.total()
        return OutputMoments(cross, power, other.rows.mean, power if unit is None else unit)


class _Sum:
    """The sum of rows minus a provisional mean, which is the mean of the first batch."""

    def __init__(self, first: Float[Tensor, "tokens width"]) -> None:
        self._shift = first.mean(0)
        self._sum = torch.zeros_like(self._shift, dtype=torch.float64)
        self.count = 0

    def add(self, rows: Float[Tensor, "tokens width"]) -> Float[Tensor, "tokens width"]:
        """Adds rows to the sum. Returns the rows minus the provisional mean."""
        shifted = rows - self._shift
        self._sum += shifted.sum(0)
        self.count += len(rows)
        return shifted

    @property
    def offset(self) -> Float[Tensor, " width"]:
        """The true mean minus the provisional mean."""
        return self._sum / self.count

    @property
    def mean(self) -> Float[Tensor, " width"]:
        """The mean of all rows."""
        return self._shift.double() + self.offset
