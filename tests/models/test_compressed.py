"""The compressed folder: what comes back, what it weighs, and that damage is refused."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from robustprune.base.errors import ModelError
from robustprune.models import compressed, inference
from robustprune.models.architectures import linear_layers
from tests.small_models import ALL_FAMILIES, TEXTS, classifier

HEADER = {"format": "robustprune-compressed", "version": "1"}
WEIGHT = "bert.encoder.layer.0.attention.self.query.weight"


def prune(model, sparsity=0.5):
    """Sets random weights of every pruned layer to zero, in place."""
    for _, layer in linear_layers(model):
        layer.weight.data *= torch.rand_like(layer.weight) >= sparsity


def pruned(family="bert", sparsity=0.5):
    """A pruned classifier none of whose tensors is all zeros or all ones, and its tokenizer."""
    model, tokenizer = classifier(family)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    prune(model, sparsity)
    return model, tokenizer


def weights(model):
    return {name: layer.weight for name, layer in linear_layers(model)}


@pytest.fixture
def folder(tmp_path):
    compressed.write(tmp_path, *pruned())
    return tmp_path


def rewrite(folder, change, header=HEADER):
    """Changes the tensors of the file in place by ``change(tensors)`` and writes them with this header."""
    tensors = load_file(folder / compressed.FILE)
    change(tensors)
    save_file(tensors, folder / compressed.FILE, metadata=header)


def refused(folder, match):
    with pytest.raises(ModelError, match=match):
        compressed.load(folder)


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_every_family_comes_back_in_half_precision(family, tmp_path):
    model, tokenizer = pruned(family)
    compressed.write(tmp_path, model, tokenizer)
    loaded = compressed.load(tmp_path)
    assert type(loaded) is type(model)
    assert list(loaded.state_dict()) == list(model.state_dict())
    for name, value in loaded.state_dict().items():
        assert value.dtype == torch.float32, name
        assert torch.equal(value, model.state_dict()[name].half().float()), name


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_every_family_decides_as_before(family, tmp_path):
    model, tokenizer = pruned(family)
    compressed.write(tmp_path, model, tokenizer)
    before = inference.logits(model, tokenizer, TEXTS)
    after = inference.logits(compressed.load(tmp_path), AutoTokenizer.from_pretrained(tmp_path), TEXTS)
    assert torch.allclose(after, before, atol=1e-2 * float(before.abs().max()))


def test_the_loaded_model_is_for_reading(folder):
    model = compressed.load(folder)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.config._attn_implementation == "eager"


def test_the_zeros_are_exactly_those_of_the_mask(tmp_path):
    model, tokenizer = pruned()
    compressed.write(tmp_path, model, tokenizer)
    for name, weight in weights(compressed.load(tmp_path)).items():
        assert torch.equal(weight != 0, weights(model)[name] != 0), name


def test_what_half_precision_rounds_to_zero_is_left_out(tmp_path):
    model, tokenizer = pruned()
    weights(model)["block.0.output.dense"].fill_(1e-9)
    compressed.write(tmp_path, model, tokenizer)
    assert not weights(compressed.load(tmp_path))["block.0.output.dense"].any()
    assert load_file(tmp_path / compressed.FILE)["bert.encoder.layer.0.output.dense.weight.values"].numel() == 0


def test_inputs_that_fill_no_whole_byte_come_back(tmp_path):
    config = AutoConfig.for_model("bert", vocab_size=30522, hidden_size=20, intermediate_size=27, num_hidden_layers=1, num_attention_heads=2)
    model = AutoModelForSequenceClassification.from_config(config)
    prune(model)
    compressed.write(tmp_path, model, classifier()[1])
    for name, weight in weights(compressed.load(tmp_path)).items():
        assert torch.equal(weight, weights(model)[name].half().float()), name


def test_numbers_too_large_for_half_precision_survive(tmp_path):
    model, tokenizer = pruned()
    weights(model)["block.0.intermediate.dense"][0, 0] = 1e5
    model.classifier.bias[0] = -1e6
    compressed.write(tmp_path, model, tokenizer)
    loaded = compressed.load(tmp_path)
    assert weights(loaded)["block.0.intermediate.dense"][0, 0] == 1e5
    assert loaded.classifier.bias[0] == -1e6


def test_tied_weights_are_stored_once(tmp_path):
    model, tokenizer = pruned()
    model.classifier.register_parameter("tied", model.classifier.weight)
    compressed.write(tmp_path, model, tokenizer)
    assert "classifier.tied" not in load_file(tmp_path / compressed.FILE)
    assert torch.equal(compressed.load(tmp_path).classifier.weight, model.classifier.weight.half().float())


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.9, 1.0])
def test_pruned_layers_take_their_masks_and_two_bytes_a_kept_weight(sparsity, tmp_path):
    model, tokenizer = pruned(sparsity=sparsity)
    sizes = compressed.write(tmp_path, model, tokenizer)
    every = weights(model).values()
    assert sizes.pruned_dense_bytes == sum(4 * weight.numel() for weight in every)
    assert sizes.pruned_compressed_bytes == sum(weight.numel() // 8 + 2 * int(weight.count_nonzero()) for weight in every)


def test_the_sizes_are_those_of_the_files(tmp_path):
    model, tokenizer = pruned()
    sizes = compressed.write(tmp_path, model, tokenizer)
    numbers = sum(value.numel() for value in model.state_dict().values())
    in_tensors = sum(value.nbytes for value in load_file(tmp_path / compressed.FILE).values())
    assert sizes.dense_bytes == 2 * sizes.half_bytes == 4 * numbers
    assert sizes.compressed_bytes == (tmp_path / compressed.FILE).stat().st_size
    assert in_tensors == sizes.half_bytes - sizes.pruned_dense_bytes // 2 + sizes.pruned_compressed_bytes
    assert sizes.compressed_bytes - in_tensors < 20_000, "the header is small"
    assert json.loads(json.dumps(sizes.to_json()))["dense_bytes"] == sizes.dense_bytes


def test_the_header_names_format_and_version(folder):
    with safe_open(folder / compressed.FILE, framework="pt") as file:
        assert file.metadata() == HEADER


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_not_written(number, tmp_path):
    model, tokenizer = pruned()
    weights(model)["block.1.output.dense"][0, 0] = number
    with pytest.raises(ModelError, match=r"layer\.1\.output\.dense\.weight hold NaN or infinite"):
        compressed.write(tmp_path, model, tokenizer)


@pytest.mark.parametrize("header", [None, {"format": "pt"}, {**HEADER, "version": "2"}, {"format": HEADER["format"]}])
def test_another_format_or_version_is_refused(header, folder):
    rewrite(folder, lambda tensors: None, header)
    refused(folder, "format|version")


@pytest.mark.parametrize("keep", [0, 7, 100, 0.5, -1])
def test_a_truncated_file_is_refused(keep, folder):
    path = folder / compressed.FILE
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    refused(folder, "cannot be read")


def test_a_missing_file_is_refused(folder):
    (folder / compressed.FILE).unlink()
    refused(folder, "There is no compressed.safetensors")


def flip_a_bit(tensors):
    tensors[f"{WEIGHT}.mask"][3, 1] ^= 16


def drop_a_value(tensors):
    tensors[f"{WEIGHT}.values"] = tensors[f"{WEIGHT}.values"][1:].clone()


def zero_a_value(tensors):
    tensors[f"{WEIGHT}.values"][5] = 0


def widen_a_mask(tensors):
    tensors[f"{WEIGHT}.mask"] = torch.nn.functional.pad(tensors[f"{WEIGHT}.mask"], (0, 1))


def retype_a_mask(tensors):
    tensors[f"{WEIGHT}.mask"] = tensors[f"{WEIGHT}.mask"].int()


def retype_values(tensors):
    tensors[f"{WEIGHT}.values"] = tensors[f"{WEIGHT}.values"].bfloat16()


def rename(tensors):
    tensors["renamed"] = tensors.pop("classifier.bias")


def lose_a_mask(tensors):
    del tensors[f"{WEIGHT}.mask"]


def add(tensors):
    tensors["added"] = torch.zeros(1)


def store_a_pruned_layer_whole(tensors):
    tensors[WEIGHT] = torch.zeros(32, 32)


def transpose(tensors):
    tensors["classifier.weight"] = tensors["classifier.weight"].T.contiguous()


def retype(tensors):
    tensors["classifier.bias"] = tensors["classifier.bias"].int()


def infinite_value(tensors):
    tensors[f"{WEIGHT}.values"][0] = float("inf")


def nan_elsewhere(tensors):
    tensors["bert.embeddings.LayerNorm.weight"][0] = float("nan")


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (flip_a_bit, "fits the model and the mask"),
        (drop_a_value, "fits the model and the mask"),
        (zero_a_value, "holds zeros"),
        (widen_a_mask, "has the shape"),
        (retype_a_mask, "is of the type torch.int32"),
        (retype_values, "is of the type torch.bfloat16"),
        (rename, "lacks classifier.bias"),
        (lose_a_mask, "lacks .*query.weight.mask"),
        (add, "holds added"),
        (store_a_pruned_layer_whole, "holds .*query.weight"),
        (transpose, "has the shape"),
        (retype, "is of the type torch.int32"),
        (infinite_value, "NaN or infinite"),
        (nan_elsewhere, "NaN or infinite"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_damage_is_refused(damage, match, folder):
    rewrite(folder, damage)
    refused(folder, match)


def test_a_mask_that_keeps_what_is_no_input_is_refused(tmp_path):
    config = AutoConfig.for_model("bert", vocab_size=30522, hidden_size=20, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
    compressed.write(tmp_path, AutoModelForSequenceClassification.from_config(config), classifier()[1])

    def set_the_last_bit(tensors):
        tensors[f"{WEIGHT}.mask"][0, 2] |= 1

    rewrite(tmp_path, set_the_last_bit)
    refused(tmp_path, "beyond the last input")


def reconfigure(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **settings}), encoding="utf-8")


@pytest.mark.parametrize("settings", [{"hidden_size": 64}, {"num_hidden_layers": 3}, {"num_hidden_layers": 1}, {"vocab_size": 100}])
def test_a_configuration_of_another_size_is_refused(settings, folder):
    reconfigure(folder, **settings)
    refused(folder, "has the shape|lacks|does not have")


@pytest.mark.parametrize("settings", [{"model_type": "gpt2"}, {"model_type": "unheard-of"}, {"hidden_size": 33}, {"hidden_size": "wide"}])
def test_a_configuration_that_makes_no_classifier_is_refused(settings, folder):
    reconfigure(folder, **settings)
    refused(folder, "the architectures that can be pruned are|No model can be made")


@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_a_missing_or_damaged_configuration_is_refused(content, folder):
    (folder / "config.json").unlink()
    if content is not None:
        (folder / "config.json").write_text(content, encoding="utf-8")
    refused(folder, "No model can be made from config.json")


def test_a_configuration_in_half_precision_still_loads_in_full(folder):
    reconfigure(folder, dtype="float16")
    assert all(value.dtype == torch.float32 for value in compressed.load(folder).state_dict().values())
