"""What a block's linear layers get in the sparse model, and what they should give: the moments of one group of layers after the other."""

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
    """Moments over some texts: a group's inputs in the sparse model, and the outputs wanted of each of its layers."""

    inputs: InputMoments
    outputs: dict[str, OutputMoments]


@dataclass(frozen=True)
class GroupMoments:
    """A group's moments over the calibration texts (``fit``) and over the texts kept from them.

    ``dense_inputs`` are the moments of the dense model's own inputs, where they were asked for.
    """

    fit: Sample
    held_out: Sample
    dense_inputs: InputMoments | None


class DenseBlock:
    """Watches the dense block's one pass over all batches and keeps what moments will need of it.

    The wanted outputs are linear in the dense inputs, so of a group whose inputs are narrower than its outputs the inputs are kept,
    and multiplied by the weights after summing: less memory, and smaller products.

    Args:
        fit_batches: how many batches, the first ones, are for calibration; the others are held out.
        with_inputs: whether the dense inputs' own moments are wanted too.
        residual: whether the block's last layer should also make up for the error on the residual path beside it, so that the sum
            of both, which the next block gets, comes closest to the dense one.
    """

    def __init__(self, block: Block, fit_batches: int, with_inputs: bool, residual: bool) -> None:
        self._block, self._fit_batches, self._with_inputs, self._residual = block, fit_batches, with_inputs, residual
        self._rows: dict[str | Group, list[Tensor]] = {}
        self._power: dict[tuple[str, bool], Power] = {}
        self._inputs: dict[Group, Accumulator] = {}
        self._beside: list[Tensor] = []  # what the dense block adds to its last layer's outputs

    def look(self, batch: int, group: Group, x: Float[Tensor, "tokens in"], outputs: dict[str, Float[Tensor, "tokens out"]]) -> None:
        """Sees what a group of layers got and gave for the real tokens of a batch."""
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
        """The moments of the group of that number; what was kept for it is let go."""
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
        """Whether a group's inputs are kept instead of its outputs: they are narrower, and its target is no other than its outputs."""
        if self._residual and group == self._block.groups[-1]:
            return False
        linears = [self._block.linear(name) for name in group]
        return linears[0].in_features < sum(linear.out_features for linear in linears)
