"""What a process that was killed leaves half-written is cleared away by the next, and what it had moved aside is put back."""

import os
import subprocess
import sys

import pytest

from robustprune.base import partials
from robustprune.base.store import Store


@pytest.fixture
def dead_pid():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def as_if_by(path, pid):
    return path.rename(path.with_name(path.name.replace(f"-{os.getpid()}-", f"-{pid}-")))


def test_what_a_dead_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path, dead_pid):
    dead = as_if_by(partials.new(tmp_path / "runs" / "one"), dead_pid)
    living, strange = partials.new(tmp_path / "runs" / "two"), tmp_path / "runs" / ".somebody.else's-1-0.folder.partial"
    strange.mkdir()
    partials.tidy(tmp_path / "runs")
    assert not dead.exists()
    assert living.exists() and strange.exists()


def test_another_machines_partial_stays(tmp_path, dead_pid):
    made = partials.new(tmp_path / "runs" / "one")
    theirs = made.rename(made.with_name(made.name.replace(partials._host(), "another-machine").replace(str(os.getpid()), str(dead_pid))))
    partials.tidy(tmp_path / "runs")
    assert theirs.exists()


def test_a_dead_process_whose_number_is_this_ones_is_told_from_it(tmp_path):
    """As in a container, where the first process has the same number after every start."""
    mine = partials.new(tmp_path / "runs" / "one")
    earlier = partials.new(tmp_path / "runs" / "one")
    earlier = earlier.rename(earlier.with_name(earlier.name.replace(partials._TOKEN, "0123abcd")))
    partials.tidy(tmp_path / "runs")
    assert mine.exists() and not earlier.exists()


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


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "deep" / "file.txt"
    with partials.file(file) as partial:
        partial.write_text("old")
    with pytest.raises(ZeroDivisionError), partials.file(file) as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert file.read_text() == "old" and list(file.parent.iterdir()) == [file]


def test_what_cannot_take_its_place_leaves_the_old_one_there(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "old").touch()
    with pytest.raises(OSError):
        partials.put(tmp_path / "is not there", tmp_path / "one")
    assert [path.name for path in tmp_path.rglob("*")] == ["one", "old"]
