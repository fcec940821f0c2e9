"""Tables: who stands where, compared with the first under one attack; and that a table comes back as it was made."""

import copy
import json
import shutil
from dataclasses import asdict

import pytest

from robustprune import lab
from robustprune.attacks.engine.attacker import Attacker
from robustprune.base import stores
from robustprune.base.errors import ModelError
from robustprune.lab import baselines as lab_baselines
from robustprune.lab import tables
from robustprune.specs.attack import AttackSpec
from robustprune.specs.compare import CompareSpec
from robustprune.specs.prune import PruneSpec
from robustprune.specs.train import BaselineSpec, TrainSpec
from tests.lab.test_soups import constant

SPEC = AttackSpec("deepwordbug", query_budget=40)
EXAMPLES = 5
START = "sst2-demo"
PRUNING = PruneSpec(START, "sst2", "magnitude", "none", 0.3, calibration=16)
BASELINE = BaselineSpec("lth", 0.3, rounds=1, train=TrainSpec(2, rows=16, batch_size=8))


pytestmark = pytest.mark.usefixtures("sst2")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return constant(tmp_path_factory.mktemp("other") / "constant", label=1, lead=3.0)


def compare(others=(), methods=(), baselines=(), **keywords):
    return lab.compare(CompareSpec(START, "sst2", others, methods, baselines, EXAMPLES, SPEC), "the command", **keywords)


@pytest.fixture(scope="module")
def table(other):
    return compare([other, START], [PRUNING], [BASELINE])


def test_the_start_comes_first_then_others_then_methods_then_baselines(table, other):
    assert [row.name for row in table.rows] == [START, other, "magnitude", "lth"]
    assert (table.dataset, table.split, table.examples, table.sparsity) == ("sst2", "validation", EXAMPLES, 0.3)
    for row in table.rows[:2]:
        assert (row.model, row.start, row.settings, row.retrains, row.seconds) == (row.name, None, None, None, None)
    pruned, retrained = table.rows[2:]
    assert (pruned.start, pruned.retrains, pruned.settings) == (START, False, PRUNING.to_json())
    assert (retrained.retrains, retrained.settings) == (True, BASELINE.to_json())
    assert pruned.model == lab.find_run(PRUNING).ref
    assert pruned.seconds == lab.find_run(PRUNING).report.seconds > 0
    assert retrained.seconds == stores.store().get("baselines", retrained.model.removeprefix("baseline:")).document["seconds"]


def test_every_row_has_the_scores_of_its_model_on_the_same_texts(table):
    runs = lab.attack_texts([row.model for row in table.rows], "sst2", EXAMPLES, SPEC)
    assert [row.scores for row in table.rows] == [one.scores.to_json() for one in runs]
    first = runs[0].scores.aua.value
    for row, one in zip(table.rows, runs, strict=True):
        assert row.against_first["aua_difference"] == pytest.approx(one.scores.aua.value - first)
    assert any(row.against_first["aua_difference"] for row in table.rows), "these texts tell no models apart"
    assert table.resources == runs[0].resources


def test_the_first_differs_from_itself_by_nothing(table):
    itself = table.rows[0].against_first
    assert {key: itself[key] for key in ("examples", "aua_difference", "only_first", "only_second", "p")} == {
        "examples": EXAMPLES, "aua_difference": 0.0, "only_first": 0, "only_second": 0, "p": 1.0,
    }  # fmt: skip
    assert itself["aua_difference_low"] == -itself["aua_difference_high"] < 0


def test_asked_again_nothing_is_pruned_trained_or_attacked(table, other, monkeypatch):
    def refuse(*_arguments, **_keywords):
        raise AssertionError("something was done again")

    monkeypatch.setattr(Attacker, "attack", refuse)
    monkeypatch.setattr("robustprune.training.retrain.retrain", refuse)
    monkeypatch.setattr("robustprune.pruning.pipeline.prune", refuse)
    assert compare([other, START], [PRUNING], [BASELINE]) == table
    assert lab.all_tables().count(table) == 1


def test_a_table_comes_back_as_it_was(table):
    entry = stores.store().get("tables", table.digest)
    assert tables.as_table(entry) == table
    told = json.loads(json.dumps(table.to_json()))
    assert [told["digest"], told["made"], told["spec"]] == [table.digest, {"command": "the command"}, SPEC.to_json()]
    assert told["rows"] == [json.loads(json.dumps(asdict(row))) for row in table.rows]


def test_a_table_of_given_models_alone_has_no_sparsity(table, other):
    plain = compare([other])
    assert plain.sparsity is None
    assert plain.digest != table.digest
    assert list(plain.rows) == list(table.rows[:2])


def test_what_is_named_twice_is_one_row(table, other):
    assert compare([other], [PRUNING, PRUNING], [BASELINE, BASELINE]).rows == table.rows
    assert compare([other, table.rows[2].model], [PRUNING], [BASELINE]).rows[1:2] == table.rows[1:2]


def test_a_baseline_without_a_head_is_refused_before_anything_is_done(sst2, tmp_path, empty_home):
    shutil.copytree(sst2 / "sst2", tmp_path / "headless")
    with pytest.raises(ModelError, match=r"No head ships for .*headless"):
        lab.compare(CompareSpec(START, str(tmp_path / "headless"), (), [PRUNING], [BASELINE], 2, SPEC))
    assert not (empty_home / "runs").exists(), "it pruned first and looked for the head afterwards"
    assert lab_baselines.default_head("sst2").is_dir()


def test_accuracy_is_of_all_evaluation_texts_not_only_of_those_attacked(table):
    everything = lab.evaluate(START, "sst2")
    assert everything.examples > EXAMPLES
    assert table.rows[0].accuracy == everything.to_json()
    assert {row.accuracy["examples"] for row in table.rows} == {everything.examples}


@pytest.mark.parametrize("changed", ["row", "comparison"])
def test_a_table_of_another_version_is_passed_over(changed, table, caplog):
    document = copy.deepcopy(stores.store().get("tables", table.digest).document)
    if changed == "row":
        document["rows"] = [{"name": "of another time"}]
    else:
        del document["rows"][0]["against_first"]["aua_difference_low"]
    entry = stores.store().put("tables", "0" * 16, document)
    assert [one.digest for one in lab.all_tables()].count(table.digest) == 1
    assert entry.key not in {one.digest for one in lab.all_tables()}
    assert "another version" in caplog.text
