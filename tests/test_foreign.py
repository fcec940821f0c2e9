"""Models that others made: what is damaged or made to do harm is refused with a sentence, and what is fine is taken."""

import pytest

from robustprune import lab, reach
from tests.trust.hostile import models


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    models.made(folder)
    return folder


@pytest.mark.parametrize("name", models.HARM)
def test_a_folder_that_does_harm_is_refused(home, empty_home, monkeypatch, name):
    monkeypatch.setenv("ROBUSTPRUNE_FOLDERS", str(home))
    models.check(home, name)
    assert lab.own_models() == []


def test_a_folder_that_is_fine_is_taken(home, empty_home, monkeypatch):
    monkeypatch.setenv("ROBUSTPRUNE_FOLDERS", str(home))
    made = lab.bring_model(reach.check_name(str(models.made(home))))
    assert lab.own_models() == [made]
