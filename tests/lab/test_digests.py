"""The keys under which work is stored stay what they are: a change here would hide everything that ships and that people have computed."""

import pytest

from robustprune import lab, studies
from robustprune.attacks import archive
from robustprune.base import stores
from robustprune.lab import accuracy, curves, looks
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec

# How many entries of each kind ship.
SHIPPED = {
    "runs": 52, "scores": 102, "attacks": 252, "soups": 2, "tables": 3, "curves": 2, "evaluations": 56, "attentions": 26, "embeddings": 12, "layers": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "digest"),
    [
        (PruneSpec("sst2-soup", "demo-reviews"), "14271c8eb8f37180"),
        (PruneSpec("sst2-demo", "demo-reviews", "sparsegpt", "hessian", 0.875, calibration=64, seed=3), "16596404ae5925d2"),
        (PruneSpec("ag_news-soup", None, "obs", "none", pattern="2:4"), "7ba9095b8002ec44"),
        (PruneSpec("ag_news-demo", "demo-news", "wanda", "hessian", 0.6, layer_sparsities={"block.0": 0.2}, ridge="auto", refit_head=True), "a4ea1fb6775747e2"),
    ],
    ids=["usual", "small", "pattern", "everything"],
)
def test_a_run_has_the_digest_that_it_always_had(spec, digest):
    assert lab.prune_digest(spec)[0] == digest


def test_models_have_the_digests_that_they_always_had():
    assert lab.find_model("sst2-soup").digest.startswith("2566294921d86f62")
    assert lab.find_model("mean:sst2-plain-1+sst2-freelb-1*3").digest.startswith("b31c4840a0d22da8")


def test_attacks_have_the_keys_that_they_always_had():
    source = lab.find_model("sst2-soup")
    texts = accuracy.texts_for(source, "demo-reviews", 60, 0)
    assert archive.scores_key(source.digest, texts, AttackSpec(resources="built-in")) == "86db1d6f335df0db"
    spec = AttackSpec("deepwordbug", query_budget=500, resources="built-in", seed=2)
    assert archive.scores_key(source.digest, texts, spec) == "d714b166819ea960"
    assert stores.store().get("attacks", "0f9f292a1c1d27b3").document["text"] == lab.showcase("sst2-soup")[0][0]
    assert lab.find_attack("sst2-soup", *lab.showcase("sst2-soup")[0], AttackSpec(resources="built-in"))


def test_soups_curves_and_tables_have_the_digests_that_they_always_had():
    assert {soup.digest for soup in lab.all_soups() if soup.shipped} == {"15264fee22c6022b", "a1a5e3f2d1cb93ae"}
    assert {table.digest for table in lab.all_tables() if table.shipped} == {"19cd45f89bb350c1", "1c333a21c459d139", "2e6c8a9bfa1bb16b"}
    assert lab.find_averaging_curve("sst2-freelb-1", "sst2-plain-1", "demo-reviews", attacked=curves.ATTACKED).digest == "e26e9b09c5a7b0a2"


def test_looks_have_the_keys_that_they_always_had():
    text = lab.showcase("sst2-soup")[0][0]
    run = next(run for run in lab.shipped_runs("sst2-soup") if run.digest == "06338f55c831db99")
    assert looks._attention_key("sst2-soup", text) == "4a6383be8d11a6bb"
    assert looks._embeddings_key("sst2-soup", [text]) == "e7ca573f67c36ef9"
    assert looks._layers_key(run, looks._layer_texts(run)) == "896ae135e2d2df8d"


def test_all_that_ships_is_found_and_understood(empty_home):
    assert {kind: len(list(stores.store().entries(kind))) for kind in SHIPPED} == SHIPPED
    assert (len(lab.all_runs()), len(lab.all_soups()), len(lab.all_tables())) == (SHIPPED["runs"], SHIPPED["soups"], SHIPPED["tables"])
    assert len(studies.results()) == 208
