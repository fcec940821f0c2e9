"""What is stored is whole or absent."""

import json
import multiprocessing

import pytest

from robustprune.base import hashing
from robustprune.base import store as store_module
from robustprune.base.errors import StoreError
from robustprune.base.store import DOCUMENT, Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home", tmp_path / "shipped")


def write_file(folder):
    (folder / "weights").write_bytes(b"1234")


def test_what_was_put_comes_back(store):
    store.put("runs", "a", {"x": 1}, write_file)
    entry = store.get("runs", "a")
    assert entry.document == {"x": 1}
    assert (entry.folder / "weights").read_bytes() == b"1234"
    assert store.get("runs", "b") is None


def test_what_json_changes_is_no_damage(store):
    store.put("attacks", "a", {"importance": {2: 0.1, 10: 0.2, 1: 0.3}, "words": ("a", "b")})
    assert store.get("attacks", "a").document == {"importance": {"2": 0.1, "10": 0.2, "1": 0.3}, "words": ["a", "b"]}


def test_putting_again_replaces(store):
    store.put("runs", "a", {"x": 1})
    store.put("runs", "a", {"x": 2})
    assert store.get("runs", "a").document == {"x": 2}
    assert [entry.key for entry in store.entries("runs")] == ["a"]


def test_a_failure_while_writing_leaves_nothing(store, tmp_path):
    def fail(folder):
        write_file(folder)
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        store.put("runs", "a", {}, fail)
    assert store.get("runs", "a") is None
    assert [path for path in (tmp_path / "home" / "runs").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("damage", ["not json", "", '{"format": 1}', "[]", "\x00\x01", '{"format": 99, "sha256": "x"}'])
def test_a_damaged_entry_is_set_aside_and_said_so(store, tmp_path, caplog, damage):
    folder = store.put("runs", "a", {"x": 1}).folder
    (folder / DOCUMENT).write_text(damage)
    assert store.get("runs", "a") is None
    assert "set aside" in caplog.text
    assert not folder.exists()
    assert len(list((tmp_path / "home" / "damaged").iterdir())) == 1
    store.put("runs", "a", {"x": 2})
    assert store.get("runs", "a").document == {"x": 2}


def test_a_changed_document_is_noticed(store):
    folder = store.put("runs", "a", {"accuracy": 0.5}).folder
    body = json.loads((folder / DOCUMENT).read_text())
    body["document"]["accuracy"] = 0.9
    (folder / DOCUMENT).write_text(json.dumps(body))
    assert store.get("runs", "a") is None


def test_a_missing_file_is_noticed(store):
    folder = store.put("runs", "a", {}, write_file).folder
    (folder / "weights").unlink()
    assert store.get("runs", "a") is None


def test_an_entry_under_another_key_is_foreign(store):
    folder = store.put("runs", "a", {}).folder
    folder.rename(folder.with_name("b"))
    assert store.get("runs", "b") is None


def test_what_ships_is_found_behind_ones_own_and_never_moved(tmp_path):
    Store(tmp_path / "shipped", tmp_path / "none").put("runs", "a", {"x": 1}, write_file)
    (tmp_path / "shipped" / "runs" / "a" / "weights").unlink()  # weights do not ship
    store = Store(tmp_path / "home", tmp_path / "shipped")
    assert store.get("runs", "a").shipped
    store.put("runs", "a", {"x": 2})
    assert not store.get("runs", "a").shipped
    assert [entry.document["x"] for entry in store.entries("runs")] == [2]


def test_a_store_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="ROBUSTPRUNE_HOME"):
        Store(tmp_path / "home", tmp_path / "shipped").put("runs", "a", {})


def test_a_full_disk_leaves_nothing(store, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        store.put("runs", "a", {}, write_file)
    assert list((tmp_path / "home" / "runs").iterdir()) == []


def test_who_reads_while_an_entry_is_written_does_it_no_harm(store, monkeypatch):
    flush = store_module.os.fsync

    def read_meanwhile(descriptor):
        assert list(store.entries("runs")) == []
        flush(descriptor)

    monkeypatch.setattr(store_module.os, "fsync", read_meanwhile)
    store.put("runs", "a", {"x": 1}, write_file)
    assert store.get("runs", "a").document == {"x": 1}


def put_many(root, number):
    for _ in range(20):
        Store(root / "home", root / "shipped").put("runs", "same", {"from": number}, write_file)


def test_two_processes_on_one_key_end_with_a_whole_entry(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=put_many, args=(tmp_path, number)) for number in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert Store(tmp_path / "home", tmp_path / "shipped").get("runs", "same").document["from"] in (0, 1)


@pytest.mark.parametrize("key", ["../outside", "/etc", "a/../../outside", "..", ".hidden", "", "a\0b", "x" * 200])
def test_a_key_is_never_a_path(tmp_path, key):
    """Keys come in links (run:KEY), and what looks damaged is moved away."""
    outside = tmp_path / "outside"
    outside.mkdir()
    store = Store(tmp_path / "home" / "store", tmp_path / "ships")
    store.put("runs", "one", {})
    assert store.get("runs", key) is None
    assert store.get("..", key) is None
    assert outside.is_dir()
    assert not (tmp_path / "home" / "store" / "damaged").exists()


def test_what_ships_is_compared_too_before_its_files_are_used(tmp_path, caplog):
    ships = Store(tmp_path / "ships", tmp_path / "nothing")
    entry = ships.put("runs", "one", {}, lambda folder: (folder / "traces.jsonl").write_text("{}"))
    store = Store(tmp_path / "home", tmp_path / "ships")
    assert store.get_checked("runs", "one")
    (entry.folder / "traces.jsonl").write_text("{ }")
    assert store.get_checked("runs", "one") is None
    assert "Restore it from the repository" in caplog.text
    assert entry.folder.is_dir()


def test_a_full_disk_is_told_as_such_whatever_a_library_calls_it(tmp_path):
    def fill(folder):
        raise ValueError("Error while serializing: I/O error: No space left on device (os error 28)")

    store = Store(tmp_path / "home", tmp_path / "ships")
    with pytest.raises(StoreError, match="No space left on device"):
        store.put("runs", "one", {}, fill)
    assert store.get("runs", "one") is None
    assert list((tmp_path / "home" / "runs").iterdir()) == []


def test_an_entry_that_is_replaced_while_it_is_read_is_not_taken_for_damaged(store, tmp_path):
    """As when a sweep drops the weights of a run that a page is reading: the old document names a file that the new entry has not."""
    entry = store.put("runs", "a", {"x": 1}, write_file)

    def read_and_then_it_is_replaced(path, size, changed):
        body = store_module._read_body(path, size, changed)
        store.put("runs", "a", {"x": 2})
        return body

    assert store._read(entry.folder, False, read_and_then_it_is_replaced).document == {"x": 2}
    assert store.get("runs", "a").document == {"x": 2}
    assert not (tmp_path / "home" / "damaged").exists()


def test_an_entry_that_is_replaced_while_its_files_are_compared_is_not_taken_for_damaged(store, tmp_path, monkeypatch):
    real, replaced = hashing.of_file, []
    store.put("runs", "a", {"x": 1}, write_file)

    def of_file(path):
        if not replaced:
            replaced.append(True)
            store.put("runs", "a", {"x": 2})
        return real(path)

    monkeypatch.setattr(hashing, "of_file", of_file)
    assert store.get_checked("runs", "a").document == {"x": 2}
    assert not (tmp_path / "home" / "damaged").exists()


def test_only_so_much_is_kept_in_memory_and_read_again_only_when_it_has_to_be(store, monkeypatch):
    for key in "abcd":
        store.put("runs", key, {"x": key * 1000})
    size = (store.get("runs", "a").folder / "entry.json").stat().st_size
    monkeypatch.setattr(store_module, "_remembered", store_module._memory(3 * size))
    read, real = [], store_module._read_afresh
    monkeypatch.setattr(store_module, "_read_afresh", lambda path, *stamp: read.append(path.parent.name) or real(path, *stamp))
    for key in "abcabcdbcda":  # the fourth drives out the one that was not asked for longest, which is read again then
        assert store.get("runs", key).document == {"x": key * 1000}
    assert read == list("abcda")


def test_a_document_larger_than_what_is_kept_is_read_all_the_same(store, monkeypatch):
    monkeypatch.setattr(store_module, "_remembered", store_module._memory(10))
    store.put("runs", "a", {"x": "long"})
    assert store.get("runs", "a").document == store.get("runs", "a").document == {"x": "long"}
