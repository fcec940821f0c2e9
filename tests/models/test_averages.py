"""Averages of models by name: what they are the mean of, that their order does not matter, and what is refused."""

import csv
import itertools
import json
import shutil

import pytest
import torch
from safetensors.numpy import save_file

from robustprune import lab
from robustprune.base import hashing, paths
from robustprune.base.errors import ModelError
from robustprune.models import averaging, inference, loading
from robustprune.models import sources as model_sources
from robustprune.models.architectures import linear_layers
from robustprune.models.masks import packed
from robustprune.specs.prune import PruneSpec
from robustprune.specs.train import StartFrom, TrainSpec
from robustprune.texts import datasets
from tests.small_models import classifier

HEAD = paths.ASSETS / "models" / "heads" / "sst2"


def write_texts(folder, train=40, validation=12):
    """A data set of its own, of some of the demo reviews."""
    folder.mkdir(parents=True)
    for split, role, count in (("train", "calibration", train), ("validation", "evaluation", validation)):
        texts = datasets.load("demo-reviews", role).sample(count, 0)
        with open(folder / f"{split}.tsv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter="\t").writerows([("text", "label"), *zip(texts.texts, texts.labels, strict=True)])
    return str(folder)


def train_adapter(dataset, out, seed=0, held_out=8, rank=2):
    """A quick adapter on the head that ships; gives its name."""
    lab.train(dataset, out, TrainSpec(rank, rows=24, held_out=held_out, batch_size=8, seed=seed), StartFrom(HEAD))
    return str(out)


def save(folder, **settings):
    model, tokenizer = classifier(**settings)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def weights(name):
    return loading.load(model_sources.find(name)).model.state_dict()


def same(first, second):
    assert set(first) == set(second)
    return all(torch.equal(first[key], second[key]) for key in first)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Three small classifiers of one size, by name."""
    folder = tmp_path_factory.mktemp("small")
    return [save(folder / name, labels=2, seed=seed) for seed, name in enumerate("abc")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two adapters of different ranks on the head that ships."""
    folder = tmp_path_factory.mktemp("trained")
    dataset = write_texts(folder / "texts")
    return [train_adapter(dataset, folder / f"rank-{rank}", seed=rank, rank=rank) for rank in (2, 3)]


@pytest.fixture
def shipped(trained, tmp_path, monkeypatch):
    """A folder of models that ship: the two adapters as ingredients ``one`` and ``two``; no plain models and no baselines yet."""
    folder = tmp_path / "models"
    for name, source in zip(("one", "two"), trained, strict=True):
        shutil.copytree(source, folder / "ingredients" / name)
    monkeypatch.setattr(model_sources, "SHIPPED", folder)
    monkeypatch.setattr(model_sources, "INGREDIENTS", folder / "ingredients")
    monkeypatch.setattr(model_sources, "RETRAINED", folder / "baselines")
    return folder


def write_card(folder, **about):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.json").write_text(json.dumps({"name": folder.name, "dataset": "sst2", "labels": ["negative", "positive"], "sha256": {}, **about}))


# What an average is


def test_the_mean_of_a_model_with_itself_is_that_model(small, trained, tmp_path):
    for name in (small[0], trained[0]):
        mean = model_sources.find(f"mean:{name}*0.3+{name}")
        assert mean.digest == model_sources.find(name).digest
        assert same(loading.load(mean).model.state_dict(), weights(name))
    shutil.copytree(small[0], tmp_path / "copy")
    assert same(weights(f"mean:{small[0]}+{tmp_path / 'copy'}"), weights(small[0]))


def test_the_order_of_names_does_not_matter(small):
    for parts in (("{}", "{}", "{}"), ("{}*0.1", "{}*0.2", "{}*0.3")):
        named = [part.format(name) for part, name in zip(parts, small, strict=True)]
        sources = [model_sources.find("mean:" + "+".join(order)) for order in itertools.permutations(named)]
        assert len({source.digest for source in sources}) == 1
        first, *others = [loading.load(source).model.state_dict() for source in sources]
        assert all(same(first, other) for other in others)


def test_shares_are_those_that_were_asked_for(small):
    a, b = (weights(name) for name in small[:2])
    mean = weights(f"mean:{small[0]}*0.25+{small[1]}*0.75")
    assert set(mean) == set(a)
    for key, value in mean.items():
        assert torch.equal(value, (a[key].double() / 4 + b[key].double() * 3 / 4).float()), key
    assert not same(a, b)


def test_shares_are_normalised_and_those_of_one_name_add_up(small):
    a, b, _ = small
    source = model_sources.find(f"mean:{a}+{b}*3")
    assert sorted(share for _, share in source.parts) == [0.25, 0.75]
    assert source.digest == model_sources.find(f"mean:{a}*0.25 + {b}*0.75").digest == model_sources.find(f"mean:{b}*2+{a}+{b}").digest
    others = {model_sources.find(name).digest for name in (a, b, f"mean:{a}+{b}", f"mean:{a}*3+{b}")}
    assert len(others | {source.digest}) == 5


def test_an_average_is_known_by_its_models_not_by_where_they_lie(small, tmp_path):
    digests = set()
    for first, second in (small[:2], small[1::-1]):
        folder = tmp_path / str(len(digests))
        one, two = (shutil.copytree(source, folder / name) for source, name in ((first, "x"), (second, "y")))
        digests.add(model_sources.find(f"mean:{one}+{two}").digest)
        assert digests == {model_sources.find(f"mean:{small[0]}+{small[1]}").digest}


def test_an_average_keeps_the_name_that_it_was_asked_for_by(small):
    for name in (f"mean:{small[0]}+{small[1]}", f"mean:{small[1]}*0.123456789+{small[0]}"):
        assert lab.find_model(name).name == name


def test_an_average_is_for_reading_and_in_full_precision(small, tmp_path):
    model, tokenizer = classifier(labels=2, seed=7)
    model.to(torch.bfloat16).save_pretrained(tmp_path / "half")
    tokenizer.save_pretrained(tmp_path / "half")
    for names in (small[:2], [str(tmp_path / "half"), small[0]]):
        model = lab.load_model("mean:" + "+".join(names)).model
        assert not any(module.training for module in model.modules())
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        assert not any(parameter.requires_grad for parameter in model.parameters())


def test_averaging_leaves_the_ingredients_as_they_were(small):
    loaded = [lab.load_model(name).model.state_dict() for name in small[:2]]
    before = [{key: value.clone() for key, value in state.items()} for state in loaded]
    mean = lab.load_model(f"mean:{small[0]}*0.7+{small[1]}*0.3").model.state_dict()
    assert not same(mean, before[0])
    shares = zip((lab.load_model(name).model for name in small), (0.7, 0.3), strict=False)
    assert same(averaging.average(list(shares)).state_dict(), mean)
    assert all(same(state, kept) for state, kept in zip(loaded, before, strict=True))
    assert all(same(weights(name), kept) for name, kept in zip(small, before, strict=False))


def test_of_adapters_the_merged_weights_are_averaged(trained):
    merged, mean = [weights(name) for name in trained], weights("mean:" + "+".join(trained))
    for key, value in mean.items():
        assert torch.equal(value, ((merged[0][key].double() + merged[1][key].double()) / 2).float()), key
    query = "bert.encoder.layer.0.attention.self.query.weight"
    start = weights("sst2-demo")[query]
    assert mean[query].shape == start.shape
    assert (merged[0][query] - merged[1][query]).abs().max() > 1e-4


# What is refused


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("mean:{a}*0+{b}", "positive shares"), ("mean:{a}*-1+{b}*2", "positive shares"), ("mean:{a}*nan+{b}", "positive shares"),
        ("mean:{a}*inf+{b}", "positive shares"), ("mean:{a}*much+{b}", "'much' in .* is not a number"), ("mean:{a}*2*3", "'2\\*3' in .* is not a number"),
        ("mean:{a}+nobody", "No model is called 'nobody'"), ("mean:", "A model is missing"), ("mean:{a}++{b}", "A model is missing"),
        ("mean:{a}*1e308+{b}*1e308", "positive shares below"),
        ("mean:{a}+run:0123456789abcdef", "Export it"),
    ],
)  # fmt: skip
def test_a_wrong_average_is_refused_in_a_sentence(small, name, why):
    with pytest.raises(ModelError, match=why):
        model_sources.find(name.format(a=small[0], b=small[1]))


def test_models_of_other_classes_or_sizes_do_not_average(small, tmp_path):
    wide, three = save(tmp_path / "wide", labels=2, intermediate_size=96), save(tmp_path / "three", labels=3)
    with pytest.raises(ModelError, match=r"their classes are .*LABEL_2"):
        model_sources.find(f"mean:{small[0]}+{three}")
    with pytest.raises(ModelError, match="differ in architecture or size") as told:
        loading.load(model_sources.find(f"mean:{small[0]}+{wide}"))
    assert small[0] in str(told.value)
    assert wide in str(told.value)
    with pytest.raises(ModelError, match="differ in architecture or size"):
        loading.load(model_sources.find(f"mean:{small[0]}+{save(tmp_path / 'other', family='electra', labels=2)}"))


# What an average is good for


def test_an_average_is_measured_like_any_model(small):
    name, turned = f"mean:{small[0]}+{small[1]}*3", f"mean:{small[1]}*3+{small[0]}"
    texts = datasets.load("demo-reviews", "evaluation").sample(40, 0)
    one = lab.load_model(name)
    right = (inference.logits(one.model, one.tokenizer, texts.texts).argmax(-1) == torch.tensor(texts.labels)).float().mean()
    told = lab.evaluate(name, "demo-reviews", 40)
    assert (told.model, told.examples) == (name, 40)
    assert told.accuracy == pytest.approx(float(right))
    again = []
    assert lab.evaluate(turned, "demo-reviews", 40, progress=lambda *_: again.append(1)).accuracy == told.accuracy
    assert not again, "the same average by another name was measured anew"


def test_an_average_is_pruned_like_any_model(small):
    name = f"mean:{small[0]}+{small[1]}"
    run = lab.prune(PruneSpec(name, "demo-reviews", method="magnitude", adaptive="none", sparsity=0.5, calibration=16))
    assert run.report.sparsity == pytest.approx(0.5, abs=1e-3)
    dense, sparse = (dict(linear_layers(lab.load_model(one).model)) for one in (name, run.ref))
    for key, layer in sparse.items():
        kept = layer.weight != 0
        assert torch.equal(layer.weight[kept], dense[key].weight[kept]), key


def test_attention_of_an_average_is_of_its_weights(small):
    maps = lab.attention(f"mean:{small[0]}+{small[1]}*2", "a short and quiet film")
    assert maps.values.sum(-1) == pytest.approx(1, abs=1e-2)
    alone = lab.attention(small[0], "a short and quiet film")
    assert abs(maps.values - alone.values).max() > 1e-3


# Cards that name ingredients


def test_a_card_of_ingredients_is_their_average(shipped):
    write_card(shipped / "broth", ingredients=["two", "one"])
    assert (model_sources.built_in(), model_sources.ingredients(), model_sources.baselines()) == (["broth"], ["one", "two"], [])
    source, mean = model_sources.find("broth"), model_sources.find("mean:one+two")
    assert source.name == "broth"
    assert (source.digest, source.labels, source.dataset) == (mean.digest, mean.labels, mean.dataset)
    assert same(weights("broth"), weights("mean:one+two"))
    assert model_sources.card("broth")["ingredients"] == ["two", "one"]
    assert model_sources.card("one")["settings"]["rank"] == 2


def test_a_card_with_a_missing_ingredient_names_it(shipped):
    write_card(shipped / "broth", ingredients=["one", "salt"])
    with pytest.raises(ModelError, match="'salt'"):
        model_sources.find("broth")


def test_an_average_of_a_changed_ingredient_is_refused(shipped):
    write_card(shipped / "broth", ingredients=["one", "two"])
    model_sources.find("broth")
    path = shipped / "ingredients" / "two" / "adapter_model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    for name in ("broth", "two", "mean:two+one"):
        with pytest.raises(ModelError, match=r"'two' is damaged: adapter_model.safetensors .* Restore the folder"):
            model_sources.find(name)
    assert model_sources.find("one").digest


def test_a_mask_beside_an_adapter_is_applied_and_must_be_there(shipped):
    folder = shipped / "baselines" / "sparse"
    shutil.copytree(shipped / "ingredients" / "one", folder)
    dense = loading.load(model_sources.find("one")).model
    masks = {name: layer.weight.abs() > layer.weight.abs().median() for name, layer in linear_layers(dense)}
    save_file({name: packed(mask) for name, mask in masks.items()}, folder / "mask.safetensors")
    about = json.loads((folder / "card.json").read_text())
    about["sha256"]["mask.safetensors"] = hashing.of_file(folder / "mask.safetensors")
    (folder / "card.json").write_text(json.dumps(about))
    assert model_sources.baselines() == ["sparse"]
    assert model_sources.find("sparse").digest != model_sources.find("one").digest
    before = dict(linear_layers(dense))
    for name, layer in linear_layers(loading.load(model_sources.find("sparse")).model):
        assert torch.equal(layer.weight, before[name].weight * masks[name]), name
    (folder / "mask.safetensors").unlink()
    with pytest.raises(ModelError, match=r"mask.safetensors is missing .* Restore the folder"):
        model_sources.find("sparse")


@pytest.mark.parametrize(
    "content",
    [
        "{", "[]", "\x00", '{"name": "broth"}', '{"sha256": {}, "labels": null, "dataset": "sst2"}', '{"sha256": [], "labels": ["a"], "dataset": "sst2"}',
        *(f'{{"sha256": {{}}, "labels": ["a", "b"], "dataset": "sst2", "ingredients": {value}}}' for value in ("5", "[5]", "[]", '"one"', '["broth"]')),
    ],
)  # fmt: skip
def test_a_damaged_card_is_told_in_a_sentence(shipped, content):
    (shipped / "broth").mkdir()
    (shipped / "broth" / "card.json").write_text(content)
    with pytest.raises(ModelError):
        model_sources.find("broth")


def test_a_mask_that_the_card_does_not_name_changes_nothing(shipped):
    folder = shipped / "ingredients" / "one"
    before = weights("one")
    save_file(
        {name: packed(torch.zeros_like(layer.weight, dtype=torch.bool)) for name, layer in linear_layers(loading.load(model_sources.find("one")).model)},
        folder / "mask.safetensors",
    )
    assert same(weights("one"), before)


def test_a_recipe_loads_by_its_path(shipped, tmp_path, monkeypatch):
    write_card(tmp_path / "broth", ingredients=["one", "two"])
    monkeypatch.chdir(tmp_path)
    for name in ("broth", "./broth", str(tmp_path / "broth")):
        assert model_sources.find(name).digest == model_sources.find("mean:one+two").digest


def test_an_average_of_averages_is_refused(shipped):
    write_card(shipped / "broth", ingredients=["one", "stew"])
    write_card(shipped / "stew", ingredients=["broth", "two"])
    with pytest.raises(ModelError, match="'stew' is an average itself"):
        model_sources.find("broth")


def test_a_compressed_average_knows_nothing_of_where_it_was_made(small, tmp_path, monkeypatch):
    (tmp_path / "robustprune.json").write_text('{"dataset": "STRANGE"}')
    monkeypatch.chdir(tmp_path)
    lab.compress(f"mean:{small[0]}+{small[1]}", tmp_path / "out")
    assert "STRANGE" not in (tmp_path / "out" / "robustprune.json").read_text()
