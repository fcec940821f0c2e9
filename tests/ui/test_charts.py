"""Figures say what the numbers say."""

import numpy as np
import pytest

from robustprune.analysis.attention import AttentionMaps, mean_distance
from robustprune.pruning.report import LayerReport
from robustprune.ui import charts

NAMES = {"inherited": "Inherited", "own": "Own", "uncorrected": "Uncorrected", "error": "Error", "block": "Block"}


def layer(name, inherited, own):
    return LayerReport(name, (4, 4), 0.5, 0.3, inherited, own, inherited + own, 0.1, 0.2, 0.01, 0.0, 1.0)


def maps(seed, tokens=("[CLS]", "a", "<b>film</b>", "[SEP]")):
    values = np.random.default_rng(seed).random((2, 3, len(tokens), len(tokens))).astype("float32")
    return AttentionMaps(tokens, values / values.sum(-1, keepdims=True))


def test_bars_stack_to_the_total():
    layers = [layer("block.0.attention.self.query", 0.0, 0.1), layer("block.1.output.dense", 0.2, 0.05)]
    figure = charts.layer_errors(layers, NAMES)
    assert np.add(figure.data[0].y, figure.data[1].y) == pytest.approx([one.total for one in layers])
    assert list(figure.data[2].y) == [0.3, 0.3]
    assert [list(x) for x in figure.data[0].x] == [["Block 1", "Block 2"], ["Q", "F2"]]


def test_the_three_maps_are_dense_sparse_and_difference():
    dense, sparse = maps(0), maps(1)
    figures = charts.attention_maps(dense, sparse, 1, 2, hide_special=True)
    first, second, third = (figure.data[0] for figure in figures)
    assert np.array(first.z) == pytest.approx(dense.values[1, 2][1:3, 1:3])
    assert np.array(third.z) == pytest.approx(np.array(second.z) - np.array(first.z))
    assert (first.zmin, first.zmax) == (second.zmin, second.zmax)
    assert third.zmin == -third.zmax


def test_tokens_are_escaped():
    for figure in charts.attention_maps(maps(0), maps(1), 0, None, hide_special=False):
        assert "<b>" not in figure.to_json().replace("\\u003c", "<")


def test_the_mean_of_all_heads_is_their_mean():
    one = maps(0)
    assert one.map(1, None) == pytest.approx(one.values[1].mean(0))


def test_distances_are_zero_for_the_same_model_and_at_most_one():
    one = maps(0)
    assert (mean_distance(one, one) == 0).all()
    assert (mean_distance(one, maps(1)) <= 1).all()
