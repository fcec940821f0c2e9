"""Wrong settings are refused by name, before anything runs."""

import pytest

from robustprune.errors import SpecError
from robustprune.spec import AttackSpec, PruneSpec, check_label, check_text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sparsity", 1.0), ("sparsity", -0.1), ("sparsity", float("nan")), ("sparsity", "half"), ("sparsity", True), ("method", "magic"), ("adaptive", "yes"),
        ("scope", "block"), ("calibration", 3), ("calibration", 2.5), ("seed", -1), ("ridge", 0.0), ("model", ""), ("model", None),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(field, value):
    with pytest.raises(SpecError, match=field) as caught:
        PruneSpec(**{"model": "sst2-demo", field: value})
    assert str(value) in str(caught.value) or repr(value) in str(caught.value)


def test_a_spec_survives_json():
    spec = PruneSpec("sst2-demo", sparsity=0.875, seed=3)
    assert PruneSpec.from_json(spec.to_json()) == spec


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
