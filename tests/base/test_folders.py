"""Folders that are written whole or not at all."""

import subprocess
import sys

import pytest

from robustprune.base import folders
from robustprune.base.errors import ModelError

MARK = "card.json"


def fill(folder):
    (folder / MARK).write_text("new")
    (folder / "weights").write_text("new")
    return "done"


def fail(folder):
    fill(folder)
    raise RuntimeError("half-way")


@pytest.fixture
def marked(tmp_path):
    """A folder that was written before, with a file that the new one does not have."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MARK).write_text("old")
    (tmp_path / "out" / "old file").write_text("old")
    return tmp_path / "out"


@pytest.fixture
def foreign(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    return tmp_path / "out"


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("there", ["nothing", "no parent", "empty", "marked"])
def test_a_folder_is_filled_where_there_is_none_or_one_of_ours(there, tmp_path, request):
    out = tmp_path / "deep" / "er" / "out" if there == "no parent" else tmp_path / "out"
    if there == "empty":
        out.mkdir()
    if there == "marked":
        request.getfixturevalue("marked")
    assert folders.replace_whole(out, MARK, fill) == "done"
    assert contents(out) == {MARK: "new", "weights": "new"}
    assert list(out.parent.iterdir()) == [out]


def test_a_folder_of_somebody_else_is_refused_before_anything_is_made(foreign):
    made = []
    for call in (lambda: folders.check_is_replaceable(foreign, MARK), lambda: folders.replace_whole(foreign, MARK, made.append)):
        with pytest.raises(ModelError, match="not empty"):
            call()
    assert not made
    assert contents(foreign) == {"thesis.txt": "mine"}


def test_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ModelError, match="is a file"):
        folders.check_is_replaceable(tmp_path / "out", MARK)


def test_a_folder_named_as_the_mark_is_no_mark(tmp_path):
    (tmp_path / "out" / MARK).mkdir(parents=True)
    with pytest.raises(ModelError, match="not empty"):
        folders.check_is_replaceable(tmp_path / "out", MARK)


def test_a_failure_leaves_what_was_there_and_nothing_beside_it(marked):
    with pytest.raises(RuntimeError, match="half-way"):
        folders.replace_whole(marked, MARK, fail)
    assert contents(marked) == {MARK: "old", "old file": "old"}
    assert list(marked.parent.iterdir()) == [marked]


def test_a_failure_leaves_nothing_where_there_was_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="half-way"):
        folders.replace_whole(tmp_path / "out", MARK, fail)
    assert list(tmp_path.iterdir()) == []


def test_while_the_new_one_is_written_the_old_one_stays(marked):
    def write(folder):
        assert contents(marked) == {MARK: "old", "old file": "old"}
        fill(folder)

    folders.replace_whole(marked, MARK, write)
    assert contents(marked) == {MARK: "new", "weights": "new"}


def test_remove_takes_a_folder_with_all_in_it_and_minds_none(marked):
    (marked / "deeper").mkdir()
    folders.remove(marked)
    assert not marked.exists()
    folders.remove(marked)


def test_what_a_link_points_to_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    folders.replace_whole(tmp_path / "link", "card.json", lambda folder: (folder / "card.json").write_text("new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "card.json").read_text() == "new"


def test_a_folder_that_was_being_replaced_when_its_writer_was_killed_is_not_lost(marked):
    """Killed at the worst moment, between the two renames; the next one who writes there puts the old folder back."""
    program = (
        "import os, pathlib, sys\n"
        "from robustprune.base import folders\n"
        "pathlib.Path.rename, rename = lambda path, to: os._exit(9) if path.name == 'out' and path.parent.suffix else rename(path, to), pathlib.Path.rename\n"
        "folders.replace_whole(pathlib.Path(sys.argv[1]), 'card.json', lambda folder: (folder / 'card.json').write_text('new'))\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(marked)]).returncode == 9
    assert not marked.exists()
    with folders.file_written_whole(marked.parent / "other") as partial:
        partial.touch()
    assert contents(marked) == {MARK: "old", "old file": "old"}
    assert sorted(path.name for path in marked.parent.iterdir()) == ["other", "out"]
