"""A new method is one file and one line, and then appears everywhere."""

import sys
import types
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from robustprune.pruning.problem import LayerSolution
from robustprune.pruning.solvers import solver
from robustprune.specs.methods import METHODS, Method
from robustprune.specs.prune import PruneSpec

APP = str(Path(__file__).resolve().parents[2] / "app.py")


class Last:
    """Keeps the last weights of every row, whatever they are."""

    def solve(self, problem, tick):
        """Prunes one layer."""
        mask = (problem.target == problem.target).cumsum(1) > round(problem.pattern.sparsity * problem.target.shape[1])
        weight = problem.target * mask
        return LayerSolution(weight, mask, problem.error_of(weight))


@pytest.fixture
def a_sixth(monkeypatch):
    """The file and the line."""
    module = types.ModuleType("robustprune.pruning.solvers.last")
    module.Last = Last
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(METHODS, "last", Method("last:Last", scope="row", scopes=("row",)))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_its_solver(method):
    assert callable(solver(method).solve)
    assert METHODS[method].scope in METHODS[method].scopes


def test_a_sixth_prunes(a_sixth):
    from robustprune.pruning import pipeline
    from tests.small_models import TEXTS, classifier

    model, tokenizer = classifier()
    spec = PruneSpec("small", method="last")
    assert spec.scope == "row"
    assert pipeline.prune(model, tokenizer, TEXTS, spec, lambda *_: None)[1].sparsity == pytest.approx(0.5)


def test_a_sixth_appears_on_the_page(a_sixth, empty_home):
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["method"] = "last"
    app.run()
    app.switch_page("pages/prune.py").run()
    assert not app.exception
    assert "last" in app.segmented_control(key="method").options


def test_a_sixth_is_known_to_the_command_line(a_sixth):
    from robustprune import cli

    result = CliRunner().invoke(cli.app, ["prune", "--model", "nope", "--method", "last"])
    assert "No model is called" in str(result.exception)
