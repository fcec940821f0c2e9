"""Single layers close up, on small random models of every family."""

import threading

import numpy as np
import pytest

from robustprune.analysis import layers
from robustprune.base.errors import Cancelled
from robustprune.models.architectures import linear_layers
from robustprune.pruning import pipeline
from robustprune.specs.prune import PruneSpec
from tests.small_models import ALL_FAMILIES, TEXTS, classifier


def pruned(family, **settings):
    dense, tokenizer = classifier(family)
    sparse, report = pipeline.prune(dense, tokenizer, TEXTS, PruneSpec("m", **{"method": "magnitude", "sparsity": 0.5, **settings}), lambda *_: None)
    return dense, sparse, tokenizer, report


@pytest.mark.parametrize("family", ALL_FAMILIES)
@pytest.mark.parametrize("residual", [True, False])
def test_errors_of_outputs_average_to_the_errors_of_the_report(family, residual):
    dense, sparse, tokenizer, report = pruned(family, residual=residual)
    fit, _ = pipeline.split(TEXTS)
    views = layers.views(dense, sparse, tokenizer, fit, residual)
    assert list(views.layers) == [layer.name for layer in report.layers]
    for layer in report.layers:
        view = views.layers[layer.name]
        assert view.total.mean() == pytest.approx(layer.total, rel=1e-3, abs=1e-6), layer.name
        assert view.uncorrected.mean() == pytest.approx(layer.uncorrected, rel=1e-3, abs=1e-6), layer.name


def test_the_mask_picture_and_the_histograms_count_every_weight():
    dense, sparse, tokenizer, _ = pruned("bert")
    views = layers.views(dense, sparse, tokenizer, TEXTS, residual=True)
    for name, layer in linear_layers(sparse):
        view, weights = views.layers[name], layer.weight.numel()
        kept = int((layer.weight != 0).sum())
        assert view.dense.sum() == weights
        assert view.sparse.sum() == kept
        assert view.kept.mean() == pytest.approx(kept / weights)
        assert view.total.shape == (layer.weight.shape[0],)


@pytest.mark.parametrize("shape", [(3, 200), (64, 64), (70, 130), (1, 1)])
def test_cells_hold_the_share_of_their_weights(shape):
    mask = np.random.default_rng(0).random(shape) < 0.3
    cells = layers.kept_shares(mask, 16)
    assert cells.shape == tuple(min(size, 16) for size in shape)
    edges = [np.linspace(0, size, min(size, 16) + 1).round().astype(int) for size in shape]
    row, column = cells.shape[0] - 1, 0
    block = mask[edges[0][row] : edges[0][row + 1], edges[1][column] : edges[1][column + 1]]
    assert cells[row, column] == pytest.approx(block.mean())


def test_a_model_is_off_itself_by_nothing_and_keeps_no_hooks():
    dense, tokenizer = classifier("bert")
    views = layers.views(dense, dense, tokenizer, TEXTS[:4], residual=True)
    for view in views.layers.values():
        assert view.total.max() == 0
        assert view.kept.min() == 1
    assert not any(layer._forward_hooks for _, layer in linear_layers(dense))


def test_what_is_stored_comes_back_and_damage_is_seen(tmp_path):
    dense, sparse, tokenizer, _ = pruned("bert")
    views = layers.views(dense, sparse, tokenizer, TEXTS[:8], residual=True)
    document, content = views.to_entry()
    (tmp_path / layers.FILE).write_bytes(content)
    again = layers.LayerViews.from_entry(document, tmp_path)
    assert again.texts == 8
    for name, view in views.layers.items():
        assert again.layers[name].total == pytest.approx(view.total, rel=1e-6)
        assert (again.layers[name].dense == view.dense).all()
    (tmp_path / layers.FILE).write_bytes(content[:-1] + b"x")
    assert layers.LayerViews.from_entry(document, tmp_path) is None


def test_it_can_be_cancelled_and_lets_go_of_the_models():
    dense, tokenizer = classifier("bert")
    cancel = threading.Event()
    cancel.set()

    def tick(_done, _total):
        if cancel.is_set():
            raise Cancelled("base.cancelled")

    with pytest.raises(Cancelled):
        layers.views(dense, dense, tokenizer, TEXTS, True, tick)
    assert not any(layer._forward_hooks for _, layer in linear_layers(dense))
