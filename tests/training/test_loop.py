"""The training loop: what changes, what stays, and that a training that was interrupted ends where it would have ended."""

import random
from pathlib import Path

import pytest
import torch

from robustprune.base.errors import Cancelled, ModelError
from robustprune.models import inference
from robustprune.specs.train import FreeLB, TrainSpec
from robustprune.texts import datasets
from robustprune.training import batches, checkpoint, finetune, loop
from robustprune.training.checkpoint import Checkpoint, State
from tests.small_models import ALL_FAMILIES, classifier

TEXTS = datasets.load("demo-reviews", "calibration").sample(22, 0)
# Six batches an epoch, the last of them shorter.
SPEC = TrainSpec(rank=2, learning_rate=0.01, batch_size=4, epochs=2)
STEPS = 12
KINDS = {
    "adamw": {},
    "adam": {"optimiser": "adam"},
    "sgd": {"optimiser": "sgd"},
    "freelb": {"freelb": FreeLB(2, start=0.3)},
    "bfloat16": {"precision": "bfloat16"},
    "full": {"rank": 0},
    "full freelb sgd": {"rank": 0, "freelb": FreeLB(3, max_norm=0.2), "optimiser": "sgd"},
}


def made(**settings):
    return TrainSpec(**{**SPEC.to_json(), "freelb": FreeLB(), **settings})


class Watched:
    """Remembers what the loop told, and interrupts it at a step."""

    def __init__(self, until=None, by=Cancelled):
        self.until, self.by, self.told = until, by, []

    def __call__(self, step, steps, doing, loss):
        assert steps == STEPS
        self.told.append((step, loss))
        if step == self.until:
            raise (self.by("base.cancelled") if self.by is Cancelled else self.by("stop"))


def trained(spec, path, watch=None, family="bert", labels=2):
    """The weights after a training. The random numbers before it differ from call to call."""
    model, tokenizer = classifier(family, labels)
    torch.seed()
    result = finetune.train_classifier(model, tokenizer, TEXTS, spec, Checkpoint(path), watch or Watched())
    assert not any(module.training for module in result.modules())
    return {name: weight.clone() for name, weight in result.state_dict().items()}


def plain(family="bert"):
    return classifier(family, 2)[0].state_dict()


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_that_was_cancelled_twice_ends_bit_for_bit_where_it_would_have(kind, tmp_path):
    spec, whole = made(**KINDS[kind]), Watched()
    expected = trained(spec, tmp_path / "whole.safetensors", whole)
    path = tmp_path / "cancelled.safetensors"
    for until in (3, 8):  # in the first epoch, and in the second
        with pytest.raises(Cancelled):
            trained(spec, path, Watched(until))
    last = Watched()
    assert equal(trained(spec, path, last), expected)
    assert last.told == whole.told[8:]
    assert not equal(trained(made(**KINDS[kind], seed=1), tmp_path / "other.safetensors"), expected)
    assert not list(tmp_path.glob("*.partial"))


def test_a_training_that_was_lost_without_a_word_goes_on_from_its_last_checkpoint(tmp_path, monkeypatch):
    expected = trained(SPEC, tmp_path / "whole.safetensors")
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)  # one at every step
    path = tmp_path / "lost.safetensors"
    with pytest.raises(KeyboardInterrupt):
        trained(SPEC, path, Watched(7, by=KeyboardInterrupt))
    last = Watched()
    assert equal(trained(SPEC, path, last), expected)
    assert last.told[0][0] == 7  # the step that was lost


def test_a_training_that_is_done_is_not_done_again(tmp_path):
    path = tmp_path / "done.safetensors"
    expected, again = trained(SPEC, path), Watched()
    assert equal(trained(SPEC, path, again), expected)
    assert not again.told


def test_the_loop_follows_its_seed_whatever_was_drawn_before_it(tmp_path):
    ends = []
    for number in range(2):
        model, tokenizer = classifier("bert", 2)
        model.classifier.requires_grad_(True)
        torch.seed()
        loop.fit(model, model, tokenizer, TEXTS, SPEC, Checkpoint(tmp_path / f"{number}.safetensors"), Watched())
        ends.append(model.state_dict())
    assert equal(*ends)


def test_the_seconds_of_a_training_add_up(tmp_path):
    path = tmp_path / "x.safetensors"
    assert Checkpoint(path).seconds() == 0
    with pytest.raises(Cancelled):
        trained(SPEC, path, Watched(6))
    first = Checkpoint(path).seconds()
    trained(SPEC, path)
    assert 0 < first < Checkpoint(path).seconds()
    Checkpoint(path).remove()
    assert Checkpoint(path).load() is None


@pytest.mark.parametrize("damage", ["half", "empty", "garbage", "other file"])
def test_a_damaged_checkpoint_starts_from_the_beginning_and_says_so(damage, tmp_path, caplog):
    expected = trained(SPEC, tmp_path / "whole.safetensors")
    path = tmp_path / "damaged.safetensors"
    with pytest.raises(Cancelled):
        trained(SPEC, path, Watched(5))
    whole = path.read_bytes()
    if damage == "other file":
        classifier()[0].save_pretrained(tmp_path / "model")
        whole = (tmp_path / "model" / "model.safetensors").read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "empty": b"", "garbage": b"\xff" * 500, "other file": whole}[damage])
    again = Watched()
    assert equal(trained(SPEC, path, again), expected)
    assert len(again.told) == STEPS
    assert "starts from the beginning" in caplog.text


def write_half(tensors, path, about):
    path.write_bytes(b"half")
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("obstacle", ["a folder of that name", "no such system folder", "the disk is full"])
def test_a_checkpoint_that_cannot_be_kept_stops_no_training(obstacle, tmp_path, caplog, monkeypatch):
    expected = trained(SPEC, tmp_path / "whole.safetensors")
    path = tmp_path / "in the way.safetensors"
    if obstacle == "a folder of that name":
        path.mkdir()
    elif obstacle == "no such system folder":
        path = Path("/proc/self/robustprune/x.safetensors")
    else:
        monkeypatch.setattr(checkpoint, "save_file", write_half)
    assert equal(trained(SPEC, path), expected)
    assert "cannot be kept" in caplog.text
    assert not list(tmp_path.glob("*.partial"))


def test_a_loss_that_is_no_number_is_an_error_that_names_the_step(tmp_path):
    model, tokenizer = classifier("bert", 2)

    def spoil(step, steps, doing, loss):
        if step == 4:
            with torch.no_grad():
                model.classifier.bias.fill_(float("nan"))

    with pytest.raises(ModelError, match=r"step 5 of 12.*nan.*lower learning rate"):
        finetune.train_classifier(model, tokenizer, TEXTS, made(rank=0), Checkpoint(tmp_path / "x.safetensors"), spoil)


@pytest.mark.parametrize("steps", [1, 2, 16, 17, 100, 12345])
def test_the_learning_rate_goes_up_to_its_peak_and_down_to_zero(steps):
    rates = [loop._schedule(step, steps) for step in range(steps + 1)]
    peak = rates.index(max(rates))
    assert max(rates) == 1
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == 0
    assert all(rate > 0 for rate in rates[peak:-1])
    assert peak == int(0.06 * steps)
    if peak:
        assert rates[0] == 0


def test_the_rate_follows_the_schedule_up_to_the_peak_that_was_asked_for(tmp_path, monkeypatch):
    rates = []
    monkeypatch.setattr(loop, "_set_rate", lambda optimiser, rate, real=loop._set_rate: (rates.append(rate), real(optimiser, rate)))
    trained(SPEC, tmp_path / "x.safetensors")
    assert rates == pytest.approx([0.01 * (STEPS - step) / STEPS for step in range(STEPS)])


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_an_adapter_is_trained_with_the_head_and_nothing_else(family, tmp_path):
    before, after = plain(family), trained(SPEC, tmp_path / "x.safetensors", family=family)
    shared = {name.removeprefix("base_model.model.").replace(".base_layer", "").replace(".original_module", ""): value for name, value in after.items()}
    assert before.keys() <= shared.keys()
    assert all(torch.equal(value, shared[name]) for name, value in before.items())
    changed = [value for name, value in after.items() if "lora_B" in name]
    assert len(changed) == 2 * 6  # six linear layers in each of two blocks
    assert all(value.any() for value in changed)
    heads = [name for name in after if "modules_to_save" in name and name.endswith("weight")]
    assert len(heads) == 2
    assert not any(torch.equal(after[name], after[name.replace("modules_to_save.default", "original_module")]) for name in heads)


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_without_a_rank_all_is_trained_but_the_word_embeddings(family, tmp_path):
    before, after = plain(family), trained(made(rank=0), tmp_path / "x.safetensors", family=family)
    same = {name for name, value in before.items() if torch.equal(value, after[name])}
    assert {name for name in same if "word_embeddings" in name} == {name for name in before if "word_embeddings" in name}
    weights = {name for name, value in before.items() if value.ndim == 2 and "embeddings." not in name}
    assert not weights & same


@pytest.mark.parametrize(("rank", "rate"), [(0, 0.003), (2, 0.01)])
def test_a_training_learns_what_it_is_shown(rank, rate, tmp_path):
    model, tokenizer = classifier("bert", 2)
    spec = made(rank=rank, learning_rate=rate, epochs=30)
    losses = []
    finetune.train_classifier(model, tokenizer, TEXTS, spec, Checkpoint(tmp_path / "x.safetensors"), lambda step, steps, doing, loss: losses.append(loss))
    assert losses[-1] < 0.5 * losses[0]
    right = inference.logits(model, tokenizer, TEXTS.texts).argmax(-1) == torch.tensor(TEXTS.labels)
    assert right.float().mean() > 0.9


@pytest.mark.parametrize("settings", [{}, {"rank": 0}, {"freelb": FreeLB(2)}])
def test_bfloat16_is_for_the_passes_only(settings, tmp_path):
    watch = Watched()
    rough, exact = trained(made(precision="bfloat16", **settings), tmp_path / "b.safetensors", watch), trained(made(**settings), tmp_path / "f.safetensors")
    assert all(torch.isfinite(torch.tensor(loss)) for _, loss in watch.told)
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in rough.values() if value.is_floating_point())
    assert not equal(rough, exact)
    changed = [name for name in rough if "lora_B" in name or name.endswith("classifier.weight")]
    assert changed
    assert all(torch.nn.functional.cosine_similarity(rough[name].flatten(), exact[name].flatten(), dim=0) > 0.7 for name in changed)


def test_batches_hold_every_text_once_and_texts_of_like_length():
    lengths = [random.Random(number).randint(3, 60) for number in range(1000)]
    made = list(batches.shuffled(lengths, 32, random.Random(0)))
    assert sorted(row for batch in made for row in batch) == list(range(1000))
    assert max(map(len, made)) == 32
    spread = [max(lengths[row] for row in batch) - min(lengths[row] for row in batch) for batch in made]
    assert sum(spread) / len(spread) < 5
    assert made != list(batches.shuffled(lengths, 32, random.Random(1)))
    shortest = [min(lengths[row] for row in batch) for batch in made]
    assert shortest != sorted(shortest)


def test_a_checkpoint_below_a_file_stops_no_training(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    trained(SPEC, tmp_path / "file" / "x.safetensors")
    assert "cannot be kept" in caplog.text


def test_a_read_only_disk_stops_no_training(tmp_path, caplog, monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(checkpoint, "save_file", refuse)
    monkeypatch.setattr(checkpoint.Path, "unlink", refuse)
    Checkpoint(tmp_path / "x.safetensors").save(State(1, 1.0, 1.0, {"a": torch.zeros(1)}, {}, {}))
    assert "cannot be kept" in caplog.text


def test_the_state_of_other_weights_is_not_gone_on_from(tmp_path):
    path = tmp_path / "x.safetensors"
    trained(made(rank=4), path)
    assert Checkpoint(path).load().step == STEPS
    through = trained(SPEC, tmp_path / "y.safetensors")
    assert all(torch.equal(value, through[name]) for name, value in trained(SPEC, path).items())


def test_every_embedding_stays(tmp_path):
    before, after = plain(), trained(made(rank=0), tmp_path / "x.safetensors")
    embeddings = [name for name in before if "embeddings." in name]
    assert len(embeddings) == 5
    assert all(torch.equal(before[name], after[name]) for name in embeddings)
