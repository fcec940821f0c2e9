"""Sentence embeddings block by block."""

import numpy as np
import pytest
import torch

from robustprune.analysis import embeddings
from robustprune.models import backbone
from robustprune.models.loading import Classifier
from robustprune.models.sources import ModelSource
from tests.small_models import ALL_FAMILIES, TEXTS, classifier


def small(family="bert", seed=0):
    model, tokenizer = classifier(family, seed=seed)
    return Classifier(model, tokenizer, ModelSource("small", None, str(seed), ("a", "b", "c"), None))


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_they_are_the_first_tokens_hidden_states_in_the_order_of_the_texts(family):
    one, texts = small(family), ["a short film", TEXTS[0] + " " + TEXTS[1], "good"]
    found = embeddings.embeddings(one, texts)
    for row, text in enumerate(texts):
        with torch.inference_mode():
            states = one.model(**backbone.tokenizer()(text, return_tensors="pt", return_token_type_ids=False), output_hidden_states=True).hidden_states
        for stage, state in enumerate(states):
            assert found.values[row, stage] == pytest.approx(state[0, 0].numpy(), abs=1e-4)


def test_distances_are_zero_to_oneself_and_those_of_the_vectors_else():
    first, second = (embeddings.embeddings(small(seed=seed), TEXTS[:2]) for seed in (0, 1))
    assert (embeddings.distances(first, first) == 0).all()
    assert embeddings.distances(first, second)[1, 2] == pytest.approx(np.linalg.norm(first.values[1, 2] - second.values[1, 2]))
    assert embeddings.lengths(first)[0, 1] == pytest.approx(np.linalg.norm(first.values[0, 1]))


def test_the_projection_keeps_the_distances_of_points_in_a_plane():
    plane = np.random.default_rng(0).normal(size=(2, 30))
    points = np.random.default_rng(1).normal(size=(6, 2)) @ plane + 3.0
    flat, shares = embeddings.projection(points)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] >= shares[1]
    for i in range(6):
        for j in range(6):
            assert np.linalg.norm(flat[i] - flat[j]) == pytest.approx(np.linalg.norm(points[i] - points[j]))


def test_points_that_are_one_point_project_to_the_middle():
    flat, shares = embeddings.projection(np.ones((4, 8)))
    assert flat == pytest.approx(np.zeros((4, 2)))
    assert np.isfinite(shares).all()


def test_what_is_stored_comes_back_and_damage_is_seen(tmp_path):
    made = embeddings.embeddings(small(), TEXTS[:2])
    document, content = made.to_entry()
    assert embeddings.Embeddings.from_entry(document, tmp_path) is None
    (tmp_path / embeddings.FILE).write_bytes(content)
    assert embeddings.Embeddings.from_entry(document, tmp_path).values == pytest.approx(made.values, abs=0.02)
    (tmp_path / embeddings.FILE).write_bytes(b"x" + content)
    assert embeddings.Embeddings.from_entry(document, tmp_path) is None
