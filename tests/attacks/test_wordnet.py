"""WordNet out of its package: every file is checked, what is damaged is told, and NLTK reads what is put down."""

import shutil
import warnings

import pytest

from robustprune.attacks.resources import names, wordnet
from robustprune.attacks.resources.names import describe
from robustprune.base.errors import ResourceMissing
from robustprune.specs.attack import AttackSpec


@pytest.fixture
def copy_of_the_package(tmp_path, monkeypatch):
    folder = tmp_path / "dict"
    shutil.copytree(wordnet._in_package(), folder)
    monkeypatch.setattr(wordnet, "_in_package", lambda: folder)
    return folder


def test_the_files_are_princetons_and_nltk_reads_them():
    assert wordnet.trouble() is None
    folder = wordnet.nltk_data() / "corpora" / "wordnet"
    assert (folder / "data.noun").stat().st_size == 15_300_280  # the official length
    reader = wordnet.reader()
    assert {"plot", "secret_plan", "game"} <= {name for synset in reader.synsets("plot", "n") for name in synset.lemma_names()}
    assert wordnet.tagged()["plot", "n", reader.synsets("plot", "n")[0].offset()][0] == 1
    assert "science_fiction" in wordnet.expressions()


def test_our_reader_reads_english_as_nltks_own_does():
    from nltk.corpus.reader.wordnet import WordNetCorpusReader
    from nltk.data import FileSystemPathPointer

    folder = FileSystemPathPointer(str(wordnet.nltk_data() / "corpora" / "wordnet"))
    with warnings.catch_warnings(action="ignore"):  # NLTK warns that it has no WordNets of other languages
        ours, theirs = wordnet.reader(), WordNetCorpusReader(folder, None)
    for word in ("plot", "better", "acted", "film"):
        assert [str(one) for one in ours.synsets(word)] == [str(one) for one in theirs.synsets(word)]
    good, bad = (reader.synset("good.a.01").lemmas()[0] for reader in (ours, theirs))
    assert str(good.antonyms()) == str(bad.antonyms()) == "[Lemma('bad.a.01.bad')]"


@pytest.mark.parametrize("name", sorted(wordnet.SHA256))
def test_a_damaged_or_missing_file_is_told_by_name(copy_of_the_package, name):
    content = (copy_of_the_package / name).read_bytes()
    (copy_of_the_package / name).write_bytes(content[:-1] + b"?")
    assert str(copy_of_the_package / name) in str(wordnet.trouble())
    assert wordnet.SHA256[name] in str(wordnet.trouble())
    (copy_of_the_package / name).unlink()
    assert name in str(wordnet.trouble())
    with pytest.raises(ResourceMissing, match="Install it again"):
        wordnet.nltk_data()


def test_without_wordnet_synonyms_come_from_our_list_and_pwws_cannot_run(copy_of_the_package):
    shutil.rmtree(copy_of_the_package)
    assert "alone" in describe(AttackSpec()).synonyms
    told = {str(one.name): one for one in names.missing(AttackSpec())}
    assert any("cannot be read" in name and one.instead for name, one in told.items())
    (lacking,) = names.missing(AttackSpec("pwws"))
    assert lacking.instead is None
    assert "pip install" in lacking.how


def test_a_damaged_list_leaves_wordnet_and_without_both_there_are_minilms_neighbours(monkeypatch, copy_of_the_package):
    from robustprune.attacks.resources import sense_list
    from robustprune.base.messages import say

    monkeypatch.setattr(sense_list, "trouble", lambda: say("attacks.no_such_package", package="x"))
    assert "WordNet 3.0 alone" in describe(AttackSpec()).synonyms
    shutil.rmtree(copy_of_the_package)
    assert describe(AttackSpec()).synonyms == str(names.MINILM_NEIGHBOURS)


def test_a_copy_that_was_cut_is_made_again(empty_home):
    kept = wordnet.nltk_data() / "corpora" / "wordnet" / "data.verb"
    size = kept.stat().st_size
    kept.write_bytes(kept.read_bytes()[:100])
    wordnet.nltk_data()
    assert kept.stat().st_size == size
    assert not kept.stat().st_mode & 0o022  # NLTK reads no file that others may write
