"""TextFooler with the built-in resources against the demo model: the trace tells what happened, and nothing else happened."""

import copy
import json
import logging
import os
import subprocess
import sys

import pytest

from robustprune import data, inference, lab
from robustprune.attacks import library, resources, run
from robustprune.attacks.resource_names import MIN_COSINE
from robustprune.attacks.trace import AttackTrace
from robustprune.errors import Cancelled, ModelError
from robustprune.models import Classifier
from robustprune.spec import AttackSpec

TEXT = "A gripping , beautifully acted film that never loses its way ."


def quiet(*_):
    pass


@pytest.fixture(scope="module")
def classifier():
    return lab.load_model("sst2-demo")


@pytest.fixture(scope="module")
def loaded():
    return resources.load(lambda _what: None)


@pytest.fixture
def attacker(classifier, loaded):
    return run.Attacker(classifier, loaded, AttackSpec(), quiet)


@pytest.fixture(scope="module")
def traces(classifier, loaded):
    texts = data.load("demo-reviews", "evaluation").sample(8, 0)
    attacker = run.Attacker(classifier, loaded, AttackSpec(), quiet)
    return [attacker.attack(text, label) for text, label in zip(texts.texts, texts.labels, strict=True)]


def test_the_told_probabilities_are_the_models(classifier, traces):
    for trace in traces:
        for which, text in (("original", trace.text), ("perturbed", trace.perturbed)):
            told = trace.probabilities[which]
            actual = inference.probabilities(classifier.model, classifier.tokenizer, [text])[0].tolist()
            assert told == pytest.approx(actual, abs=1e-5)


def test_the_swaps_lead_from_the_original_to_the_perturbed_text(traces):
    assert any(trace.swaps for trace in traces)
    for trace in traces:
        changed, shift = trace.text, 0
        for swap in sorted(trace.swaps, key=lambda swap: swap["index"]):
            word = trace.words[swap["index"]]
            assert word.text == swap["from"] == trace.text[word.start : word.end]
            changed = changed[: word.start + shift] + swap["to"] + changed[word.end + shift :]
            shift += len(swap["to"]) - len(word.text)
        assert changed == trace.perturbed


def test_the_outcome_is_what_the_probabilities_say(traces):
    for trace in traces:
        right = [trace.predicted(which) == trace.label for which in ("original", "perturbed")]
        assert trace.outcome == {(True, False): "flipped", (True, True): "held", (False, False): "skipped"}[tuple(right)]


def test_queries_are_counted(traces):
    for trace in traces:
        asked = 1 + len(trace.importance) + sum(step.queries for step in trace.steps)
        assert trace.queries == asked


def test_a_trace_survives_json(traces):
    for trace in traces:
        assert AttackTrace.from_json(json.loads(json.dumps(trace.to_json()))) == trace


def test_a_budget_is_never_exceeded(classifier, loaded):
    for budget in (1, 2, 15):
        trace = run.Attacker(classifier, loaded, AttackSpec(query_budget=budget), quiet).attack(TEXT, 1)
        assert trace.queries <= budget


def test_a_wrongly_classified_text_is_skipped(attacker):
    trace = attacker.attack(TEXT, 0)
    assert (trace.outcome, trace.queries, trace.swaps) == ("skipped", 1, [])


@pytest.mark.parametrize(
    "text", ["caf\u00e9 \U0001f600 lovely!", "<script>alert(1)</script> a fine film", "line one\nline two is good", "\u05e9\u05dc\u05d5\u05dd good \u0000 film"]
)
def test_odd_texts_end_in_an_outcome(attacker, text):
    trace = attacker.attack(text, 1)
    assert trace.outcome in ("flipped", "held", "skipped")
    assert all(text[word.start : word.end] == word.text for word in trace.words)


@pytest.mark.parametrize("calls", [0, 2, 4])
def test_cancel_is_heard_and_the_attacker_goes_on(classifier, loaded, calls):
    asked = []

    def watch(*_):
        asked.append(1)
        if len(asked) == calls + 1:
            raise Cancelled("stop")

    attacker = run.Attacker(classifier, loaded, AttackSpec(), watch)
    with pytest.raises(Cancelled):
        attacker.attack(TEXT, 1)
    again, fresh = attacker.attack(TEXT, 1), run.Attacker(classifier, loaded, AttackSpec(), quiet).attack(TEXT, 1)
    assert (again.perturbed, again.queries, again.steps) == (fresh.perturbed, fresh.queries, fresh.steps)


def test_a_victim_that_answers_nan_is_named(classifier, loaded):
    broken = copy.deepcopy(classifier.model)
    broken.classifier.bias.data[0] = float("nan")
    attacker = run.Attacker(Classifier(broken, classifier.tokenizer, classifier.source), loaded, AttackSpec(), quiet)
    with pytest.raises(ModelError, match="NaN"):
        attacker.attack(TEXT, 1)


def test_no_listed_antonym_is_offered(loaded):
    synonyms = loaded.synonyms
    listed = resources.read_antonyms()
    for word, row in zip(synonyms.words, synonyms.neighbours, strict=True):
        assert not any(frozenset((word, synonyms.words[i])) in listed for i in row[1:]), word


def test_the_encoder_answers_the_same_from_memory(loaded):
    texts = ["a good film", "a bad film", "a good film"]
    first = loaded.encoder.encode(texts)
    assert (loaded.encoder.encode(texts) == first).all()
    assert (first[0] == first[2]).all()


@pytest.mark.parametrize(("word", "expected"), [("great", "wonderful"), ("terrible", "horrible"), ("film", "movie")])
def test_neighbours_are_synonyms(loaded, word, expected):
    synonyms = loaded.synonyms
    row = synonyms.neighbours[synonyms.words.index(word)]
    assert synonyms.words[row[0]] == word
    near = [synonyms.words[i] for i in row[1:] if float(synonyms.vectors[i] @ synonyms.vectors[row[0]]) >= MIN_COSINE]
    assert expected in near


def test_a_damaged_synonym_cache_is_made_anew(loaded, offline_home, monkeypatch):
    (path,) = (offline_home / "resources").glob("synonyms-*.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:1000])
    monkeypatch.setattr(resources, "_loaded", [])
    again = resources.load(lambda _what: None)
    assert (again.synonyms.neighbours == loaded.synonyms.neighbours).all()
    assert path.stat().st_size == len(content)


def test_importing_textattack_leaves_the_process_as_it_was():
    before, handlers = dict(os.environ), list(logging.getLogger().handlers)
    library.textattack()
    assert dict(os.environ) == before
    assert logging.getLogger().handlers == handlers


def test_a_fresh_process_imports_textattack_silently_and_without_downloads(tmp_path):
    code = "import os; before = dict(os.environ); from robustprune.attacks import library; library.textattack(); assert dict(os.environ) == before"
    environment = {**os.environ, "HOME": str(tmp_path), "NLTK_DATA": str(tmp_path / "none")}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert "ownload" not in result.stdout + result.stderr
