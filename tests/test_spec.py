"""Wrong settings are refused by name, before anything runs."""

import json

import pytest

from robustprune.errors import SpecError
from robustprune.spec import AttackSpec, PruneSpec, check_label, check_text, parse_layer_sparsities


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sparsity", 1.0), ("sparsity", -0.1), ("sparsity", float("nan")), ("sparsity", "half"), ("sparsity", True), ("method", "magic"), ("adaptive", "yes"),
        ("scope", "block"), ("pattern", "4:2"), ("pattern", "2of4"), ("pattern", 24), ("allocation", "fair"), ("ridge", "best"), ("residual", 1),
        ("refit_head", "no"), ("calibration", 3), ("calibration", 2.5), ("seed", -1), ("ridge", 0.0), ("model", ""), ("model", None),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(field, value):
    with pytest.raises(SpecError, match=field) as caught:
        PruneSpec(**{"model": "sst2-demo", field: value})
    assert str(value) in str(caught.value) or repr(value) in str(caught.value)


@pytest.mark.parametrize(
    "settings", [{"sparsity": 0.875, "seed": 3}, {"pattern": "2:4"}, {"layer_sparsities": {"block.0": 0.1}}, {"ridge": "auto", "allocation": "error"}]
)
def test_a_spec_survives_json(settings):
    spec = PruneSpec("sst2-demo", **settings)
    assert PruneSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert hash(spec) == hash(PruneSpec("sst2-demo", **settings))


def test_what_means_the_same_is_the_same_spec():
    assert PruneSpec("m", pattern="2:4", sparsity=0.9) == PruneSpec("m", pattern=" 02:4 ", scope="layer")
    assert PruneSpec("m", method="wanda") == PruneSpec("m", method="wanda", scope="row")
    assert PruneSpec("m", layer_sparsities={"b": 0.1, "a": 0.2}) == PruneSpec("m", layer_sparsities=[("a", 0.2), ("b", 0.1)])
    assert PruneSpec("m", ridge=1).to_json() == PruneSpec("m", ridge=1.0).to_json()
    assert PruneSpec("m", adaptive="none", residual=True) == PruneSpec("m", adaptive="none", residual=False)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"method": "obs", "scope": "layer"}, "'obs' has no scope 'layer'; allowed are: row"),
        ({"pattern": "2:4", "allocation": "error"}, "exclude each other"),
        ({"layer_sparsities": {"block.0": 0.5}, "allocation": "error"}, "exclude each other"),
        ({"layer_sparsities": {"block.0": 1.5}}, "sparsity of block.0 is 1.5"),
        ({"layer_sparsities": 5}, "a mapping"),
        ({"layer_sparsities": [("block.0", 0.2), ("block.0", 0.9)]}, "named twice"),
        ({"pattern": "1:128"}, "pattern '1:128'"),
        ({"dataset": 5}, "dataset is 5"),
        ({"sparsity": 10**400}, "sparsity is 1000"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, why):
    with pytest.raises(SpecError, match=why):
        PruneSpec("m", **settings)


@pytest.mark.parametrize("value", [None, [], {"model": "a", "sparcity": 0.5}, {}])
def test_a_foreign_object_is_no_spec(value):
    with pytest.raises(SpecError):
        PruneSpec.from_json(value)


def test_an_attack_spec_checks_itself():
    with pytest.raises(SpecError, match="recipe"):
        AttackSpec("telepathy")
    with pytest.raises(SpecError, match="query budget"):
        AttackSpec(query_budget=0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("12 34 !?", "no letters"),
        ("word " * 10_000, "10,000 words"),
        ("good \udcff film", "no UTF-8"),
        ("a <SPLIT> film", "<SPLIT>"),
    ],
)
def test_a_text_that_cannot_be_attacked_is_refused(text, why):
    with pytest.raises(SpecError, match=why):
        check_text(text)


@pytest.mark.parametrize("label", [2, -1, "1", None, True])
def test_a_label_that_the_model_lacks_is_refused(label):
    with pytest.raises(SpecError, match="0 \\(negative\\), 1 \\(positive\\)"):
        check_label(label, ("negative", "positive"))


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ()),
        ("block.0=0.2", (("block.0", 0.2),)),
        (" block.0 = 20% , block.5.output.dense=0.9;block.1=0 ", (("block.0", 0.2), ("block.5.output.dense", 0.9), ("block.1", 0.0))),
        ("block.0=0.1 block.1=0.2", (("block.0", 0.1), ("block.1", 0.2))),
        ("block.0", (("block.0", ""),)),
        ("block.0=many", (("block.0", "many"),)),
    ],
)
def test_sparsities_of_layers_are_read_as_people_type_them(text, pairs):
    assert parse_layer_sparsities(text) == pairs
