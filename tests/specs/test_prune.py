"""Wrong settings are refused by name, before anything runs."""

import json

import pytest

from robustprune.base.checks import MAX_SEED
from robustprune.base.errors import SpecError
from robustprune.specs.attack import AttackSpec, check_attackable, check_label, check_text
from robustprune.specs.prune import PruneSpec, parse_layer_sparsities
from robustprune.specs.recipes import MASKED_LM, PERTURBATIONS, RECIPES, SYNONYMS


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


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("recipe", "telepathy", "recipe 'telepathy'"), ("recipe", None, "recipe None"), ("recipe", ["textfooler"], "recipe"),
        ("recipe", "TextFooler", "recipe 'TextFooler'"),
        ("query_budget", 0, "query budget is 0"), ("query_budget", 1_000_001, "query budget is 1000001"), ("query_budget", 2.5, "query budget is 2.5"),
        ("query_budget", True, "query budget is True"), ("query_budget", None, "query budget is None"), ("query_budget", "many", "query budget is 'many'"),
        ("word_budget", 0, "word budget is 0"), ("word_budget", 3001, "word budget is 3001"), ("word_budget", 1.0, "word budget is 1.0"),
        ("word_budget", False, "word budget is False"), ("seconds", float("nan"), "time limit in seconds is nan"), ("seconds", float("inf"), "seconds is inf"),
        ("seconds", 0, "seconds is 0"), ("seconds", -1.0, "seconds is -1"), ("seconds", 86_401, "seconds is 86401"), ("seconds", "1", "seconds is '1'"),
        ("seconds", True, "seconds is True"), ("resources", "full", "resources 'full'"), ("resources", None, "resources None"), ("seed", -1, "seed is -1"),
        ("seed", MAX_SEED + 1, "seed is"), ("seed", 0.0, "seed is 0.0"), ("synonyms", "", "synonyms is ''"), ("synonyms", " ", "synonyms is ' '"),
        ("synonyms", 5, "synonyms is 5"), ("masked_lm", "", "masked_lm is ''"),
    ],
)  # fmt: skip
def test_an_attack_spec_checks_itself(field, value, why):
    with pytest.raises(SpecError, match=why):
        AttackSpec(**{field: value})


def test_the_ends_of_every_range_are_allowed():
    AttackSpec(query_budget=1, word_budget=1, seconds=0.1, seed=0)
    AttackSpec(query_budget=1_000_000, word_budget=3000, seconds=86_400, seed=MAX_SEED)


@pytest.mark.parametrize("recipe", RECIPES)
def test_only_bad_characters_chooses_how_it_perturbs(recipe):
    assert AttackSpec(recipe).perturbation == ("homoglyphs" if recipe == "bad-characters" else None)
    for perturbation in PERTURBATIONS:
        if recipe == "bad-characters":
            assert AttackSpec(recipe, perturbation=perturbation).perturbation == perturbation
        else:
            with pytest.raises(SpecError, match=f"'{recipe}' has no perturbation"):
                AttackSpec(recipe, perturbation=perturbation)


@pytest.mark.parametrize("value", ["magic", 5, True, "", 0, False])
def test_a_perturbation_that_is_none_is_named(value):
    with pytest.raises(SpecError, match="perturbation"):
        AttackSpec("bad-characters", perturbation=value)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("field", "need"), [("synonyms", SYNONYMS), ("masked_lm", MASKED_LM)])
def test_a_resource_is_named_only_where_the_recipe_uses_it(recipe, field, need):
    if need in RECIPES[recipe].needs:
        assert getattr(AttackSpec(recipe, **{field: "some/place"}), field) == "some/place"
    else:
        with pytest.raises(SpecError, match=f"'{recipe}' uses no {field.replace('_', '-')}; the recipes that do are: .*(textfooler|bae)"):
            AttackSpec(recipe, **{field: "some/place"})


@pytest.mark.parametrize(
    "settings",
    [
        {}, {"recipe": "bad-characters"}, {"recipe": "bad-characters", "perturbation": "reorderings", "word_budget": 3},
        {"recipe": "bae", "masked_lm": "some/model", "seconds": 2}, {"synonyms": "pairs.txt", "resources": "built-in", "query_budget": 7, "seed": 4},
    ],
)  # fmt: skip
def test_an_attack_spec_survives_json(settings):
    spec = AttackSpec(**settings)
    again = AttackSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec == AttackSpec(**settings)
    assert hash(again) == hash(spec)
    assert again.to_json() == spec.to_json()


def test_attack_specs_that_mean_the_same_are_the_same():
    assert AttackSpec(seconds=5).to_json() == AttackSpec(seconds=5.0).to_json()
    assert json.dumps(AttackSpec(seconds=5).to_json()) == json.dumps(AttackSpec(seconds=5.0).to_json())
    assert AttackSpec("bad-characters") == AttackSpec("bad-characters", perturbation="homoglyphs")


@pytest.mark.parametrize("value", [None, [], "textfooler", {"recipe": "textfooler", "budget": 5}, {"perturbation": "invisible"}, {"seconds": float("nan")}])
def test_a_foreign_object_is_no_attack_spec(value):
    with pytest.raises(SpecError):
        AttackSpec.from_json(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("12 34 !?", "no letters"),
        ("word " * 10_000, "10,000 words"),
        ("good \udcff film", "not UTF-8"),
        ("a <SPLIT> film", "<SPLIT>"),
    ],
)
def test_a_text_that_cannot_be_looked_at_is_refused(text, why):
    with pytest.raises(SpecError, match=why):
        check_text(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        (None, "empty"),
        (5, "empty"),
        ("word " * 3001, "3,001 words; at most 3,000"),
        ("\ud800", "not UTF-8"),
        ("<SPLIT>", "<SPLIT>"),
    ],
)
def test_a_text_that_cannot_be_attacked_is_refused(text, why):
    with pytest.raises(SpecError, match=why):
        check_attackable(text)


@pytest.mark.parametrize("text", ["12 34 !?", "\U0001f600", "word " * 3000, " a film\n", "\x00", "<split>"])
def test_a_text_of_a_sample_is_attacked_as_it_is(text):
    """Nobody typed it, so it need not hold a letter, and nothing about it is put right."""
    assert check_attackable(text) == text


def test_what_was_typed_needs_a_letter_and_is_stripped():
    assert check_text("  a film\n") == "a film"
    assert check_text("\u597d") == "\u597d"
    for text in ("12 34 !?", "\U0001f600"):
        with pytest.raises(SpecError, match="no letters"):
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
