"""The streaming moments are those of the texts, however they come."""

import torch

from robustprune.pruning.moments import Accumulator


def accumulate(inputs, outputs, sizes):
    accumulator = Accumulator()
    for x, y in zip(inputs.split(sizes), outputs.split(sizes), strict=True):
        accumulator.add(x, {"y": y})
    return accumulator


def data(seed=0, tokens=300):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(tokens, 8, generator=generator) + 50.0  # a mean far from zero, where naive sums lose digits
    return inputs, inputs @ torch.randn(8, 5, generator=generator) + torch.randn(tokens, 5, generator=generator)


def test_they_equal_the_centred_products():
    x, y = data()
    sums = accumulate(x, y, 64)
    inputs, outputs = sums.inputs(), sums.outputs("y")
    centred_x, centred_y = x.double() - x.double().mean(0), y.double() - y.double().mean(0)
    assert torch.allclose(inputs.hessian, centred_x.T @ centred_x, rtol=1e-5, atol=1e-3)
    assert torch.allclose(outputs.cross, centred_y.T @ centred_x, rtol=1e-5, atol=1e-2)
    assert abs(outputs.power / float((centred_y**2).sum()) - 1) < 1e-5
    assert torch.allclose(inputs.norm, x.double().norm(dim=0), rtol=1e-6)
    assert inputs.tokens == 300


def test_batches_and_order_change_nothing_beyond_rounding():
    x, y = data()
    order = torch.randperm(300, generator=torch.Generator().manual_seed(1))
    one, other = accumulate(x, y, 300), accumulate(x[order], y[order], 17)
    assert torch.allclose(one.inputs().hessian, other.inputs().hessian, rtol=1e-4, atol=1e-2)
    assert torch.allclose(one.outputs("y").mean, other.outputs("y").mean, rtol=1e-6)


def test_the_error_from_moments_is_the_error_over_the_tokens():
    x, y = data()
    sums = accumulate(x, y, 50)
    weight, bias = torch.randn(5, 8, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    direct = ((y.double() - x.double() @ weight.T - bias) ** 2).sum() / ((y.double() - y.double().mean(0)) ** 2).sum()
    assert abs(sums.outputs("y").error_of(weight, bias, sums.inputs()) / float(direct) - 1) < 1e-4
