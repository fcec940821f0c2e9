"""Training of a head and of an adapter, on a few texts."""

import json

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from robustprune import data, hashing, inference, models
from robustprune.errors import DataError
from robustprune.training import finetune

LABELS = ("negative", "positive")


def silent(*_):
    pass


@pytest.fixture(scope="module")
def texts():
    return data.load("demo-reviews", "calibration").sample(64, 0)


@pytest.fixture(scope="module")
def head(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("head")
    finetune.save_head(finetune.train_head(texts, LABELS, finetune.Settings(epochs=20, rank=0), silent), folder)
    return folder


@pytest.fixture(scope="module")
def adapter(head, texts):
    return finetune.train_adapter(head, texts, LABELS, finetune.Settings(epochs=1), silent)


def test_the_head_learns_and_leaves_the_backbone_alone(head, texts):
    model = backbone.new_classifier(LABELS)
    weights = load_file(head / "head.safetensors")
    assert set(weights) == {f"{module}.{kind}" for module in finetune.HEAD_MODULES for kind in ("weight", "bias")}
    before = (inference.logits(model, backbone.tokenizer(), texts.texts).argmax(-1) == torch.tensor(texts.labels)).float().mean()
    model.load_state_dict(weights, strict=False)
    after = (inference.logits(model, backbone.tokenizer(), texts.texts).argmax(-1) == torch.tensor(texts.labels)).float().mean()
    assert after > max(0.75, float(before))


def test_an_adapter_is_small_and_comes_back_as_it_was(adapter, texts, tmp_path):
    finetune.save_adapter(adapter, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert (tmp_path / "adapter_model.safetensors").stat().st_size < 3e6
    loaded = PeftModel.from_pretrained(backbone.new_classifier(LABELS), tmp_path).merge_and_unload().eval()
    tokenizer = backbone.tokenizer()
    assert torch.allclose(inference.logits(loaded, tokenizer, texts.texts), inference.logits(adapter, tokenizer, texts.texts), atol=1e-4)


def test_an_adapter_changes_the_encoder_and_not_the_embeddings(adapter):
    trained = {name for name, parameter in adapter.named_parameters() if parameter.requires_grad}
    assert any("lora" in name and "query" in name for name in trained)
    assert not any("embeddings" in name for name in trained)


def test_a_card_names_what_was_trained_and_the_files(adapter, texts, tmp_path):
    finetune.save_adapter(adapter, tmp_path)
    scores = {"split": "validation", "examples": 10, "accuracy": 0.9}
    finetune.write_card(tmp_path, name="x", train=texts, labels=LABELS, settings=finetune.Settings(), command="c", scores=scores, seconds=1.0)
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["training"]["texts_sha256"] == texts.digest
    assert all(hashing.of_file(tmp_path / name) == value for name, value in card["sha256"].items())


def test_another_data_set_is_refused():
    with pytest.raises(DataError, match="sst2, ag_news"):
        finetune.labels_of("demo-reviews")


def test_batches_hold_every_text_once_and_texts_of_like_length():
    import random

    lengths = [random.Random(0).randint(3, 60) for _ in range(1000)]
    batches = list(finetune._shuffled_batches(lengths, 32, random.Random(0)))
    assert sorted(row for batch in batches for row in batch) == list(range(1000))
    spread = [max(lengths[row] for row in batch) - min(lengths[row] for row in batch) for batch in batches]
    assert sum(spread) / len(spread) < 5
