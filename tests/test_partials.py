"""What a process that was killed leaves half-written is cleared away by the next, and what it had moved aside is put back."""

import os
import subprocess
import sys

import pytest

from robustprune import partials
from robustprune.store import Store


@pytest.fixture
def dead_pid():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def as_if_by(path, pid):
    return path.rename(path.with_name(path.name.replace(f"-{os.getpid()}.", f"-{pid}.")))


def test_what_a_dead_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path, dead_pid):
    dead = as_if_by(partials.new(tmp_path / "runs" / "one"), dead_pid)
    living, strange = partials.new(tmp_path / "runs" / "two"), tmp_path / "runs" / ".somebody.else's-1.folder"
    strange.mkdir()
    partials.tidy(tmp_path / "runs")
    assert not dead.exists()
    assert living.exists() and strange.exists()


def test_another_machines_partial_stays(tmp_path, dead_pid):
    made = partials.new(tmp_path / "runs" / "one")
    theirs = made.rename(made.with_name(f".one.another-machine-{dead_pid}.abc"))
    partials.tidy(tmp_path / "runs")
    assert theirs.exists()


def test_an_entry_that_a_dead_process_was_replacing_is_put_back(tmp_path, dead_pid):
    store = Store(tmp_path / "home", tmp_path / "ships")
    entry = store.put("runs", "one", {"value": 1})
    aside = partials.new(entry.folder)
    entry.folder.rename(aside / partials.REPLACED)
    as_if_by(aside, dead_pid)
    assert store.get("runs", "one") is None
    store.put("runs", "two", {"value": 2})  # whoever writes next tidies up
    assert store.get("runs", "one").document == {"value": 1}
    assert [path.name for path in (tmp_path / "home" / "runs").glob(".*") if not path.name.endswith(".lock")] == []


def test_a_newer_entry_is_not_replaced_by_the_old_one(tmp_path, dead_pid):
    store = Store(tmp_path / "home", tmp_path / "ships")
    entry = store.put("runs", "one", {"value": 1})
    aside = partials.new(entry.folder)
    entry.folder.rename(aside / partials.REPLACED)
    as_if_by(aside, dead_pid)
    (tmp_path / "home" / "runs" / "one").mkdir()  # the new one, as it stands after its rename
    partials.tidy(tmp_path / "home" / "runs")
    assert not (tmp_path / "home" / "runs" / "one" / "entry.json").exists()
