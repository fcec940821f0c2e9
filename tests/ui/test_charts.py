"""Figures say what the numbers say."""

import numpy as np
import pytest

from robustprune.analysis.attention import AttentionMaps, mean_distance
from robustprune.analysis.embeddings import Embeddings
from robustprune.analysis.layers import LayerView
from robustprune.pruning.report import LayerReport
from robustprune.studies import paper
from robustprune.studies.figures import curves
from robustprune.ui.charts import attention_charts, charts, embedding_charts, layer_charts

NAMES = {"inherited": "Inherited", "own": "Own", "uncorrected": "Uncorrected", "error": "Error", "block": "Block", "chosen": "Chosen"}
HEADS = {"block": "Block", "head": "Head", "distance": "Distance"}


def layer(name, inherited, own):
    return LayerReport(name, (4, 4), 0.5, 0.3, inherited, own, inherited + own, 0.1, 0.2, 0.01, 0.0, 1.0)


LAYERS = [layer("block.0.attention.self.query", 0.0, 0.1), layer("block.1.output.dense", 0.2, 0.05)]


def maps(seed, tokens=("[CLS]", "a", "<b>film</b>", "[SEP]")):
    values = np.random.default_rng(seed).random((2, 3, len(tokens), len(tokens))).astype("float32")
    return AttentionMaps(tokens, values / values.sum(-1, keepdims=True))


# Layers


def test_bars_stack_to_the_total():
    figure = layer_charts.layer_errors(LAYERS, NAMES)
    assert np.add(figure.data[0].y, figure.data[1].y) == pytest.approx([one.total for one in LAYERS])
    assert list(figure.data[2].y) == [0.3, 0.3]
    assert [list(x) for x in figure.data[0].x] == [["Block 1", "Block 2"], ["Q", "F2"]]


def test_the_chosen_layer_is_marked_at_its_place_and_runs_share_an_axis():
    figure = layer_charts.layer_errors(LAYERS, NAMES, chosen=LAYERS[1].name, top=0.8)
    mark = figure.data[3]
    assert [list(x) for x in mark.x] == [["Block 2"], ["F2"]]
    assert mark.y[0] >= LAYERS[1].total
    assert figure.layout.yaxis.range[1] > 0.8
    assert len(layer_charts.layer_errors(LAYERS, NAMES, chosen="block.9.none").data) == 3


@pytest.fixture
def view():
    kept = np.array([[0.0, 1.0], [0.5, 0.25]])
    return LayerView(kept, np.array([0.1, 0.4, 0.2]), np.array([0.3, 0.1, 0.2]), np.linspace(-1, 1, 5), np.array([1, 4, 5, 2]), np.array([1, 0, 0, 2]))


def test_the_mask_picture_shows_the_cells_at_their_places(view):
    figure = layer_charts.mask_picture(view, (10, 20), {"input": "In", "output": "Out", "kept": "kept"})
    assert np.array(figure.data[0].z) == pytest.approx(view.kept)
    assert (list(figure.data[0].y), list(figure.data[0].x)) == ([2.5, 7.5], [5.0, 15.0])
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)


def test_outputs_are_sorted_by_their_error_and_keep_their_names(view):
    figure = layer_charts.row_profile(view, {"error": "e", "rank": "r", "total": "t", "uncorrected": "u"})
    assert list(figure.data[0].y) == [0.4, 0.2, 0.1]
    assert list(figure.data[0].customdata) == [1, 2, 0]
    assert list(figure.data[1].y) == [0.1, 0.2, 0.3]


def test_the_histogram_counts_dense_and_kept_weights(view):
    figure = layer_charts.weights_histogram(view, {"weight": "w", "count": "n", "dense": "dense", "kept": "kept"})
    assert [trace.name for trace in figure.data] == ["dense", "kept"]
    assert list(figure.data[1].y) == [1, 0, 0, 2]
    assert list(figure.data[0].x) == [-0.75, -0.25, 0.25, 0.75]


# Attention


def test_dense_and_sparse_maps_share_a_scale_and_the_difference_is_theirs():
    dense, sparse = maps(0), maps(1)
    first, second = (figure.data[0] for figure in attention_charts.token_maps([dense, sparse], 1, 2, hide_special=True))
    third = attention_charts.token_difference(dense, sparse, 1, 2, hide_special=True).data[0]
    assert np.array(first.z) == pytest.approx(dense.values[1, 2][1:3, 1:3])
    assert np.array(third.z) == pytest.approx(np.array(second.z) - np.array(first.z))
    assert (first.zmin, first.zmax) == (second.zmin, second.zmax)
    assert third.zmin == -third.zmax


def test_maps_of_different_sentences_can_stand_side_by_side():
    figures = attention_charts.token_maps([maps(0), maps(1, ("[CLS]", "two", "words", "more", "[SEP]"))], 0, None, hide_special=False)
    assert [len(figure.data[0].x) for figure in figures] == [4, 5]


def test_tokens_are_escaped():
    for figure in attention_charts.token_maps([maps(0), maps(1)], 0, None, hide_special=False):
        assert "<b>" not in figure.to_json().replace("\\u003c", "<")


def test_the_mean_of_all_heads_is_their_mean():
    one = maps(0)
    assert one.map(1, None) == pytest.approx(one.values[1].mean(0))


def test_distances_are_zero_for_the_same_model_and_at_most_one():
    one = maps(0)
    assert (mean_distance(one, one) == 0).all()
    assert (mean_distance(one, maps(1)) <= 1).all()


def test_every_cell_of_the_grid_of_heads_can_be_clicked():
    distances = mean_distance(maps(0), maps(1))
    figure = attention_charts.head_distances(distances, HEADS, (1, 2))
    cells = list(zip(figure.data[1].y, figure.data[1].x, figure.data[1].customdata, strict=True))
    assert len(cells) == distances.size
    assert all(distances[int(y) - 1, int(x) - 1] == pytest.approx(value) for y, x, value in cells)
    mark = figure.layout.shapes[0]
    assert (mark.x0, mark.x1, mark.y0, mark.y1) == (1.5, 2.5, 0.5, 1.5)
    whole = attention_charts.head_distances(distances, HEADS, (0, None)).layout.shapes[0]
    assert (whole.x0, whole.x1) == (-0.5, 2.5)


# Attacks


def test_the_path_of_an_attack_steps_over_its_queries():
    figure = charts.probability_path({"Dense": [(0, 0.9, "start"), (7, 0.4, "<b> → c")]}, "p", "queries", 0.5, (7, 0.4))
    assert (list(figure.data[0].x), list(figure.data[0].y)) == ([0, 7], [0.9, 0.4])
    assert figure.data[0].line.shape == "hv"
    assert "<b>" not in figure.data[0].text[1]
    assert (figure.data[1].x, figure.data[1].y) == ((7,), (0.4,))


# Comparisons


def test_curves_carry_the_run_of_every_point():
    figure = curves({"admm": [(0.3, 0.9, 0.8, 0.95, "a"), (0.5, 0.8, 0.7, 0.85, "b")]}, ("Dense", 0.9), "sparsity", "Aua", percent=True)
    assert list(figure.data[0].customdata) == ["a", "b"]
    assert list(figure.data[0].error_y.array) == pytest.approx([0.05, 0.05])
    assert list(figure.data[0].error_y.arrayminus) == pytest.approx([0.1, 0.1])


def test_embeddings_are_compared_with_the_dense_ones_of_the_same_text():
    dense = Embeddings(np.ones((2, 3, 4)))
    sparse = Embeddings(np.ones((2, 3, 4)) * np.array([1.0, 1.5])[:, None, None])
    words = {"original": "o", "adversarial": "a", "block": "b", "distance": "d", "component": "c"}
    figure = embedding_charts.embedding_distances(dense, {"s": sparse}, words)
    assert list(figure.data[0].y) == [0, 0]
    assert list(figure.data[1].y) == pytest.approx([0.5, 0.5])
    shown, shares = embedding_charts.embedding_map({"d": dense, "s": sparse}, 2, words, ["<i>", "x"])
    assert len(shown.data) == 2
    assert shares[0] == pytest.approx(1.0)
    assert "<i>" not in shown.data[0].hovertext


# The paper's figures


@pytest.mark.parametrize("dataset", ["sst2", "ag_news"])
def test_the_papers_rows_are_rates_and_tell_which_cells_do_not_add_up(dataset):
    rows = paper.rows(dataset)
    assert len(rows) == 20
    assert all(0 < row.aua <= row.acc < 1 for row in rows)
    wrong = {(row.method, row.sparsity) for row in rows if not row.asr_consistent}
    assert wrong == ({("Bag-of-Tricks", 0.875), ("RobusT", 0.5)} if dataset == "sst2" else set())


def test_another_data_set_has_no_rows():
    assert paper.rows("imdb") == paper.rows(None) == []


def test_a_text_of_nothing_but_marks_is_drawn_with_them():
    maps = AttentionMaps(("[CLS]", "[SEP]"), np.full((1, 1, 2, 2), 0.5, "float32"))
    figure = attention_charts.token_maps([maps], 0, None, True)[0]
    assert len(figure.data[0].x) == 2


def test_more_lines_than_styles_are_all_drawn():
    lines = {str(number): [(0.5, 0.9, 0.8, 1.0, "digest")] for number in range(12)}
    assert len(curves(lines, None, "x", "y", percent=True).data) == 12
