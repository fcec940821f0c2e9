"""Soups: chosen by texts that no ingredient has seen, never attacked twice, and what is written is what was chosen."""

import csv
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from robustprune import lab
from robustprune.attacks.engine.attacker import Attacker
from robustprune.attacks.traces import journal
from robustprune.base import stores
from robustprune.base.errors import Cancelled, DataError, ModelError
from robustprune.lab import attacks, soups
from robustprune.models import sources
from robustprune.specs.attack import AttackSpec
from robustprune.specs.train import TrainSpec
from robustprune.texts import datasets
from robustprune.texts.datasets import Texts
from robustprune.training.greedy_soup import greedy
from robustprune.training.train import TrainingTexts
from tests.models.test_averages import save, train_adapter, write_texts
from tests.small_models import classifier

SPEC = AttackSpec("deepwordbug", query_budget=40)
HELD_OUT, EXAMPLES, CHOOSE_BY = 8, 5, 4


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """A folder with a data set, ``texts``, and two adapters that were trained on it, ``a`` and ``b``."""
    folder = tmp_path_factory.mktemp("kitchen")
    dataset = write_texts(folder / "texts")
    for seed, name in enumerate("ab"):
        train_adapter(dataset, folder / name, seed, HELD_OUT)
    return folder


@pytest.fixture(scope="module")
def names(kitchen):
    return [str(kitchen / name) for name in "ab"]


def soup(kitchen, names, **keywords):
    return lab.soup(str(kitchen / "texts"), names, **{"examples": EXAMPLES, "choose_by": CHOOSE_BY, "spec": SPEC, **keywords})


@pytest.fixture(scope="module")
def heard():
    """What the making of ``made`` told on the way: the steps so far."""
    return []


@pytest.fixture(scope="module")
def made(kitchen, names, heard):
    """The soup of the two, which the tests share."""
    return soup(kitchen, names, progress=lambda _done, _total, _text, partial=None: heard.append(partial))


@pytest.fixture(scope="module")
def of_all(kitchen, names):
    """A soup that both went into, whatever the attacks said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soups, "greedy", keep_all)
        return soup(kitchen, names, examples=2, choose_by=2)


def keep_all(names, taste, heard):
    """A greedy choice whose every step helps."""
    rank = {name: 1 - place / 10 for place, name in enumerate(names)}
    return greedy(names, lambda mixed: replace(taste(mixed), aua=rank[mixed[0]] if len(mixed) == 1 else 1.0), heard)


def constant(folder, label, lead):
    """A small model that always answers with one label, by that lead in logits; no attack can flip it. Its name."""
    model, tokenizer = classifier(labels=2)
    model.classifier.weight.zero_()
    model.classifier.bias.copy_(torch.tensor([0.0, lead] if label else [lead, 0.0]))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def attacked(monkeypatch):
    """The attacks that were really made: text, and number of models."""
    given, original = [], Attacker.attack

    def attack(self, text, label, place=None, which=None):
        given.extend([text] * (1 if which is None else len(which)))
        return original(self, text, label, place, which)

    monkeypatch.setattr(Attacker, "attack", attack)
    return given


@pytest.fixture
def shipped(names, tmp_path, monkeypatch):
    """A folder of models that ship, with the two adapters as ingredients."""
    folder = tmp_path / "models"
    for name in names:
        shutil.copytree(name, folder / "ingredients" / Path(name).name)
    for variable, place in (("SHIPPED", folder), ("INGREDIENTS", folder / "ingredients"), ("RETRAINED", folder / "baselines")):
        monkeypatch.setattr(sources, variable, place)
    return folder


# The texts that are chosen by


def test_the_choosing_texts_are_training_texts_that_no_ingredient_was_trained_on(kitchen, names):
    pool, unknown = soups.choosing_texts(names, str(kitchen / "texts"))
    assert (len(pool), pool.split, unknown) == (HELD_OUT, "train", ())
    whole, judged = (set(datasets.load(str(kitchen / "texts"), role).texts) for role in ("calibration", "evaluation"))
    assert set(pool.texts) < whole - judged
    for name in names:
        card = sources.card(name)
        trained = TrainingTexts.of(card["dataset"], TrainSpec.from_json(card["settings"]), tuple(card["labels"])).texts
        assert trained.digest == card["training"]["texts_sha256"]
        assert set(trained.texts).isdisjoint(pool.texts)


@pytest.mark.parametrize("spelled", ["{}", "{}/", "{}/../texts", "texts"])
def test_an_ingredient_that_was_trained_on_all_texts_is_refused_however_they_are_named(kitchen, tmp_path, monkeypatch, spelled):
    dataset = str(kitchen / "texts")
    greedy = train_adapter(dataset, tmp_path / "greedy", held_out=0)
    monkeypatch.chdir(kitchen)
    with pytest.raises(DataError, match=r"trained on all of .* Train it with --held-out"):
        soups.choosing_texts([greedy], spelled.format(dataset))


def test_ingredients_with_other_texts_held_out_are_refused(kitchen, names, tmp_path):
    fewer = train_adapter(str(kitchen / "texts"), tmp_path / "fewer", held_out=HELD_OUT // 2)
    with pytest.raises(DataError, match=r"Different numbers of texts .*\(4, 8\)"):
        soups.choosing_texts([*names, fewer], str(kitchen / "texts"))


def test_a_data_set_that_has_changed_since_the_training_is_refused(tmp_path):
    dataset = write_texts(tmp_path / "texts")
    name = train_adapter(dataset, tmp_path / "adapter")
    soups.choosing_texts([name], dataset)
    path = tmp_path / "texts" / "train.tsv"
    first, *rows = list(csv.reader(path.open(encoding="utf-8", newline=""), delimiter="\t"))
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([first, *rows[::-1]])
    with pytest.raises(DataError, match=r"adapter was trained on texts that differ from .* Train it again"):
        soups.choosing_texts([name], dataset)


def test_models_that_do_not_tell_what_they_were_trained_on_are_named(kitchen, names, tmp_path):
    stranger = save(tmp_path / "stranger", labels=2)
    pool, unknown = soups.choosing_texts([stranger], str(kitchen / "texts"))
    assert (len(pool), unknown) == (40, (stranger,))
    pool, unknown = soups.choosing_texts([names[0], stranger, f"mean:{names[0]}+{names[1]}"], str(kitchen / "texts"))
    assert (len(pool), unknown) == (HELD_OUT, (stranger, f"mean:{names[0]}+{names[1]}"))


# The choice


def test_every_step_is_what_the_attacks_say(kitchen, names, made):
    pool = soups.choosing_texts(names, str(kitchen / "texts"))[0].sample(CHOOSE_BY, SPEC.seed)

    def aua(*mixed):
        name = mixed[0] if len(mixed) == 1 else "mean:" + "+".join(mixed)
        return attacks.attack_sample([name], pool, SPEC)[0].scores.aua.value

    assert sorted(step.name for step in made.steps) == sorted(names)
    assert [step.alone.aua for step in made.steps] == sorted((aua(name) for name in names), reverse=True)
    kept = []
    for step in made.steps:
        assert step.alone.aua == aua(step.name)
        assert step.together.aua == aua(*kept, step.name)
        assert step.kept == (not kept or step.together.aua >= aua(*kept))
        kept += [step.name] if step.kept else []
    assert made.kept == kept
    assert made.chosen_by == {"dataset": str(kitchen / "texts"), "split": "train", "examples": CHOOSE_BY, "texts_sha256": pool.digest}


def test_a_soup_is_reported_on_evaluation_texts_beside_its_ingredients(kitchen, names, made):
    runs = {one.model: one for one in lab.attack_texts([*names, made.model], str(kitchen / "texts"), EXAMPLES, SPEC)}
    assert set(made.reported) == {*names, made.model}
    assert all(made.reported[name] == one.scores.to_json() for name, one in runs.items())
    assert made.evaluated_on["split"] == "validation"
    assert set(made.comparisons) == set(names)
    for name, one in made.comparisons.items():
        assert one["aua_difference"] == pytest.approx(runs[made.model].scores.aua.value - runs[name].scores.aua.value)


def test_the_json_tells_of_every_ingredient_and_of_the_soup(kitchen, names, made):
    def accuracy(name):
        return lab.evaluate(name, str(kitchen / "texts")).accuracy

    told = json.loads(json.dumps(made.to_json()))
    assert sorted(one["name"] for one in told["ingredients"]) == sorted(names)
    for one in told["ingredients"]:
        assert (one["accuracy"], one["aua"]) == (accuracy(one["name"]), made.reported[one["name"]]["aua"])
        assert one["kept"] == (one["name"] in made.kept)
    assert (told["accuracy"], told["aua"]) == (accuracy(made.model), made.reported[made.model]["aua"])
    assert AttackSpec.from_json(told["settings"]) == SPEC
    assert soups.as_soup(stores.store().get("soups", told["digest"])) == made


def test_a_soup_that_keeps_several_is_their_average(kitchen, names, of_all):
    assert of_all.kept == names
    assert of_all.model == "mean:" + "+".join(names)
    assert lab.find_model(of_all.model).digest == sources.find_average(dict.fromkeys(names, 1.0)).digest
    assert set(of_all.reported) == {*names, of_all.model}
    (again,) = attacks.attack_sample([of_all.model], datasets.load(str(kitchen / "texts"), "evaluation").sample(2, 0), SPEC)
    assert of_all.to_json()["aua"] == again.scores.aua.value


@pytest.mark.parametrize("stronger", [0, 1])
def test_an_ingredient_goes_in_only_where_the_average_is_no_less_robust(kitchen, tmp_path, stronger):
    by_label = {label: constant(tmp_path / str(label), label, 5.0 if label == stronger else 3.0) for label in (0, 1)}
    run = soup(kitchen, list(by_label.values()), choose_by=5)
    chosen, judged = (datasets.load(str(kitchen / "texts"), role).sample(5, SPEC.seed).labels for role in ("calibration", "evaluation"))
    best = max((0, 1), key=chosen.count)
    assert [step.name for step in run.steps] == [by_label[best], by_label[1 - best]]
    assert [step.alone.aua for step in run.steps] == [chosen.count(best) / 5, chosen.count(1 - best) / 5]
    assert run.steps[1].together.aua == chosen.count(stronger) / 5
    assert len(run.kept) == (2 if best == stronger else 1)
    soup_label = stronger if best == stronger else best
    assert run.reported[run.model]["aua"] == judged.count(soup_label) / 5
    for label, name in by_label.items():
        assert run.comparisons[name]["aua_difference"] == pytest.approx((judged.count(soup_label) - judged.count(label)) / 5)
    assert run.unknown == tuple(by_label.values())


# Nothing is done twice


def test_a_soup_is_kept_and_comes_back_at_once(kitchen, names, made, monkeypatch):
    def refuse(*_arguments, **_keywords):
        raise AssertionError("something was attacked")

    monkeypatch.setattr(attacks, "attack_sample", refuse)
    told = []
    assert soup(kitchen, names, progress=lambda *_: told.append(1)) == made
    assert not told
    assert made in lab.all_soups()
    for other in ({"choose_by": CHOOSE_BY + 1}, {"examples": EXAMPLES + 1}, {"spec": replace(SPEC, query_budget=41)}):
        with pytest.raises(AssertionError, match="something was attacked"):
            soup(kitchen, names, **other)


def test_a_stored_soup_speaks_of_its_ingredients_by_the_names_that_were_asked_for(kitchen, names, made, tmp_path):
    moved = [str(shutil.copytree(name, tmp_path / Path(name).name)) for name in names]
    again = soup(kitchen, moved)
    assert sorted(step.name for step in again.steps) == sorted(moved)
    assert [step.kept for step in again.steps] == [step.kept for step in made.steps]


def test_a_cancelled_soup_goes_on_where_it_stopped(kitchen, names, made, empty_home, attacked):
    cancel = threading.Event()

    def progress(done, _total, _text, _partial=None):
        if done >= 2:
            cancel.set()

    with pytest.raises(Cancelled):
        soup(kitchen, names, progress=progress, cancel=cancel)
    before = sum(len(list(journal.read(path))) for path in (empty_home / "journals").glob("*.jsonl"))
    assert 2 * len(names) <= before < CHOOSE_BY * len(names)
    assert all(one.shipped for one in lab.all_soups())  # nothing half-done was kept
    attacked.clear()
    again = soup(kitchen, names)
    tasted = len(names) + 1  # each alone, and their average
    assert len(attacked) == CHOOSE_BY * tasted - before + EXAMPLES * len(made.reported)
    assert (again.steps, again.kept, again.digest) == (made.steps, made.kept, made.digest)


def test_progress_tells_the_steps_so_far(made, heard):
    assert heard[0] == []
    assert heard[-1] == list(made.steps)
    assert all(list(made.steps[: len(partial)]) == partial for partial in heard)


# What is refused


def test_without_ingredients_it_says_what_to_do(shipped):
    with pytest.raises(ModelError, match=r"No ingredients ship for 'demo-news'. Train some and name them"):
        lab.soup("demo-news")


def test_a_name_that_could_not_be_told_apart_is_refused_before_anything_is_attacked(kitchen, names, tmp_path, empty_home, attacked):
    shutil.copytree(names[1], tmp_path / "b+c")
    with pytest.raises(ModelError, match=r"'.*b\+c' holds a \+ or a \*, .* Rename the folder"):
        soup(kitchen, [names[0], str(tmp_path / "b+c")], choose_by=2)
    assert not attacked


def test_ingredients_that_do_not_average_are_refused_before_anything_is_attacked(kitchen, names, tmp_path, empty_home, attacked):
    with pytest.raises(ModelError, match="cannot be averaged"):
        soup(kitchen, [names[0], save(tmp_path / "small", labels=2)], choose_by=2)
    assert not attacked


# What is written


def test_the_exported_soup_loads_by_itself_and_is_the_average(kitchen, names, of_all, tmp_path):
    out = lab.export_average(of_all, tmp_path / "out")
    loaded, mean = AutoModelForSequenceClassification.from_pretrained(out), lab.load_model("mean:" + "+".join(names))
    state = loaded.state_dict()
    assert set(state) == set(mean.model.state_dict())
    assert all(torch.equal(state[key], value) for key, value in mean.model.state_dict().items())
    assert AutoTokenizer.from_pretrained(out)("A quiet film.")["input_ids"] == mean.tokenizer("A quiet film.")["input_ids"]
    assert loaded.config.id2label == {0: "negative", 1: "positive"}
    assert json.loads((out / "soup.json").read_text()) == json.loads(json.dumps(of_all.to_json()))
    assert lab.find_model(str(out)).dataset == str(kitchen / "texts")
    with pytest.raises(ModelError, match="not empty"):
        lab.export_average(of_all, out)


def test_a_soup_of_what_ships_is_written_as_a_recipe(kitchen, of_all, shipped, monkeypatch):
    monkeypatch.setattr(soups, "greedy", keep_all)
    run = soup(kitchen, None, examples=2, choose_by=2)
    assert run.kept == ["a", "b"]
    out = lab.write_recipe(run, shipped / "broth", "the command")
    assert [path.name for path in out.iterdir()] == ["card.json"]
    source = lab.find_model("broth")
    assert (source.digest, source.labels) == (lab.find_model(of_all.model).digest, ("negative", "positive"))
    about = sources.card("broth")
    assert (about["name"], about["ingredients"], about["command"], about["soup"]) == ("broth", run.kept, "the command", run.digest)
    assert (about["scores"]["accuracy"], about["scores"]["under_attack"]["aua"]) == (run.to_json()["accuracy"], run.to_json()["aua"])


def test_a_recipe_with_strangers_is_refused(made, shipped, tmp_path):
    with pytest.raises(ModelError, match=r"does not ship with the program, .* Export the model instead"):
        lab.write_recipe(made, tmp_path / "recipe", "the command")
    assert not (tmp_path / "recipe").exists()


# Attacks on texts that are given


def test_given_texts_are_attacked_as_they_are_and_once(names, empty_home, attacked, tmp_path):
    texts = Texts("mine", "file", "train", ("a gripping and beautifully acted film", "dull from start to finish"), (1, 0))
    runs = attacks.attack_sample([names[0], names[1], names[0]], texts, SPEC, out=tmp_path / "traces.jsonl")
    assert [one.model for one in runs] == names[:2]
    assert all(tuple(result.text for result in one.results) == texts.texts for one in runs)
    assert len(attacked) == len(list(journal.read(tmp_path / "traces.jsonl"))) == 4
    (again,) = attacks.attack_sample([names[1]], texts, SPEC)
    assert again.results == runs[1].results
    assert len(attacked) == 4


def test_one_model_under_two_names_is_attacked_under_both(names, empty_home, tmp_path):
    shutil.copytree(names[0], tmp_path / "twin")
    texts = Texts("mine", "file", "train", ("a gripping and beautifully acted film", "dull from start to finish"), (1, 0))
    one, twin = attacks.attack_sample([names[0], str(tmp_path / "twin")], texts, SPEC)
    assert [(result.perturbed, result.outcome) for result in one.results] == [(result.perturbed, result.outcome) for result in twin.results]
