"""Attacks that draw at random come out the same whatever other threads draw meanwhile, and leave their generators alone."""

import random
import threading

import jaxtyping
import numpy as np
import pytest

from robustprune import lab
from robustprune.attacks.engine.attacker import Attacker
from robustprune.attacks.resources import loading
from robustprune.base.progress import silent
from robustprune.specs.attack import AttackSpec
from robustprune.texts import datasets


@pytest.fixture(scope="module")
def attacked():
    classifier = lab.load_model("sst2-demo")
    texts = datasets.load("demo-reviews", "evaluation")

    def attack(recipe):
        spec = AttackSpec(recipe, query_budget=150)
        attacker = Attacker([classifier], loading.load(spec, silent), spec, lambda _: None)
        return [attacker.attack(texts.texts[place], texts.labels[place])[0].perturbed for place in range(3)]

    return attack


@pytest.mark.parametrize("recipe", ["deepwordbug", "textbugger", "pruthi", "bad-characters", "iga"])
def test_another_thread_that_draws_changes_nothing(attacked, recipe):
    alone = attacked(recipe)
    ended = threading.Event()

    def disturb():
        while not ended.wait(0.0005):
            random.random()
            np.random.random()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        assert attacked(recipe) == alone
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def unchecked():
    """Switches the checks of types and shapes off, because beartype draws from the generator of the process which items of a list it checks."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_the_generators_of_the_process_are_left_alone(attacked, unchecked):
    random.seed(1)
    np.random.seed(1)
    expected = random.getstate(), np.random.get_state()[1].tolist()
    attacked("deepwordbug")
    assert (random.getstate(), np.random.get_state()[1].tolist()) == expected
