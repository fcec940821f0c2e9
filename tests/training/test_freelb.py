"""Adversarial training in the embedding space: what is perturbed, how far, and what it does to loss and gradients."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from robustprune.models import inference
from robustprune.specs.train import FreeLB
from robustprune.training import freelb
from tests.small_models import ALL_FAMILIES, classifier

TEXTS = ("a dull film", "the new film is long and slow but never loses its way", "good")
LABELS = torch.tensor([0, 1, 1])
EVERY_FAMILY = pytest.mark.parametrize("family", ALL_FAMILIES)


class Ascent:
    """One batch of a small model in evaluation mode, with all that the ascent did to it."""

    def __init__(self, family, settings, rows=(0, 1, 2), seed=0):
        self.model, tokenizer = classifier(family, labels=2)
        self.model.requires_grad_(True)
        embeddings = self.model.get_input_embeddings().requires_grad_(False)
        self.batch = inference.pad(tokenizer, inference.encode(self.model, tokenizer, TEXTS), list(rows))
        self.real = self.batch["attention_mask"].bool()
        self.perturbations, self.losses, plain, targets = [], [], embeddings(self.batch["input_ids"]), LABELS[list(rows)]

        def loss_of(inputs):
            self.perturbations.append((inputs["inputs_embeds"] - plain).detach())
            loss = cross_entropy(self.model(**inputs).logits, targets)
            self.losses.append(loss.item())
            return loss

        torch.manual_seed(seed)
        self.loss = freelb.backward(self.model, self.batch, loss_of, settings)
        self.targets = targets

    @property
    def gradients(self):
        return {name: weight.grad for name, weight in self.model.named_parameters() if weight.grad is not None}

    def norms(self, values):
        return values.flatten(1).norm(dim=1)


def same(one, other, **tolerance):
    return one.keys() == other.keys() and all(torch.allclose(value, other[name], **tolerance) for name, value in one.items())


@EVERY_FAMILY
def test_one_step_from_nowhere_is_plain_training(family):
    ascent = Ascent(family, FreeLB(steps=1, start=0))
    adversarial = {name: value.clone() for name, value in ascent.gradients.items()}
    ascent.model.zero_grad()
    loss = cross_entropy(ascent.model(**ascent.batch).logits, ascent.targets)
    loss.backward()
    assert ascent.loss == pytest.approx(loss.item(), abs=1e-6)
    assert max(value.abs().max() for value in adversarial.values()) > 1e-3
    assert same(adversarial, ascent.gradients, atol=1e-6)


@EVERY_FAMILY
@pytest.mark.parametrize("settings", [FreeLB(3, 0.5, 0.5), FreeLB(3, 0.5, 0.3, 0.4)])
def test_padding_is_never_perturbed_and_every_real_token_is(family, settings):
    ascent = Ascent(family, settings)
    assert not ascent.real.all()
    assert len(ascent.perturbations) == 3
    for perturbation in ascent.perturbations:
        assert not perturbation[~ascent.real].any()
        assert perturbation[ascent.real].abs().sum(-1).min() > 0


@EVERY_FAMILY
def test_a_text_among_longer_ones_is_trained_on_as_if_it_were_alone(family):
    settings = FreeLB(steps=3, start=0, step_size=0.3, max_norm=0.5)
    together, alone = Ascent(family, settings), [Ascent(family, settings, [row]) for row in range(len(TEXTS))]
    assert together.loss == pytest.approx(sum(one.loss for one in alone) / len(TEXTS), abs=1e-5)
    mean = {name: sum(one.gradients[name] for one in alone) / len(TEXTS) for name in together.gradients}
    assert same(together.gradients, mean, atol=1e-5)


@EVERY_FAMILY
def test_the_loss_rises_with_every_step_and_its_mean_is_what_counts(family):
    ascent = Ascent(family, FreeLB(steps=3, start=0, step_size=0.01))
    first, second, third = ascent.losses
    assert first < second < third
    assert ascent.loss == pytest.approx((first + second + third) / 3, abs=1e-6)


def test_the_gradients_are_the_mean_over_the_steps():
    settings = FreeLB(steps=3, start=0.2, step_size=0.3)
    ascent = Ascent("bert", settings)
    adversarial = {name: value.clone() for name, value in ascent.gradients.items()}
    ascent.model.zero_grad()
    embeddings = ascent.model.get_input_embeddings()(ascent.batch["input_ids"])
    rest = {name: value for name, value in ascent.batch.items() if name != "input_ids"}
    for perturbation in ascent.perturbations:
        (cross_entropy(ascent.model(inputs_embeds=embeddings + perturbation, **rest).logits, ascent.targets) / 3).backward()
    assert same(adversarial, ascent.gradients, atol=1e-5)


@EVERY_FAMILY
def test_every_text_is_moved_by_the_same_length_however_long_it_is(family):
    ascent = Ascent(family, FreeLB(steps=4, start=0.2, step_size=0.3))
    for before, after in zip(ascent.perturbations, ascent.perturbations[1:], strict=False):
        assert torch.allclose(ascent.norms(after - before), torch.tensor(0.3), atol=1e-4)


@EVERY_FAMILY
def test_the_perturbation_stays_in_its_ball(family):
    ascent = Ascent(family, FreeLB(steps=5, start=0.4, step_size=0.3, max_norm=0.5))
    norms = torch.stack([ascent.norms(perturbation) for perturbation in ascent.perturbations])
    assert norms.max() < 0.5 + 1e-5
    assert torch.allclose(norms[-1], torch.tensor(0.5), atol=1e-4)  # four steps of 0.3 would have left it


def test_the_random_start_is_of_one_size_whatever_the_length_and_follows_the_seed():
    settings = FreeLB(steps=1, start=0.5)
    starts = [Ascent("bert", settings, seed=seed).perturbations[0] for seed in (1, 1, 2)]
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])
    for start in starts:
        norms = start.flatten(1).norm(dim=1)
        assert norms.max() <= 0.5
        assert torch.allclose(norms, torch.tensor(0.5 / 3**0.5), rtol=0.15)  # of uniform noise, in many coordinates


def test_the_first_pass_is_in_the_ball_too():
    ascent = Ascent("bert", FreeLB(3, 0.1, start=1.0, max_norm=0.2))
    assert max(ascent.norms(perturbation).max() for perturbation in ascent.perturbations) < 0.2 + 1e-5
