"""What can only be told with the shared public data; skipped where it is not."""

import pytest

from robustprune import lab
from robustprune.models import sources
from robustprune.texts import datasets


@pytest.mark.parametrize(("name", "dataset"), [("sst2-demo", "sst2"), ("ag_news-demo", "ag_news")])
def test_a_demo_model_is_as_good_as_its_card_says(name, dataset, shared_data, empty_home):
    result = lab.evaluate(name, dataset, examples=872)
    assert (result.dataset, result.examples, result.source) == (dataset, 872, "local folder")
    assert result.accuracy_low <= sources.card(name)["scores"]["accuracy"] <= result.accuracy_high


@pytest.mark.parametrize("dataset", ["sst2", "ag_news", "movie_reviews"])
def test_the_shared_data_sets_can_be_read(dataset, shared_data):
    for role in ("calibration", "evaluation"):
        texts = datasets.load(dataset, role)
        assert len(texts) >= 400
        assert all(text.strip() for text in texts.texts)


def test_no_demo_text_stands_in_the_shared_data(shared_data):
    known = {text.strip().lower() for dataset in ("sst2", "ag_news") for role in ("calibration", "evaluation") for text in datasets.load(dataset, role).texts}
    demo = {text.lower() for name in datasets.BUILT_IN for role in ("calibration", "evaluation", "showcase") for text in datasets.load(name, role).texts}
    assert not demo & known
