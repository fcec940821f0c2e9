"""What can only be told with the shared public data; skipped where it is not."""

import pytest

from robustprune import data, lab, models


@pytest.mark.parametrize(("name", "dataset"), [("sst2-demo", "sst2"), ("ag_news-demo", "ag_news")])
def test_a_demo_model_is_as_good_as_its_card_says(name, dataset, shared_data, empty_home):
    result = lab.evaluate(name, dataset, examples=872)
    assert (result.dataset, result.examples, result.source) == (dataset, 872, "local folder")
    assert result.accuracy_low <= models.card(name)["scores"]["accuracy"] <= result.accuracy_high


@pytest.mark.parametrize("dataset", ["sst2", "ag_news", "movie_reviews"])
def test_the_shared_data_sets_can_be_read(dataset, shared_data):
    for role in ("calibration", "evaluation"):
        texts = data.load(dataset, role)
        assert len(texts) >= 400
        assert all(text.strip() for text in texts.texts)


def test_no_demo_text_stands_in_the_shared_data(shared_data):
    known = {text.strip().lower() for dataset in ("sst2", "ag_news") for role in ("calibration", "evaluation") for text in data.load(dataset, role).texts}
    demo = {text.lower() for name in data.BUILT_IN for role in ("calibration", "evaluation", "showcase") for text in data.load(name, role).texts}
    assert not demo & known
