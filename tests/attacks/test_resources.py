"""What attacks stand on: synonyms, encoders, which of them are used, and what the import of TextAttack leaves behind."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from robustprune.attacks.engine import library
from robustprune.attacks.resources import downloads, loading, names, synonyms
from robustprune.attacks.resources.encoder import USE_ADDRESS, no_check, universal_sentence_encoder
from robustprune.attacks.resources.names import MIN_COSINE, describe, missing
from robustprune.attacks.traces.changes import Word
from robustprune.base.errors import ModelError, ResourceMissing
from robustprune.base.progress import silent
from robustprune.specs.attack import AttackSpec
from tests.small_models import classifier as small_classifier


def test_the_encoder_answers_the_same_from_memory():
    texts = ["a good film", "a bad film", "a good film"]
    encoder = loading.sentence_encoder()
    first = encoder.encode(texts)
    assert (encoder.encode(texts) == first).all()
    assert (first[0] == first[2]).all()
    assert encoder.similarities(texts, [texts[0]] * 3) == pytest.approx([1.0, float(first[0] @ first[1]), 1.0])
    assert encoder.similarities([], []) == []


def test_the_encoder_of_the_first_layers_ends_there_and_leaves_the_whole_one_whole():
    whole = loading.sentence_encoder()
    text = ["the film is a gripping story"]
    before, short = whole.encode(text), whole.first_layers(3)
    ids = whole._tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        layers = whole._model(**ids, output_hidden_states=True).hidden_states
    expected = torch.nn.functional.normalize(layers[3].mean(1), dim=1)
    assert torch.allclose(short.encode(text), expected, atol=1e-6)
    whole.forget()
    assert torch.equal(whole.encode(text), before)
    assert len(whole._model.encoder.layer) == 6


@pytest.fixture(scope="module")
def neighbours():
    return synonyms.of_minilm(loading.sentence_encoder(), silent)


@pytest.mark.parametrize(("word", "expected"), [("great", "wonderful"), ("terrible", "horrible"), ("film", "movie")])
def test_neighbours_are_related_words(neighbours, word, expected):
    found = dict(neighbours.of(word))
    assert found[expected] >= MIN_COSINE
    assert word not in found
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_damaged_synonym_cache_is_made_anew(neighbours, offline_home):
    (path,) = (offline_home / "resources").glob("synonyms-*.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:1000])
    again = synonyms.of_minilm(loading.sentence_encoder(), silent)
    assert (again.neighbours == neighbours.neighbours).all()
    assert path.stat().st_size == len(content)


def test_importing_textattack_leaves_the_process_as_it_was():
    before, handlers = dict(os.environ), list(logging.getLogger().handlers)
    library.textattack()
    assert dict(os.environ) == before
    assert logging.getLogger().handlers == handlers


def test_a_fresh_process_imports_textattack_silently_and_without_downloads(tmp_path):
    code = "import os; before = dict(os.environ); from robustprune.attacks.engine import library; library.textattack(); assert dict(os.environ) == before"
    environment = {**os.environ, "HOME": str(tmp_path), "NLTK_DATA": str(tmp_path / "none")}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert "ownload" not in result.stdout + result.stderr


def pairs_of(source, word):
    return [one.word for one in source.offers(word, (Word(word, 0, len(word)),), 0, word)]


def test_pairs_are_taken_either_way_round(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("good fine\nfine nice\n\nGood great\n", encoding="utf-8")
    pairs = synonyms.Pairs(path)
    assert pairs_of(pairs, "good") == ["fine", "great"]
    assert pairs_of(pairs, "Fine") == ["good", "nice"]
    assert pairs_of(pairs, "film") == []
    spec = AttackSpec(synonyms=str(path))
    assert pairs_of(loading.load(spec, silent).synonyms, "nice") == ["fine"]
    assert "pairs of pairs.txt" in describe(spec).synonyms


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path):
    (tmp_path / "pairs.txt").write_bytes(b"\xef\xbb\xbfgood fine\r\nwarm cosy\r\n")
    assert pairs_of(synonyms.Pairs(tmp_path / "pairs.txt"), "good") == ["fine"]


@pytest.mark.parametrize(("content", "said"), [(b"good fine bad\n", "Line 1"), (b"", "no synonym pairs"), (b"\xff\xfe", "cannot be read")])
def test_a_file_that_is_no_list_of_pairs_is_refused(tmp_path, content, said):
    path = tmp_path / "pairs.txt"
    path.write_bytes(content)
    with pytest.raises(ResourceMissing, match=said):
        synonyms.Pairs(path)


def test_what_is_missing_is_told_with_how_to_get_it_and_what_is_used_instead():
    told = {str(one.name): one for one in missing(AttackSpec())}
    assert told["counter-fitted vectors"].instead
    assert "resources --get" in told["NLTK's tagger"].how
    assert missing(AttackSpec(resources="built-in")) == []
    assert missing(AttackSpec("pwws")) == []


@pytest.mark.parametrize("spec", [AttackSpec("bert-attack"), AttackSpec("bae"), AttackSpec(synonyms="/nowhere/pairs.txt")])
def test_what_cannot_run_says_so_before_anything_is_loaded(spec):
    with pytest.raises(ResourceMissing):
        loading.load(spec, lambda *_now: pytest.fail("something was loaded"))


def test_names_tell_only_what_a_recipe_uses():
    assert describe(AttackSpec("deepwordbug")).to_json() == {
        "set": "built-in", "synonyms": "", "word_classes": "", "similarity": "", "stop_words": "scikit-learn", "other": "",
    }  # fmt: skip
    assert describe(AttackSpec()).stop_words == "TextFooler"


def test_published_resources_are_taken_where_they_are_and_left_where_the_built_in_are_asked_for(monkeypatch):
    monkeypatch.setattr(names, "has_tagger", lambda: True)
    assert describe(AttackSpec()).word_classes == "NLTK perceptron tagger"
    assert describe(AttackSpec()).set == "mixed"
    assert describe(AttackSpec(resources="built-in")).set == "built-in"
    assert describe(AttackSpec(), anywhere=True).set == "built-in"


def test_counter_fitted_vectors_are_read_and_their_neighbours_kept(empty_home, monkeypatch):
    path = empty_home / "counter-fitted-vectors.txt"
    path.parent.mkdir(parents=True)
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(80, 5))
    vectors[1] = vectors[0] + 0.01
    path.write_text("".join(f"w{i} {' '.join(f'{x:.6f}' for x in row)}\n" for i, row in enumerate(vectors)), encoding="utf-8")
    monkeypatch.setattr(downloads, "installed", lambda name: path)
    with pytest.raises(ResourceMissing, match="80 vectors of 5 numbers"):
        synonyms.of_counter_fitted(silent)
    monkeypatch.setattr(synonyms, "COUNTER_FITTED_SHAPE", (80, 5))
    found = synonyms.of_counter_fitted(silent)
    assert found.of("w0")[0][0] == "w1"
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1)
    assert (synonyms.of_counter_fitted(silent).neighbours == found.neighbours).all()
    assert list((empty_home / "resources").glob("counter-fitted-*.safetensors"))


def test_the_universal_sentence_encoder_is_asked_through_tensorflow_hub(monkeypatch):
    def load(address):
        assert address == USE_ADDRESS
        return lambda texts: {"outputs": torch.tensor([[float(len(text)), 1.0] for text in texts])}

    monkeypatch.setitem(sys.modules, "tensorflow_hub", SimpleNamespace(load=load))
    assert universal_sentence_encoder()(["ab", "abc"], no_check).tolist() == [[2.0, 1.0], [3.0, 1.0]]


@pytest.fixture(scope="module")
def masked_lm(tmp_path_factory):
    """A random masked language model with MiniLM's vocabulary."""
    from transformers import BertConfig, BertForMaskedLM

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("masked")
    BertForMaskedLM(BertConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2)).save_pretrained(folder)
    small_classifier(labels=2)[1].save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("recipe", ["bert-attack", "bae"])
def test_recipes_with_a_masked_language_model_run_when_one_is_given(recipe, masked_lm):
    from robustprune import lab
    from robustprune.attacks.engine.attacker import Attacker

    spec = AttackSpec(recipe, masked_lm=masked_lm, query_budget=80)
    loaded = loading.load(spec, silent)
    assert "SHA-256" in loaded.names.other
    (trace,) = Attacker([lab.load_model("sst2-demo")], loaded, spec, lambda _trace: None).attack("a gripping and beautifully acted film", 1)
    assert trace.outcome in ("flipped", "held")
    assert trace.queries > 5


def test_a_masked_language_model_that_is_none_is_refused(tmp_path):
    for name in (str(tmp_path), "nobody/nothing"):
        with pytest.raises((ResourceMissing, ModelError), match="cannot be loaded"):
            loading.load(AttackSpec("bae", masked_lm=name), silent)


def _damaged(folder):
    (folder / "model.safetensors").write_bytes(b"\0" * 100)


def _without_its_head(folder):
    tensors = load_file(folder / "model.safetensors")
    save_file({name: tensor for name, tensor in tensors.items() if not name.startswith("cls")}, folder / "model.safetensors", {"format": "pt"})


def _with_nan(folder):
    tensors = load_file(folder / "model.safetensors")
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(("harm", "told"), [(_damaged, "cannot be read"), (_without_its_head, "lacks the weights cls"), (_with_nan, "NaN")])
def test_a_masked_language_model_that_is_damaged_is_refused_with_a_sentence(masked_lm, tmp_path, monkeypatch, harm, told):
    folder = Path(shutil.copytree(masked_lm, tmp_path / "copy"))
    harm(folder)
    monkeypatch.setattr(loading, "_loaded", {})
    with pytest.raises(ResourceMissing, match=told):
        loading.load(AttackSpec("bae", masked_lm=str(folder)), silent)


def test_words_are_split_as_the_installed_library_splits_them():
    ta = library.textattack()
    texts = ["it 's well-made , isn't it ?", "caf\u00e9 \U0001f600 'quoted'", "\u8fd9\u90e8\u7535\u5f71\u5f88\u597d", "", "a\u0000b", "don't -- stop_"]
    ours = [ta.shared.utils.words_from_text(text) for text in texts * 2]
    with library.stock():
        assert [ta.shared.utils.words_from_text(text) for text in texts * 2] == ours
    assert hasattr(ta.shared.utils.words_from_text, "remembered")


def test_pwws_runs_out_of_the_box_with_wordnets_synonyms():
    from robustprune import lab
    from robustprune.attacks.engine.attacker import Attacker
    from robustprune.attacks.traces.trace import Candidates, Rank

    spec = AttackSpec("pwws")
    loaded = loading.load(spec, silent)
    assert loaded.names.other == "WordNet 3.0"
    (trace,) = Attacker([lab.load_model("sst2-demo")], loaded, spec, lambda _trace: None).attack("a gripping and beautifully acted film", 1)
    told = {step.word: [candidate.word for candidate in step.candidates] for step in trace.of_kind(Candidates)}
    assert {"absorbing", "riveting"} <= set(told["gripping"])
    assert {"movie", "picture"} <= set(told["film"])
    assert not [word for words in told.values() for word in words if "_" in word]
    assert all(words == sorted(words) for words in told.values())
    assert len(next(trace.of_kind(Rank)).order) == 4
    assert trace.outcome in ("held", "flipped")


def test_nltk_is_looked_for_where_it_looks_itself_without_importing_it(tmp_path):
    """In a process of its own, since NLTK reads the environment when it is imported."""
    (tmp_path / "taggers" / "universal_tagset").mkdir(parents=True, mode=0o755)
    code = (
        "import sys; from robustprune.attacks.resources import names;"
        "found = names._in_nltk_data('taggers/universal_tagset'), names._in_nltk_data('corpora/nothing'); assert 'nltk' not in sys.modules;"
        "import nltk; assert [str(one) for one in names.nltk_folders()][:-1] == nltk.data.path, (names.nltk_folders(), nltk.data.path);"
        "print(found, names._in_nltk_data('taggers/universal_tagset'))"
    )
    environment = {**os.environ, "NLTK_DATA": f"{tmp_path}{os.pathsep}{tmp_path}/other"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "(True, False) True\n", done.stderr


def test_what_lies_as_a_zip_is_found_with_and_without_nltk_and_hard_links_are_not(tmp_path, monkeypatch):
    """NLTK's own search loses a zip unless the name ends in a slash, and refuses files that have a second name."""
    import nltk

    monkeypatch.setenv("NLTK_DATA", str(tmp_path))
    for name in ("corpora/wordnet", "corpora/stopwords", "taggers/universal_tagset"):
        (tmp_path / f"{name}.zip").parent.mkdir(exist_ok=True, mode=0o755)
        (tmp_path / f"{name}.zip").write_bytes(b"PK")
        (tmp_path / f"{name}.zip").chmod(0o644)
        assert names._in_nltk_data(name)
        monkeypatch.delitem(sys.modules, "nltk")
        assert names._in_nltk_data(name)
        monkeypatch.setitem(sys.modules, "nltk", nltk)
        os.link(tmp_path / f"{name}.zip", tmp_path / f"{name}.second")
        assert not names._in_nltk_data(name)
