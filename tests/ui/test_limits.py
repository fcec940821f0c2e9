"""What people may reach: paths inside allowed folders, limits that the server's owner sets, and who may sign in."""

import json

import pytest

from robustprune.base.errors import ModelError, SpecError
from robustprune.models import sources
from robustprune.ui import limits


@pytest.fixture
def allowed(tmp_path, monkeypatch):
    folder = tmp_path / "allowed"
    folder.mkdir()
    monkeypatch.setenv("ROBUSTPRUNE_FOLDERS", str(folder))
    return folder


def test_a_folder_inside_is_taken_and_a_hub_id_is_left_to_the_hub(allowed):
    (allowed / "model").mkdir()
    assert limits.check_name(str(allowed / "model")) == str(allowed / "model")
    assert limits.check_name("user/name") == "user/name"


OUTSIDE = ["/etc", "/", "~root", "{allowed}/../outside", "{allowed}/model/../../outside", "../../../../etc", "/no/such/place", "{allowed}extra"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_path_outside_is_refused_whether_it_is_there_or_not(allowed, name):
    (allowed.parent / "outside").mkdir()
    with pytest.raises(SpecError, match="outside the folders"):
        limits.check_name(name.format(allowed=allowed))


def test_links_that_lead_outside_are_refused(allowed, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.json").write_text("{}")
    (allowed / "link").symlink_to(outside)
    (allowed / "model").mkdir()
    (allowed / "model" / "config.json").symlink_to(outside / "secret.json")
    for name in ("link", "model"):
        with pytest.raises(SpecError, match="outside the folders"):
            limits.check_name(str(allowed / name))


def test_a_relative_path_is_looked_at_from_the_working_folder(allowed, monkeypatch):
    monkeypatch.chdir(allowed.parent)
    (allowed.parent / "here").mkdir()
    with pytest.raises(SpecError):
        limits.check_name("here")
    (allowed / "model").mkdir()
    assert limits.check_name("allowed/model") == "allowed/model"


def test_a_character_that_no_path_has_is_an_error_and_no_crash(allowed):
    with pytest.raises(SpecError, match="character"):
        limits.check_name("mod\0el")


@pytest.mark.parametrize("name", ["mean:{allowed}/../outside", "mean:sst2-demo+sst2-soup", "run:0123456789abcdef", "baseline:0123456789abcdef"])
def test_a_name_that_stands_for_other_models_is_no_way_round(allowed, name):
    with pytest.raises(SpecError, match="already"):
        limits.check_name(name.format(allowed=allowed))


@pytest.mark.parametrize("name", ["~nosuchuser/model", "a" * 300])
def test_a_name_that_cannot_be_looked_at_is_an_error_and_no_crash(allowed, name):
    with pytest.raises(SpecError, match="cannot be read"):
        limits.check_name(name)
    with pytest.raises(ModelError, match=r"No model is called|could not be loaded from the hub"):
        sources.find(name)


@pytest.mark.parametrize("ingredient", ["{outside}", "mean:{outside}", "~root/model", "{allowed}/link"])
def test_an_average_names_no_model_outside(allowed, tmp_path, ingredient):
    outside, average = tmp_path / "outside", allowed / "average"
    outside.mkdir()
    (allowed / "link").symlink_to(outside)
    average.mkdir()
    named = [ingredient.format(outside=outside, allowed=allowed)]
    (average / "card.json").write_text(json.dumps({"sha256": {}, "labels": ["a", "b"], "dataset": None, "ingredients": named}))
    with pytest.raises(SpecError, match=r"outside the folders|already"):
        limits.check_name(str(average))


def test_nothing_of_ones_own_on_a_shared_server(allowed, monkeypatch):
    monkeypatch.setenv("ROBUSTPRUNE_SHARED", "yes")
    for name in (str(allowed), "user/name"):
        with pytest.raises(SpecError, match="shared"):
            limits.check_name(name)


@pytest.mark.parametrize(("setting", "read"), [("SESSION_JOBS", limits.session_jobs), ("QUEUE", limits.queue_length), ("TEXT_LENGTH", limits.text_length)])
def test_limits_are_whole_numbers_from_one(monkeypatch, setting, read):
    usual = read()
    monkeypatch.setenv(f"ROBUSTPRUNE_{setting}", "7")
    assert read() == 7 != usual
    for wrong in ("0", "-1", "2.5", "many", "٣٠x"):
        monkeypatch.setenv(f"ROBUSTPRUNE_{setting}", wrong)
        with pytest.raises(SpecError, match=f"ROBUSTPRUNE_{setting}"):
            read()


def test_a_text_that_is_too_long_says_how_long(monkeypatch):
    monkeypatch.setenv("ROBUSTPRUNE_TEXT_LENGTH", "10")
    assert limits.check_typed(" a film ") == "a film"
    with pytest.raises(SpecError, match="11 characters; at most 10"):
        limits.check_typed("a long film")


@pytest.mark.parametrize(
    ("people", "email", "verified", "enters"),
    [
        ("", None, False, True),
        ("ann@school.example", "Ann@School.example", True, True),
        ("ann@school.example", "ann@school.example", False, False),
        ("ann@school.example", "bob@school.example", True, False),
        ("@school.example", "bob@school.example", True, True),
        ("@school.example", "bob@not-school.example", True, False),
        ("@school.example", "bob@school.example.evil.example", True, False),
        ("@school.example", None, True, False),
        ("@school.example", "", True, False),
        ("@", "", True, False),
        ("ann@school.example, bob@school.example", "bob@school.example", True, True),
    ],
)
def test_who_may_enter(monkeypatch, people, email, verified, enters):
    monkeypatch.setenv("ROBUSTPRUNE_PEOPLE", people)
    assert limits.may_enter(email, verified) is enters
