"""The benchmarks run, and what they print is what they say. None of them is judged by its times here."""

import pytest
import torch

from robustprune.base.errors import DataError, SpecError
from robustprune.bench import accuracy, attack, lexicon, prune, solver
from robustprune.bench.textbook import optimal_brain_surgeon
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
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
    result = solver.measure(small, "demo-reviews", lines.append)
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
    rows = accuracy.measure(specs, lambda _: None)
    assert [row["method"] for row in rows] == ["dense", "wanda", "wanda"]
    assert [row.get("ridge") for row in rows] == [None, 1e-3, "auto"]
    for row in rows:
        assert row["evaluation_low"] <= row["evaluation_accuracy"] <= row["evaluation_high"]
        assert row["evaluation_texts"] > 0
    assert rows[1]["aside_texts"] == rows[0]["aside_texts"] - 32, "texts that calibration drew are not measured on"


def test_texts_that_do_not_fit_the_model_are_refused(small, empty_home):
    with pytest.raises(DataError, match="label"):
        accuracy.measure([PruneSpec(small, "demo-news", calibration=32)], lambda _: None)


def test_the_floor_is_below_the_whole(small, empty_home):
    lines = []
    result = prune.measure(PruneSpec(small, "demo-reviews", method="magnitude", calibration=32), "cpu", lines.append)
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


def test_the_attack_bench_compares_with_textattack_as_it_is_installed(empty_home):
    lines = []
    result = attack.measure("sst2-demo", "demo-reviews", AttackSpec("deepwordbug", query_budget=25), 2, 1, lines.append)
    assert result["identical"]
    assert result["texts"] == 2
    assert 2 <= result["queries"] <= 50
    assert result["stock_over_ours_seconds"] == result["stock_seconds"] / result["seconds"]
    assert result["seconds_over_victim"] == result["seconds"] / result["victim_seconds"] > 1
    assert 0 < result["longest_seconds_between_looks"] < result["seconds"]
    assert lines
    with pytest.raises(SpecError, match="cannot be compared"):
        attack.measure("sst2-demo", "demo-reviews", AttackSpec("textbugger"), 1, 1, lines.append)


def test_the_synonyms_bench_counts_antonyms_and_recommends_thresholds(tmp_path):
    folder, words = tmp_path / "lexicon", tmp_path / "reviews"
    folder.mkdir()
    words.mkdir()
    (folder / "ppdb_synonyms.txt").write_text("great wonderful\nawful terrible\nfilm movie\n")
    (folder / "ppdb_antonyms.txt").write_text("great awful\n")
    (folder / "wordnet_antonyms.txt").write_text("wonderful terrible\n")
    rest = "the film about a long journey home to the old house by the quiet sea was truly {} for me and all of us"
    rows = "".join(f"{rest.format(word)}\t{label}\n" for word, label in (("great", 1), ("wonderful", 1), ("awful", 0), ("terrible", 0)) for _ in range(30))
    for split in ("train", "validation"):
        (words / f"{split}.tsv").write_text("text\tlabel\n" + rows)
    result = lexicon.measure(folder, str(words), lambda _line: None)
    assert set(result["sentiment_words"]) == {"great", "wonderful", "awful", "terrible"}
    assert {row["layers"] for row in result["accepted"]} == set(range(1, 7))
    assert result["swaps"]["antonym"] > 0
    at = {(row["layers"], row["angular"]): row for row in result["accepted"]}
    assert at[6, 0.75]["synonym"] >= at[6, 0.95]["synonym"]
    assert result["in_use"]["cosine"] == 0.6
    with pytest.raises(DataError):
        lexicon.measure(tmp_path / "nothing", str(words), lambda _line: None)
