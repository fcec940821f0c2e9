"""Our attacks are TextAttack's: outcome, final text and number of queries are those of its own classes put together plainly.

Twelve demo texts here; ``python -m robustprune bench attack`` compares on as many as one likes, and the test at the end, on the 40
shared texts, runs where they are and ROBUSTPRUNE_LONG_TESTS is set.
"""

import os

import pytest

from robustprune import lab
from robustprune.attacks.engine import library
from robustprune.attacks.engine.attacker import Attacker
from robustprune.attacks.resources import loading, sentences
from robustprune.base.progress import silent
from robustprune.bench import plain
from robustprune.specs.attack import AttackSpec
from robustprune.texts import datasets


@pytest.fixture(scope="module")
def classifier():
    return lab.load_model("sst2-demo")


@pytest.fixture(params=["neighbours", "by sense"])
def synonyms(request, monkeypatch):
    """Near-synonyms by sense and, as on a machine without the tagger, MiniLM's neighbours."""
    if request.param == "neighbours":
        monkeypatch.setattr(sentences, "version", str)


def compare(classifier, name, texts, budget=1000):
    spec = AttackSpec(name, query_budget=budget)
    loaded = loading.load(spec, silent)
    wrapper = library.textattack().models.wrappers.HuggingFaceModelWrapper(classifier.model, classifier.tokenizer)
    # As long as the longest text needs: what the answers are does not depend on it, how long they take does.
    wrapper.tokenizer = _Short(classifier.tokenizer)
    theirs, ours = plain.attack(name, wrapper, loaded, budget), Attacker([classifier], loaded, spec, lambda _trace: None)
    for text, label in zip(texts.texts, texts.labels, strict=True):
        (trace,) = ours.attack(text, label)
        assert (trace.outcome, trace.perturbed, trace.queries) == plain.outcome(theirs, text, label), text


class _Short:
    """A tokenizer that says it reads 96 tokens, so that the stock wrapper pads no further."""

    def __init__(self, tokenizer):
        self._tokenizer, self.model_max_length = tokenizer, 96

    def __call__(self, *arguments, **keywords):
        return self._tokenizer(*arguments, **keywords)


@pytest.mark.parametrize("name", ["textfooler", "iga"])
def test_ours_is_textattacks_with_either_kind_of_synonyms(classifier, synonyms, name):
    compare(classifier, name, datasets.load("demo-reviews", "evaluation").sample(2 if name == "iga" else 12, 0), budget=300)


@pytest.mark.parametrize("name", ["deepwordbug", "pruthi", "input-reduction"])
def test_ours_is_textattacks(classifier, name):
    count = {"pruthi": 4}.get(name, 12)
    compare(classifier, name, datasets.load("demo-reviews", "evaluation").sample(count, 0), budget=300)


def test_a_budget_ends_ours_where_it_ends_theirs(classifier):
    compare(classifier, "textfooler", datasets.load("demo-reviews", "evaluation").sample(4, 1), budget=17)


@pytest.mark.skipif(not os.environ.get("ROBUSTPRUNE_LONG_TESTS"), reason="forty texts take minutes: set ROBUSTPRUNE_LONG_TESTS=1")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", plain.RECIPES)
def test_ours_is_textattacks_on_forty_shared_texts(classifier, name, shared_data):
    compare(classifier, name, datasets.load("sst2", "evaluation").sample(40, 0))
