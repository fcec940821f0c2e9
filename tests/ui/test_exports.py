"""Charts to take away: as numbers, as a page that needs no network, as JSON."""

import io
import json
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from robustprune import lab
from robustprune.analysis.attention import AttentionMaps
from robustprune.ui import exports
from robustprune.ui.charts import attention_charts, charts, layer_charts
from robustprune.ui.frame import shell

# A colour of the template that Streamlit makes Plotly's default; only Streamlit's pages replace it.
PLACEHOLDER = "#000001"


def test_numbers_of_lines_carry_their_intervals():
    lines = {"a": [(0.5, 0.9, 0.85, 0.93), (0.7, 0.8, 0.7, 0.86)], "b": [(0.5, 0.6, 0.6, 0.6)]}
    numbers = exports.numbers_of(charts.over_sparsity(lines, (0.91, 0.9, 0.92), 0.5, "Accuracy", "dense", percent=True))
    expected = [("a", 0.5, 0.9, 0.85, 0.93), ("a", 0.7, 0.8, 0.7, 0.86), ("b", 0.5, 0.6, 0.6, 0.6)]
    assert list(numbers.columns) == ["series", "x", "y", "low", "high"]
    assert [row[0] for row in numbers.itertuples(index=False)] == [row[0] for row in expected]
    np.testing.assert_allclose(numbers.iloc[:, 1:].to_numpy(float), [row[1:] for row in expected])


def test_numbers_of_bars_name_their_groups():
    run = lab.shipped_runs(shell.DEFAULT_MODEL)[0]
    names = {key: key for key in ("inherited", "own", "uncorrected", "error", "block", "chosen")}
    numbers = exports.numbers_of(layer_charts.layer_errors(run.report.layers, names))
    assert len(numbers) == 3 * len(run.report.layers)
    assert numbers["x"][0] == "block 1 Q"
    own = numbers[numbers["series"] == "own"]["y"]
    assert list(own) == [layer.own for layer in run.report.layers]


def test_numbers_of_a_heat_map_are_its_cells_and_nothing_that_catches_clicks():
    distances = np.arange(6.0).reshape(2, 3)
    numbers = exports.numbers_of(attention_charts.head_distances(distances, dict.fromkeys(("block", "head", "distance"), ""), (0, None)))
    assert list(numbers.columns) == ["x", "y", "value"]
    assert list(numbers["value"]) == list(range(6))
    assert (numbers["x"][5], numbers["y"][5]) == ("3", "2")


def test_numbers_name_tokens_as_they_are():
    maps = AttentionMaps(("[CLS]", "it", "'", "<s>x", "[SEP]"), np.full((1, 1, 5, 5), 0.2, "float32"))
    numbers = exports.numbers_of(attention_charts.token_maps([maps], 0, None, True)[0])
    assert [place.split(" ", 1)[1] for place in numbers["x"][:3]] == ["it", "'", "<s>x"]


def test_what_is_chosen_is_no_number():
    run = lab.shipped_runs(shell.DEFAULT_MODEL)[0]
    names = {key: key for key in ("inherited", "own", "uncorrected", "error", "block", "chosen")}
    numbers = exports.numbers_of(layer_charts.layer_errors(run.report.layers, names, run.report.layers[0].name))
    assert set(numbers["series"]) == {"inherited", "own", "uncorrected"}


@pytest.mark.parametrize("evil", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>"])
def test_a_page_needs_no_network_and_runs_nothing_that_a_name_holds(evil):
    page = exports.page_of(go.Figure(go.Scatter(x=[1], y=[2], name=evil)))
    assert evil not in page
    assert not re.search(r'<(script|link)[^>]+(src|href)="?http', page)


def test_a_page_has_the_colours_of_its_figure_and_no_placeholders():
    figure = go.Figure(go.Bar(x=["a"], y=[1]))
    assert PLACEHOLDER in figure.to_json()  # or the next line would test nothing
    assert PLACEHOLDER not in exports.page_of(figure)


def test_numbers_survive_the_way_through_csv_and_json():
    figure = go.Figure(go.Scatter(x=[1, 2], y=[0.1, 0.2], name='a "name", with marks'))
    numbers = exports.numbers_of(figure)
    assert list(pd.read_csv(io.StringIO(numbers.to_csv(index=False)))["series"]) == ['a "name", with marks'] * 2
    assert json.loads(figure.to_json())["data"][0]["name"] == 'a "name", with marks'
