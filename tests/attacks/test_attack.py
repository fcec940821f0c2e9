"""Attacks with the built-in resources against the demo model: the trace tells what happened, and nothing else happened."""

import copy
import json

import pytest

from robustprune import lab
from robustprune.attacks.engine import proposals
from robustprune.attacks.engine.attacker import Attacker, TimeUp
from robustprune.attacks.resources import loading
from robustprune.attacks.traces import changes
from robustprune.attacks.traces.trace import AttackTrace, Candidates, Query, Rank
from robustprune.base.errors import Cancelled, DataError, ModelError, OutOfTime, ResourceMissing
from robustprune.base.progress import silent
from robustprune.models import inference
from robustprune.models.loading import Classifier
from robustprune.specs.attack import AttackSpec
from robustprune.specs.recipes import RECIPES
from robustprune.texts import datasets

TEXT = "A gripping , beautifully acted film that never loses its way ."
OFFLINE = ("textfooler", "textbugger", "deepwordbug", "pruthi", "bad-characters", "input-reduction", "iga")


def quiet(_trace):
    pass


@pytest.fixture(scope="module")
def classifier():
    return lab.load_model("sst2-demo")


def attacker(*classifiers, watch=quiet, recipe="textfooler", **settings):
    spec = AttackSpec(recipe, **settings)
    return Attacker(classifiers, loading.load(spec, silent), spec, watch)


@pytest.fixture(scope="module", params=OFFLINE)
def traces(request, classifier):
    texts = datasets.load("demo-reviews", "evaluation").sample(8, 0)
    one = attacker(classifier, recipe=request.param, query_budget=150)
    return [one.attack(text, label)[0] for text, label in zip(texts.texts, texts.labels, strict=True)]


def test_the_told_probabilities_are_the_models(classifier, traces):
    for trace in traces:
        asked = list(trace.of_kind(Query))
        actual = inference.probabilities(classifier.model, classifier.tokenizer, [step.text for step in asked])
        for step, values in zip(asked, actual.tolist(), strict=True):
            assert step.probabilities == pytest.approx(values, abs=1e-5)
        told = {step.text: step.probabilities for step in asked}
        assert trace.probabilities == {"original": told[trace.text], "perturbed": told[trace.perturbed]}


def test_the_changes_lead_from_the_original_to_the_perturbed_text(traces):
    assert any(trace.changes for trace in traces)
    for trace in traces:
        assert changes.apply(trace.text, trace.changes) == trace.perturbed
        assert all(trace.text[change.start : change.end] == change.old for change in trace.changes)


def test_the_outcome_is_what_the_probabilities_say(traces):
    for trace in traces:
        right = [trace.predicted(which) == trace.label for which in ("original", "perturbed")]
        assert trace.outcome == {(True, False): "flipped", (True, True): "held", (False, False): "skipped"}[tuple(right)]


def test_every_query_is_told_and_none_is_beyond_the_budget(traces):
    for trace in traces:
        assert trace.queries == sum(1 for _ in trace.of_kind(Query)) <= trace.settings["query_budget"]
        assert next(trace.of_kind(Query)).text == trace.text


def test_a_trace_survives_json(traces):
    for trace in traces:
        assert AttackTrace.from_json(json.loads(json.dumps(trace.to_json()))) == trace


@pytest.mark.parametrize("recipe", ["textfooler", "textbugger", "deepwordbug"])
def test_a_turn_tries_what_no_constraint_refused(classifier, recipe):
    (trace,) = attacker(classifier, recipe=recipe).attack(TEXT, 1)
    turn, seen = None, 0
    after_rank = trace.steps[[isinstance(step, Rank) for step in trace.steps].index(True) + 1 :]
    for step in after_rank:
        if isinstance(step, Candidates):
            turn = [candidate.word for candidate in step.candidates if candidate.refused_by is None]
        elif isinstance(step, Query):
            assert turn.pop(0) in step.text
            seen += 1
    assert seen > 5


def test_importance_is_what_deleting_a_word_costs(classifier):
    (trace,) = attacker(classifier).attack(TEXT, 1)
    (rank,) = trace.of_kind(Rank)
    word = max(rank.importance, key=rank.importance.get)
    assert rank.order[0] == word
    place = trace.words[word]
    without = trace.text[: place.start].rstrip() + trace.text[place.end :]
    probability = inference.probabilities(classifier.model, classifier.tokenizer, [without])[0, 1].item()
    assert rank.importance[word] == pytest.approx(trace.probabilities["original"][1] - probability, abs=1e-5)


@pytest.mark.parametrize("recipe", OFFLINE)
@pytest.mark.parametrize("budget", [1, 2, 15])
def test_a_budget_of_queries_is_never_exceeded(classifier, recipe, budget):
    (trace,) = attacker(classifier, recipe=recipe, query_budget=budget).attack(TEXT, 1)
    assert trace.queries <= budget
    assert trace.outcome in ("held", "flipped")


@pytest.mark.parametrize("recipe", [name for name in OFFLINE if RECIPES[name].counts_words])
def test_a_budget_of_words_is_never_exceeded(classifier, recipe):
    texts = datasets.load("demo-reviews", "evaluation").sample(6, 0)
    one = attacker(classifier, recipe=recipe, word_budget=1, query_budget=150)
    traces = [one.attack(text, label)[0] for text, label in zip(texts.texts, texts.labels, strict=True)]
    assert max(len(trace.changes) for trace in traces) == 1


def test_a_text_that_takes_too_long_is_stopped_and_the_next_one_is_not(classifier):
    patient = []

    def watch(trace):
        if trace is not None and not patient:
            one._deadline = 0.0  # the time is up at the first word

    one = attacker(classifier, watch=watch, seconds=60)
    (stopped,) = one.attack(TEXT, 1)
    assert stopped.outcome == "stopped"
    assert 0 < stopped.queries == sum(1 for _ in stopped.of_kind(Query))
    patient.append(True)
    assert one.attack(TEXT, 1)[0].outcome != "stopped"


def test_not_one_query_in_time_is_an_error_that_says_so(classifier):
    def up(_texts):
        raise TimeUp

    one = attacker(classifier, seconds=0.1)
    for _, attack in one._attacks:
        attack.goal_function._call_model = up
    with pytest.raises(OutOfTime, match="Allow more time"):
        one.attack(TEXT, 1)


def test_a_wrongly_classified_text_is_skipped(classifier):
    (trace,) = attacker(classifier).attack(TEXT, 0)
    assert (trace.outcome, trace.queries, trace.swaps) == ("skipped", 1, [])


ODD = {
    "emoji": "caf\u00e9 \U0001f600 lovely!",
    "markup": "<script>alert(1)</script> a fine film",
    "newlines": "line one\nline two\r\n is good",
    "right to left": "\u05e9\u05dc\u05d5\u05dd good \u202e film",
    "control characters": "a good\u0000 film \u0008 with \u001b[31m colour",
    "no letters": "... 4 1/2 !!!",
    "one letter": "a",
    "Chinese": "\u8fd9\u90e8\u7535\u5f71\u5f88\u597d good",
    "homoglyphs": "g\u043e\u043ed film",
    "one word, long": "good" * 200,
}


@pytest.mark.parametrize("recipe", OFFLINE)
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_texts_end_in_an_outcome(classifier, recipe, text):
    label = int(inference.probabilities(classifier.model, classifier.tokenizer, [text])[0].argmax())
    (trace,) = attacker(classifier, recipe=recipe, query_budget=60).attack(text, label)
    assert trace.outcome in ("flipped", "held")
    assert changes.apply(text, trace.changes) == trace.perturbed
    assert all(text[word.start : word.end] == word.text for word in trace.words)


@pytest.mark.parametrize("recipe", OFFLINE)
@pytest.mark.parametrize("looks", [0, 2, 5])
def test_cancel_is_heard_anywhere_and_the_attacker_goes_on(classifier, recipe, looks):
    asked = []

    def watch(_trace):
        asked.append(1)
        if len(asked) == looks + 1:
            raise Cancelled("base.cancelled")

    one = attacker(classifier, watch=watch, recipe=recipe, query_budget=60)
    with pytest.raises(Cancelled):
        one.attack(TEXT, 1)
    again, fresh = one.attack(TEXT, 1)[0], attacker(classifier, recipe=recipe, query_budget=60).attack(TEXT, 1)[0]
    assert (again.perturbed, again.queries, again.steps) == (fresh.perturbed, fresh.queries, fresh.steps)


def test_random_recipes_draw_the_same_for_the_same_seed_whatever_came_before(classifier):
    one = attacker(classifier, recipe="deepwordbug")
    first = one.attack(TEXT, 1)[0]
    one.attack("something else altogether , and bad", 0)
    assert one.attack(TEXT, 1)[0].steps == first.steps
    assert attacker(classifier, recipe="deepwordbug", seed=1).attack(TEXT, 1)[0].steps != first.steps


def test_side_by_side_gives_what_each_alone_gives(classifier):
    other = copy.deepcopy(classifier.model)
    other.classifier.weight.data *= 0.2
    other.bert.encoder.layer[5].output.dense.weight.data *= 0.5
    other = Classifier(other, classifier.tokenizer, classifier.source)
    texts = datasets.load("demo-reviews", "evaluation").sample(6, 3)
    for recipe in ("textfooler", "deepwordbug", "pruthi"):
        texts = texts.take(range(3)) if recipe == "pruthi" else texts
        together, alone = attacker(classifier, other, recipe=recipe), [attacker(one, recipe=recipe) for one in (classifier, other)]
        for text, label in zip(texts.texts, texts.labels, strict=True):
            traces = together.attack(text, label)
            for trace, single in zip(traces, alone, strict=True):
                expected = single.attack(text, label)[0]
                assert (trace.outcome, trace.perturbed, trace.steps) == (expected.outcome, expected.perturbed, expected.steps)


def test_side_by_side_encodes_what_the_victims_share_once(classifier, monkeypatch):
    one = attacker(classifier, classifier)
    encoder, encoded = loading.load(AttackSpec(), silent).encode_window.__self__, []
    encoder.forget()
    original = encoder._encode
    monkeypatch.setattr(encoder, "_encode", lambda texts, check: encoded.extend(texts) or original(texts, check))
    long = "the film is a gripping and beautifully acted story that never once loses its way in long stretches of clever talk"
    one.attack(long, 1)
    assert encoded
    assert len(encoded) == len(set(encoded))


def test_a_victim_that_comes_later_gets_the_proposals_that_are_known(classifier, monkeypatch):
    one, asked = attacker(classifier), []
    first = one.attack(TEXT, 1)
    monkeypatch.setattr(proposals, "_find", lambda *given, **keywords: asked.append(given))
    one.add(classifier)
    (again,) = one.attack(TEXT, 1, only=[1])
    assert again.steps == first[0].steps
    assert not asked


def test_a_victim_that_answers_nan_is_named(classifier):
    broken = copy.deepcopy(classifier.model)
    broken.classifier.bias.data[0] = float("nan")
    one = attacker(Classifier(broken, classifier.tokenizer, classifier.source))
    with pytest.raises(ModelError, match="NaN"):
        one.attack(TEXT, 1)


def test_a_resource_that_vanishes_midway_is_named(classifier, monkeypatch):
    from robustprune.attacks.engine import parts

    def gone(word, other):
        raise LookupError("Resource averaged_perceptron_tagger_eng not found. Please use the NLTK Downloader")

    one = attacker(classifier)
    monkeypatch.setattr(parts, "share_word_class", gone)
    with pytest.raises(ResourceMissing, match="disappeared"):
        one.attack(TEXT, 1)


def test_a_text_without_words_is_an_error_that_says_so(classifier):
    with pytest.raises(DataError, match="no words"):
        attacker(classifier).attack("?! ...", 1)


def test_every_perturbation_of_bad_characters_ends(classifier):
    for how in ("homoglyphs", "invisible", "deletions", "reorderings"):
        (trace,) = attacker(classifier, recipe="bad-characters", perturbation=how, query_budget=80).attack(TEXT, 1)
        assert changes.apply(TEXT, trace.changes) == trace.perturbed


def test_steps_name_words_of_the_original_whatever_was_deleted_or_cut_in_two(classifier):
    from robustprune.attacks.traces.word_turns import turns

    texts = [TEXT, *datasets.load("demo-reviews", "evaluation").sample(6, 0).texts]
    for recipe in ("input-reduction", "textbugger"):
        one = attacker(classifier, recipe=recipe)
        for text in texts:
            label = int(inference.probabilities(classifier.model, classifier.tokenizer, [text])[0].argmax())
            (trace,) = one.attack(text, label)
            told = list(trace.of_kind(Candidates))
            whole = [step for step in told if step.word in {word.text for word in trace.words}]
            assert all(trace.words[step.index].text == step.word for step in whole)
            assert len(whole) > len(told) / 2
            assert all(turn.tried for turn in turns(trace) if not turn.refused)
            if recipe == "input-reduction":
                assert {candidate.word for step in told for candidate in step.candidates} == {""}


def test_input_reduction_takes_words_away_and_keeps_the_prediction(classifier):
    (trace,) = attacker(classifier, recipe="input-reduction").attack(TEXT, 1)
    assert trace.outcome == "held"
    assert len(trace.perturbed.split()) < len(TEXT.split())
    assert trace.predicted("perturbed") == 1
