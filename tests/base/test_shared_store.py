"""A store that machines share: what one puts, the other has; writers at once never spoil it; what is cut off is no entry."""

import threading
from concurrent.futures import ThreadPoolExecutor

import fsspec
import pytest

from robustprune import lab
from robustprune.base import stores as base_stores
from robustprune.base.errors import StoreError
from robustprune.base.shared_store import SharedStore
from robustprune.base.store import Store
from robustprune.lab import models


@pytest.fixture(params=["file", "memory"])
def address(request, tmp_path):
    """A folder, and a file system that is none."""
    if request.param == "file":
        return str(tmp_path / "shared")
    fsspec.filesystem("memory").store.clear()
    return "memory://shared"


def machine(tmp_path, name, address):
    return SharedStore(tmp_path / name, tmp_path / "nothing", address)


def fill(text):
    def write(folder):
        (folder / "model").mkdir()
        (folder / "model" / "weights.bin").write_text(text)

    return write


def archives(address):
    fs, base = fsspec.core.url_to_fs(address)
    return [path for path in fs.find(base) if path.endswith(".zip")]


def test_what_one_machine_stores_another_has_with_its_files(tmp_path, address):
    here, there = machine(tmp_path, "here", address), machine(tmp_path, "there", address)
    here.put("runs", "abc", {"answer": 42}, fill("weights"))
    found = there.get_checked("runs", "abc")
    assert found.document == {"answer": 42}
    assert (found.folder / "model" / "weights.bin").read_text() == "weights"
    assert found.folder.is_relative_to(tmp_path / "there")
    assert [entry.key for entry in machine(tmp_path, "third", address).entries("runs")] == ["abc"]
    assert [folder.name for folder, _ in machine(tmp_path, "fourth", address).stamps("runs")] == ["abc"]
    assert there.get("runs", "none") is None


def test_a_newer_entry_of_ones_own_takes_the_place_of_the_older(tmp_path, address):
    here = machine(tmp_path, "here", address)
    here.put("runs", "abc", {"weights": True}, fill("large"))
    here.put("runs", "abc", {"weights": False})
    assert len(archives(address)) == 1
    assert machine(tmp_path, "there", address).get("runs", "abc").document == {"weights": False}


def test_writers_at_once_leave_whole_entries(tmp_path, address):
    stores = [machine(tmp_path, f"machine-{number}", address) for number in range(4)]
    begin = threading.Barrier(len(stores))

    def write(number):
        begin.wait()
        for turn in range(10):
            stores[number].put("runs", f"key-{turn}", {"by": number}, fill(f"{number}" * 1000))

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(write, range(len(stores))))
    reader = machine(tmp_path, "reader", address)
    entries = list(reader.entries("runs"))
    assert len(entries) == 10
    for entry in entries:
        checked = reader.get_checked("runs", entry.key)
        assert (checked.folder / "model" / "weights.bin").read_text() == str(entry.document["by"]) * 1000


def test_an_archive_that_was_cut_off_or_altered_is_no_entry(tmp_path, address, caplog):
    here = machine(tmp_path, "here", address)
    here.put("runs", "abc", {"answer": 42}, fill("weights"))
    fs, _ = fsspec.core.url_to_fs(address)
    whole = fs.cat_file(archives(address)[0])
    for damaged in (whole[:-20], whole.replace(b"weights", b"weighty"), b""):
        fs.pipe_file(archives(address)[0], damaged)
        assert machine(tmp_path, f"there-{len(damaged)}", address).get("runs", "abc") is None
    assert "not whole" in caplog.text
    fs.pipe_file(archives(address)[0], whole)
    assert machine(tmp_path, "at last", address).get("runs", "abc") is not None


def test_where_it_cannot_be_written_the_entry_stays_here(tmp_path, monkeypatch):
    here = machine(tmp_path, "here", str(tmp_path / "shared"))
    monkeypatch.setattr(here._fs, "pipe_file", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(StoreError, match=r"no space left.*kept on this machine"):
        here.put("runs", "abc", {})
    assert Store(tmp_path / "here", tmp_path / "nothing").get("runs", "abc") is not None


def test_a_folder_that_is_gone_while_it_is_written_to_is_no_older_archive_that_is_gone(tmp_path, monkeypatch):
    """Both are told by FileNotFoundError; only the second does no harm."""
    here = machine(tmp_path, "here", str(tmp_path / "shared"))
    with monkeypatch.context() as broken:
        broken.setattr(here._fs, "pipe_file", lambda *_: (_ for _ in ()).throw(FileNotFoundError("no such bucket")))
        with pytest.raises(StoreError, match="no such bucket"):
            here.put("runs", "abc", {"answer": 1})
    here.put("runs", "abc", {"answer": 2})
    monkeypatch.setattr(here._fs, "rm_file", lambda *_: (_ for _ in ()).throw(FileNotFoundError))
    here.put("runs", "abc", {"answer": 3})
    assert here.get("runs", "abc").document == {"answer": 3}


def test_what_could_not_be_shared_when_it_was_made_is_shared_when_it_is_next_used(tmp_path, monkeypatch):
    """Else a sweep on another machine would ask for it again and again, and be told each time that it is there."""
    address = str(tmp_path / "shared")
    here, there = machine(tmp_path, "here", address), machine(tmp_path, "there", address)
    with monkeypatch.context() as broken:
        broken.setattr(here._fs, "pipe_file", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
        with pytest.raises(StoreError):
            here.put("runs", "abc", {"answer": 42})
        assert here.get("runs", "abc").document == {"answer": 42}  # whoever only reads is not kept from it
    assert there.get("runs", "abc") is None
    assert here.get("runs", "abc") is not None
    assert there.get("runs", "abc").document == {"answer": 42}


@pytest.mark.parametrize("address", ["nope://bucket", "s3://bucket/folder"])
def test_an_address_that_cannot_be_opened_is_named(address, tmp_path):
    with pytest.raises(StoreError, match=address):
        machine(tmp_path, "here", address)


def test_the_lab_takes_it_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTPRUNE_STORE", str(tmp_path / "shared"))
    monkeypatch.setenv("ROBUSTPRUNE_HOME", str(tmp_path / "here"))
    made = lab.evaluate("sst2-demo", "demo-reviews", 5)
    monkeypatch.setenv("ROBUSTPRUNE_HOME", str(tmp_path / "there"))
    assert isinstance(base_stores.store(), SharedStore)
    monkeypatch.setattr(models, "load_model", lambda *_: pytest.fail("it was measured again"))
    assert lab.evaluate("sst2-demo", "demo-reviews", 5) == made
