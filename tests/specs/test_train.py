"""What a training and a baseline are asked to be: wrong settings are refused by name, and what was written down comes back."""

import json
from itertools import pairwise

import pytest

from robustprune.base.errors import SpecError
from robustprune.specs.train import BASELINE_NAMES, FULL_LEARNING_RATE, LEARNING_RATE, BaselineSpec, FreeLB, TrainSpec


@pytest.mark.parametrize(
    ("field", "value", "called"),
    [
        ("rank", -1, "rank"), ("rank", 257, "rank"), ("rank", 2.0, "rank"), ("learning_rate", 0, "learning rate"),
        ("learning_rate", float("nan"), "learning rate"), ("optimiser", "lion", "adamw, adam, sgd"),
        ("epochs", 0, "epochs"), ("rows", 1, "training texts"), ("rows", "all", "training texts"),
        ("held_out", -1, "held out"), ("batch_size", 0, "batch size"), ("weight_decay", -0.1, "weight decay"), ("precision", "float16", "float32, bfloat16"),
        ("seed", -1, "seed"), ("seed", True, "seed"),
    ],
)  # fmt: skip
def test_a_wrong_training_setting_is_named(field, value, called):
    with pytest.raises(SpecError, match=called) as caught:
        TrainSpec(**{field: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "called"),
    [
        ("steps", -1, "number of adversarial steps"), ("steps", 31, "number of adversarial steps"), ("steps", 1.5, "number of adversarial steps"),
        ("step_size", -1.0, "size of adversarial steps"), ("start", float("inf"), "start of the adversarial"),
        ("max_norm", "1", "largest norm of the adversarial"),
    ],
)  # fmt: skip
def test_a_wrong_adversarial_setting_is_named(field, value, called):
    with pytest.raises(SpecError, match=called) as caught:
        FreeLB(**{field: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"method": "imp+freelb"}, "allowed are: imp, lth"), ({"sparsity": 1.0}, "sparsity is 1.0"), ({"sparsity": 0.0}, "sparsity is 0.0"),
        ({"rounds": 0}, "number of rounds is 0"), ({"train": TrainSpec(rank=0)}, "rank must be at least 1"),
    ],
)  # fmt: skip
def test_a_wrong_baseline_setting_is_named(settings, why):
    with pytest.raises(SpecError, match=why):
        BaselineSpec(**settings)


@pytest.mark.parametrize("spec", [TrainSpec(), TrainSpec(rank=0, rows=10, precision="bfloat16"), TrainSpec(freelb=FreeLB(3, 0.2, 0.3, 0.4), learning_rate=1)])
def test_a_training_survives_json(spec):
    assert TrainSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize("value", [None, [], {"ranks": 2}, {"freelb": 3}, {"freelb": {"step": 3}}, {"freelb": {"steps": -3}}])
def test_what_is_no_training_is_refused(value):
    with pytest.raises(SpecError):
        TrainSpec.from_json(value)


def test_the_learning_rate_follows_what_is_trained_unless_it_is_given():
    assert (TrainSpec(rank=4).learning_rate, TrainSpec(rank=0).learning_rate) == (LEARNING_RATE, FULL_LEARNING_RATE)
    assert TrainSpec(rank=0, learning_rate=1e-3).learning_rate == 1e-3


@pytest.mark.parametrize("name", BASELINE_NAMES)
def test_a_baseline_by_name_trains_in_the_way_it_says(name):
    plain, adversarial = TrainSpec(rank=4), TrainSpec(rank=4, freelb=FreeLB(2))
    spec = BaselineSpec.named(name, 0.75, plain, adversarial)
    assert (spec.name, spec.sparsity) == (name, 0.75)
    assert spec.train == (adversarial if "freelb" in name else plain)


def test_a_baseline_of_an_unknown_name_is_refused():
    with pytest.raises(SpecError, match=r"'lth\+pgd'.*imp\+freelb"):
        BaselineSpec.named("lth+pgd", 0.5, TrainSpec(), TrainSpec())


@pytest.mark.parametrize(("sparsity", "rounds"), [(0.5, 1), (0.5, 3), (0.875, 3), (0.99, 7)])
def test_every_round_prunes_the_same_share_of_what_is_left_and_the_last_gets_there(sparsity, rounds):
    spec = BaselineSpec(sparsity=sparsity, rounds=rounds)
    left = [1 - spec.sparsity_after(number) for number in range(rounds + 1)]
    assert left[0] == 1
    assert left[-1] == pytest.approx(1 - sparsity)
    assert [after / before for before, after in pairwise(left)] == pytest.approx([left[1]] * rounds)


def test_the_settings_of_freelb_are_settings():
    with pytest.raises(SpecError, match="settings of FreeLB"):
        TrainSpec(freelb={"steps": 3})


@pytest.mark.parametrize(
    ("one", "other"),
    [(TrainSpec(weight_decay=0), TrainSpec(weight_decay=0.0)), (TrainSpec(freelb=FreeLB(1, 1)), TrainSpec(freelb=FreeLB(1, 1.0)))],
)
def test_equal_specs_have_one_identity(one, other):
    assert one == other
    assert json.dumps(one.to_json()) == json.dumps(other.to_json())
