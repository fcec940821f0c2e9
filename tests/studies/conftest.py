"""What the tests of sweeps share: a small start, a small data set, and a sweep of a few seconds over both."""

import pytest

from robustprune.specs import sweep
from tests.models.test_averages import write_texts
from tests.small_models import classifier


@pytest.fixture(scope="session")
def small_start(tmp_path_factory):
    """A random classifier of two classes, as a folder."""
    folder = tmp_path_factory.mktemp("start") / "small"
    model, tokenizer = classifier(labels=2, vocab_size=30522)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def small_texts(tmp_path_factory):
    """Some demo reviews as a data set of its own."""
    return write_texts(tmp_path_factory.mktemp("texts") / "reviews")


@pytest.fixture
def small_sweep(small_start, small_texts):
    """Four prunings and the start, attacked on four texts."""
    return sweep.SweepSpec.parse(f"""
        starts: [{small_start}]
        datasets: [{small_texts}]
        methods: [magnitude]
        sparsities: [0.3, 0.6]
        calibrations: [16]
        seeds: [0, 1]
        attack: {{recipes: [deepwordbug], examples: 4, query_budget: 30}}
    """)
