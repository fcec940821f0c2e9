"""Moments of the linear layers of a block, one group of layers after another: their inputs in the sparse model and their wanted outputs."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from robustprune.models.architectures import Block
from robustprune.pruning.moments import Accumulator, InputMoments, OutputMoments, Power
from robustprune.pruning.streams import BlockWalk

Group = tuple[str, ...]
SHARED = "the group's dense inputs"


@dataclass(frozen=True)
class Sample:
    """Moments over some texts: the inputs of a group in the sparse model, and the wanted outputs of each of its layers."""

    inputs: InputMoments
    outputs: dict[str, OutputMoments]


@dataclass(frozen=True)
class GroupMoments:
    """The moments of a group over the calibration texts (``fit``) and over the held-out texts (``held_out``).

    ``dense_inputs`` are the moments of the group's inputs in the dense model, or None if they were not asked for.
    """

    fit: Sample
    held_out: Sample
    dense_inputs: InputMoments | None


class DenseBlock:
    """Records, during the single pass of the dense block over all batches, the rows that the moments need later.

    The wanted outputs are linear in the dense inputs. So if the inputs of a group are narrower than its outputs, the inputs are kept
    instead, and the weights are applied after summing. This needs less memory and smaller products.

    Args:
        fit_batches: the number of batches for calibration. These are the first batches; the others are held out.
        with_inputs: whether to compute the moments of the dense inputs too.
        residual: whether the last layer of the block also compensates the error on the residual path beside it. The next block gets
            the sum of the layer's outputs and the residual path. With ``residual`` this sum is fitted to the sum in the dense model.
    """

    def __init__(self, block: Block, fit_batches: int, with_inputs: bool, residual: bool) -> None:
        self._block, self._fit_batches, self._with_inputs, self._residual = block, fit_batches, with_inputs, residual
        self._rows: dict[str | Group, list[Tensor]] = {}
        self._power: dict[tuple[str, bool], Power] = {}
        self._inputs: dict[Group, Accumulator] = {}
        self._beside: list[Tensor] = []  # the states that the dense block adds to the outputs of its last layer

    def look(self, batch: int, group: Group, x: Float[Tensor, "tokens in"], outputs: dict[str, Float[Tensor, "tokens out"]]) -> None:
        """Records the inputs and the outputs of a group of layers for the real tokens of a batch."""
        fit = batch < self._fit_batches
        for name, y in outputs.items():
            if (name, fit) not in self._power:
                self._power[name, fit] = Power(y)
            self._power[name, fit].add(y)
        for key, rows in ({group: x} if self._is_narrow(group) else outputs).items():
            self._rows.setdefault(key, []).append(rows)
        if self._residual and group == self._block.groups[-2]:
            self._beside.append(x)
        if self._with_inputs and fit:
            self._inputs.setdefault(group, Accumulator()).add(x, {})

    def moments(self, number: int, walk: BlockWalk, tick: Callable[[], None]) -> GroupMoments:
        """Returns the moments of the group with that number, and frees the rows that were kept for it.

        Args:
            number: the number of the group in the block, from 0.
            walk: gives the inputs of the group in the sparse model.
            tick: called before every batch; may raise Cancelled.
        """
        group = self._block.groups[number]
        sums = {True: Accumulator(), False: Accumulator()}
        keys = {SHARED: group} if self._is_narrow(group) else {name: name for name in group}
        rows = {name: self._rows.pop(key) for name, key in keys.items()}
        makes_up = self._residual and group == self._block.groups[-1]
        for batch, inputs in enumerate(walk.inputs(number)):
            tick()
            wanted = {name: kept[batch] for name, kept in rows.items()}
            if makes_up:
                wanted[group[0]] = wanted[group[0]] + (self._beside[batch] - walk.attended(batch))
            sums[batch < self._fit_batches].add(inputs, wanted)
        dense = self._inputs.pop(group).inputs() if self._with_inputs else None
        fit, held_out = (self._sample(group, sums[part], part) for part in (True, False))
        return GroupMoments(fit, held_out, dense)

    def _sample(self, group: Group, sums: Accumulator, fit: bool) -> Sample:
        return Sample(sums.inputs(), {name: self._outputs(group, name, sums, self._power.pop((name, fit)).total()) for name in group})

    def _outputs(self, group: Group, name: str, sums: Accumulator, power: float) -> OutputMoments:
        if not self._is_narrow(group):
            return sums.outputs(name, unit=power)
        linear = self._block.linear(name)
        return sums.outputs(SHARED).through(linear.weight.double(), linear.bias.double(), power)

    def _is_narrow(self, group: Group) -> bool:
        """True if the inputs of a group are kept instead of its outputs.

        This requires inputs that are narrower than the outputs, and wanted outputs that are exactly the dense outputs. The second
        condition fails for the last group if it also compensates the residual path.
        """
        if self._residual and group == self._block.groups[-1]:
            return False
        linears = [self._block.linear(name) for name in group]
        return linears[0].in_features < sum(linear.out_features for linear in linears)
