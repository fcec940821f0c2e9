"""The keys under which work is stored stay what they are: a change here would hide everything that ships and that people have computed."""

import pytest

from robustprune import lab, studies
from robustprune.attacks import archive
from robustprune.attacks.resources.names import describe
from robustprune.base import stores
from robustprune.lab import accuracy, curves, looks
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec

# How many entries of each kind ship.
SHIPPED = {
    "runs": 52, "scores": 102, "attacks": 918, "soups": 2, "tables": 6, "curves": 2, "evaluations": 56, "attentions": 26, "embeddings": 12, "layers": 8,
}  # fmt: skip
TABLES = {"4f7e5d351435db67", "610906415f8280ae", "d2fc1d9c1a3ec0c7", "ead00b57e8ab0440", "ebf22b3254faadeb", "efd552d76e85e1c2"}


@pytest.mark.parametrize(
    ("spec", "digest"),
    [
        (PruneSpec("sst2-soup", "demo-reviews"), "3f6e3a0952c9ff24"),
        (PruneSpec("sst2-demo", "demo-reviews", "sparsegpt", "hessian", 0.875, calibration=64, seed=3), "16596404ae5925d2"),
        (PruneSpec("ag_news-soup", None, "obs", "none", pattern="2:4"), "b2fe15133571603f"),
        (PruneSpec("ag_news-demo", "demo-news", "wanda", "hessian", 0.6, layer_sparsities={"block.0": 0.2}, ridge="auto", refit_head=True), "a4ea1fb6775747e2"),
    ],
    ids=["usual", "small", "pattern", "everything"],
)
def test_a_run_has_the_digest_that_it_always_had(spec, digest):
    assert lab.prune_digest(spec)[0] == digest


def test_models_have_the_digests_that_they_always_had():
    assert lab.find_model("sst2-soup").digest.startswith("d276d8489f7b13e4")
    assert lab.find_model("mean:sst2-plain-1+sst2-freelb-1*3").digest.startswith("b31c4840a0d22da8")


def test_attacks_have_the_keys_that_they_always_had():
    source = lab.find_model("sst2-soup")
    texts = accuracy.texts_for(source, "demo-reviews", 60, 0)
    assert archive.scores_key(source.digest, texts, AttackSpec(resources="built-in")) == "c512343378c048a6"
    spec = AttackSpec("deepwordbug", query_budget=500, resources="built-in", seed=2)
    assert archive.scores_key(source.digest, texts, spec) == "a7519bbac6dd9f29"
    assert stores.store().get("attacks", "a5032ef8aef34092").document["text"] == lab.showcase("sst2-soup")[0][0]
    assert lab.find_attack("sst2-soup", *lab.showcase("sst2-soup")[0], AttackSpec(resources="built-in"))


def test_soups_curves_and_tables_have_the_digests_that_they_always_had():
    assert {soup.digest for soup in lab.all_soups() if soup.shipped} == {"7f2d9725c8e8052c", "4dee9b7fb5e19098"}
    assert {table.digest for table in lab.all_tables() if table.shipped} == TABLES
    assert lab.find_averaging_curve("sst2-freelb-1", "sst2-plain-1", "demo-reviews", attacked=curves.ATTACKED).digest == "ff4d14a7b6c12e23"


def test_looks_have_the_keys_that_they_always_had():
    text = lab.showcase("sst2-soup")[0][0]
    run = next(run for run in lab.shipped_runs("sst2-soup") if run.digest == "3f6e3a0952c9ff24")
    assert looks._attention_key("sst2-soup", text) == "ca440b8989c00f77"
    assert looks._embeddings_key("sst2-soup", [text]) == "9fe3fd617782527f"
    assert looks._layers_key(run, looks._layer_texts(run)) == "3636d3ebf6d89e0f"


def test_all_that_ships_is_found_and_understood(empty_home):
    assert {kind: len(list(stores.store().entries(kind))) for kind in SHIPPED} == SHIPPED
    assert (len(lab.all_runs()), len(lab.all_soups()), len(lab.all_tables())) == (SHIPPED["runs"], SHIPPED["soups"], SHIPPED["tables"])
    assert len(studies.results()) == 208


def test_all_that_ships_was_attacked_with_the_synonyms_of_now(empty_home):
    rows = studies.results()
    used = rows.loc[rows["shipped"] & (rows["recipe"] == "textfooler"), "synonyms"]
    assert set(used) == {describe(AttackSpec(resources="built-in")).synonyms}
