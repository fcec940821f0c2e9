"""The benchmarks run, and what they print is what they say. None of them is judged by its times here."""

import pytest
import torch

from robustprune.bench import accuracy, prune, solver
from robustprune.bench.textbook import optimal_brain_surgeon
from robustprune.errors import DataError
from robustprune.spec import PruneSpec
from tests.small_models import classifier


@pytest.fixture
def small(tmp_path):
    """The folder of a small saved two-class model."""
    model, tokenizer = classifier(labels=2)
    model.save_pretrained(tmp_path / "small")
    tokenizer.save_pretrained(tmp_path / "small")
    return str(tmp_path / "small")


def test_the_solver_bench_compares_errors_and_times(small, empty_home):
    lines = []
    result = solver.run(small, "demo-reviews", lines.append)
    assert result["obs_equals_textbook"]
    assert 0 < result["admm_over_obs_error"] < 1.1
    assert 0 < result["admm_over_sparsegpt_error"] < 1
    by = result["by_sparsity"]
    assert set(by) == {"0.5", "0.875"}
    assert result["admm_over_obs_error"] == max(row["admm_over_obs_error"] for row in by.values())
    assert result["admm_over_sparsegpt_error"] == by["0.5"]["admm_over_sparsegpt_error"]
    for method in ("admm", "obs"):
        assert result[f"textbook_over_{method}_seconds"] == min(row["textbook_seconds"] / row[f"{method}_seconds"] for row in by.values())
    assert {row["method"] for row in result["methods"]} == {"magnitude", "wanda", "sparsegpt", "obs", "admm"}
    assert lines


def test_the_accuracy_bench_gives_a_row_a_spec_and_the_dense_model_first(small, empty_home):
    specs = [PruneSpec(small, "demo-reviews", method="wanda", calibration=32, ridge=ridge) for ridge in (1e-3, "auto")]
    rows = accuracy.run(specs, lambda _: None)
    assert [row["method"] for row in rows] == ["dense", "wanda", "wanda"]
    assert [row.get("ridge") for row in rows] == [None, 1e-3, "auto"]
    for row in rows:
        assert row["evaluation_low"] <= row["evaluation_accuracy"] <= row["evaluation_high"]
        assert row["evaluation_texts"] > 0
    assert rows[1]["aside_texts"] == rows[0]["aside_texts"] - 32, "texts that calibration drew are not measured on"


def test_texts_that_do_not_fit_the_model_are_refused(small, empty_home):
    with pytest.raises(DataError, match="label"):
        accuracy.run([PruneSpec(small, "demo-news", calibration=32)], lambda _: None)


def test_the_floor_is_below_the_whole(small, empty_home):
    lines = []
    result = prune.run(PruneSpec(small, "demo-reviews", method="magnitude", calibration=32), "cpu", lines.append)
    assert result["seconds_over_floor"] == result["seconds"] / result["floor_seconds"]
    assert result["forward_seconds"] > 0
    assert result["moment_seconds"] > 0
    assert len(lines) == prune.REPEATS + 1


def test_the_textbook_removes_what_costs_least():
    """One step on one row, by trying all weights."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(50, 6, generator=generator, dtype=torch.float64)
    hessian, weight = x.T @ x, torch.randn(1, 6, generator=generator, dtype=torch.float64)
    errors = []
    for p in range(6):
        rest = [i for i in range(6) if i != p]
        best = torch.linalg.solve(hessian[rest][:, rest], (weight @ hessian)[0, rest])
        tried = torch.zeros(1, 6, dtype=torch.float64)
        tried[0, rest] = best
        errors.append((float((tried - weight) @ hessian @ (tried - weight).T), tried))
    best = min(errors, key=lambda pair: pair[0])[1]
    assert torch.allclose(optimal_brain_surgeon(weight, hessian, 1), best)
