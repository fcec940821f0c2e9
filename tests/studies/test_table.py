"""The table of results: what is stored stands in it once, as it was measured; what changes is read again; others can read the file."""

import json
import logging

import pandas as pd
import pytest

from robustprune import lab, studies
from robustprune.base import stores
from robustprune.base.errors import StoreError
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.studies import table as results_table
from robustprune.studies.table import COLUMNS, WHAT

RUN = PruneSpec("sst2-demo", "demo-reviews", "magnitude", "none", 0.4, calibration=16, seed=3)
ATTACK = AttackSpec("deepwordbug", query_budget=40)


@pytest.fixture(scope="module", autouse=True)
def own_home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTPRUNE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def attacked(own_home):
    """A run, attacked, beside its dense model."""
    run = lab.prune(RUN)
    lab.attack_texts(["sst2-demo", run.ref], "demo-reviews", 5, ATTACK)
    return run


def rows_of(digest):
    table = studies.results()
    return table[table["digest"] == digest]


def test_a_run_and_attack_is_one_row_with_what_was_measured(attacked):
    (row,) = rows_of(attacked.digest).to_dict("records")
    scores = lab.find_scores(attacked.ref, 5, ATTACK, "demo-reviews")
    assert {name: row[name] for name in ("kind", "start", "method", "adaptive", "sparsity", "calibration", "seed", "usual", "shipped")} == {
        "kind": "pruned", "start": "sst2-demo", "method": "magnitude", "adaptive": "none", "sparsity": 0.4, "calibration": 16, "seed": 3, "usual": True,
        "shipped": False,
    }  # fmt: skip
    assert (row["exact_sparsity"], row["accuracy"]) == (attacked.report.sparsity, attacked.sparse.accuracy)
    assert row["mean_error"] == pytest.approx(attacked.mean_error)
    assert all(row[name] == scores[name] for name in ("acc", "aua", "aua_low", "asr_high", "queries_mean", "examples"))
    held = [result["outcome"] == "held" for result in sorted(scores["results"], key=lambda result: result["example"])]
    assert [outcome == "h" for outcome in row["outcomes"]] == held
    assert row["query_budget"] == 40


def test_a_dense_model_stands_beside_with_its_accuracy(attacked):
    dense = studies.results()
    (row,) = dense[(dense["model"] == "sst2-demo") & (dense["query_budget"] == 40)].to_dict("records")
    assert (row["kind"], row["start"], row["sparsity"]) == ("dense", "sst2-demo", 0.0)
    assert row["accuracy"] == attacked.dense.accuracy
    assert row["texts"] == rows_of(attacked.digest)["texts"].iloc[0]


def test_a_run_that_was_never_attacked_has_a_row_too():
    run = lab.prune(PruneSpec("sst2-demo", "demo-reviews", "magnitude", "none", 0.2, calibration=16))
    (row,) = rows_of(run.digest).to_dict("records")
    assert pd.isna(row["recipe"])
    assert row["accuracy"] == run.sparse.accuracy


def test_every_row_is_there_once_and_has_every_column():
    table = studies.results()
    assert not table.duplicated(WHAT).any()
    assert list(table.columns) == list(COLUMNS)
    assert table["kind"].isin(["dense", "pruned", "retrained"]).all()
    retrained = table[table["kind"] == "retrained"]
    assert set(retrained["method"]) == {"imp+freelb"}


def test_what_was_read_is_not_read_again_until_it_changes(attacked, monkeypatch):
    studies.results()
    read = []
    original = results_table._read
    monkeypatch.setattr(results_table, "_read", lambda store, folder: read.append(folder.name) or original(store, folder))
    studies.results()
    assert read == []
    store = stores.store()
    document = store.get("runs", attacked.digest).document
    store.put("runs", attacked.digest, {**document, "made": {**document["made"], "day": "2020-02-02"}})
    assert rows_of(attacked.digest)["made"].iloc[0] == "2020-02-02"
    assert read == [attacked.digest]


def test_an_index_that_is_damaged_or_gone_is_made_anew(attacked, caplog):
    from robustprune.base import paths

    before, index = studies.results(), paths.home() / "index" / "facts.json"
    for content in ("{", json.dumps({"version": 99, "facts": {}}), json.dumps([1])):
        index.write_text(content)
        pd.testing.assert_frame_equal(studies.results(), before)
    index.unlink()
    pd.testing.assert_frame_equal(studies.results(), before)


def test_damaged_and_foreign_entries_are_left_out_and_said_so(attacked, caplog):
    store = stores.store()
    store.put("scores", "feedfeedfeedfeed", {"of": "another version"})
    broken = store.put("runs", "badbadbadbadbadb", {"spec": {}})
    (broken.folder / "entry.json").write_text("{")
    with caplog.at_level(logging.INFO):
        table = studies.results()
    assert not table["digest"].isin(["feedfeedfeedfeed", "badbadbadbadbadb"]).any()
    assert "feedfeedfeedfeed" in caplog.text
    assert "badbadbadbadbadb" in caplog.text


def test_pandas_and_duckdb_read_what_is_written(attacked, tmp_path):
    import duckdb

    table = studies.results()
    studies.write_results(table, tmp_path / "deep" / "results.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "deep" / "results.parquet").astype(COLUMNS), table)
    counted = duckdb.sql(f"select count(*), sum(aua) from '{tmp_path}/deep/results.parquet' where start = 'sst2-demo'").fetchall()[0]
    mine = table[table["start"] == "sst2-demo"]
    assert counted == (len(mine), pytest.approx(float(mine["aua"].sum())))
    studies.write_results(table, tmp_path / "results.csv")
    assert len(pd.read_csv(tmp_path / "results.csv")) == len(table)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "results.csv"], "nothing half-written is left"


def test_where_it_cannot_be_written_that_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Name another file"):
        studies.write_results(studies.results(), tmp_path / "file" / "results.parquet")
