"""Every message that the engine can send has words in every language, every word is used, and holes and values fit each other."""

import ast
import json
import pickle
from pathlib import Path
from string import Formatter

import pytest

from robustprune.base import errors, messages
from robustprune.base.errors import DataError, SpecError
from robustprune.base.messages import FOLDER, Message, say, words

PACKAGE = Path(__file__).resolve().parents[2] / "robustprune"
LANGUAGES = sorted(path.name for path in FOLDER.iterdir())
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.Explained)}
# Further errors with a message, each in the one module that raises it.
OWN = {"TooLarge": "texts/unpacking.py", "_Damaged": "models/compressed.py"}
# The place of the key among the arguments.
PLACES = {"say": 0, "counting": 2} | dict.fromkeys(KINDS | set(OWN), 0)


def sent():
    """Every message that is sent: where, its key, and the names of its values (None where they are not spelled out)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            if name in PLACES and len(node.args) > PLACES[name]:
                values = None if name == "counting" or any(one.arg is None for one in node.keywords) else {one.arg for one in node.keywords}
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.args[PLACES[name]], values


SENT = list(sent())


def holes(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def constants():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_the_modules_with_errors_of_their_own_are_there():
    for name, module in OWN.items():
        assert f"class {name}(Explained)" in (PACKAGE / module).read_text(encoding="utf-8")


@pytest.mark.parametrize(("place", "key", "values"), SENT, ids=[place for place, _, _ in SENT])
def test_every_message_that_is_sent_has_words_and_its_values_fit(place, key, values):
    if not isinstance(key, ast.Constant):  # handed on, as from an error that was caught
        assert ast.unparse(key) in ("key", "error.message.key", "message.key"), place
        return
    room = place.split("/")[0]
    assert key.value.split(".")[0] in (room, "base")
    for language in LANGUAGES:
        assert key.value in words(language)
        if values is not None:
            assert holes(words(language)[key.value]) == values


def test_no_word_is_left_over():
    assert len(SENT) > 250
    assert set(words("en")) - set(constants()) == set()


def test_both_languages_have_the_same_messages_in_the_same_files():
    assert LANGUAGES == ["en", "zh"]
    for path in sorted((FOLDER / "en").glob("*.json")):
        english, chinese = (json.loads((FOLDER / language / path.name).read_text(encoding="utf-8")) for language in LANGUAGES)
        assert list(english) == sorted(english) == list(chinese)
        assert all(key.startswith(f"{path.stem}.") for key in english)
    assert {path.name for path in (FOLDER / "en").iterdir()} == {path.name for path in (FOLDER / "zh").iterdir()}


def test_chinese_is_chinese_and_english_is_english():
    wordnet = {"attacks.wordnet", "attacks.wordnet_3", "attacks.wordnet_because"}
    names = {*wordnet, "attacks.install_again", "attacks.minilm", "attacks.universal_encoder", "attacks.the_encoder"}
    for key, text in words("zh").items():
        spoken = any("\u4e00" <= character <= "\u9fff" for character in text)
        assert spoken or key in names or not any(character.isalpha() for character in _without_holes(text)), key
    assert all(text.isascii() for text in words("en").values())


def _without_holes(text):
    return "".join(literal for literal, *_ in Formatter().parse(text))


def test_a_message_is_rendered_with_its_values_and_the_messages_among_them():
    inner = say("texts.none")
    error = DataError("texts.no_column", name="a.tsv", column="text", columns=inner)
    assert str(error) == "a.tsv has no column 'text'; its columns are: none. The first line must name 'text' and 'label'."
    assert "none" not in error.message.render("zh")
    assert "a.tsv" in error.message.render("zh")
    wrapped = DataError("texts.no_table", name="a.tsv", why=SpecError("base.name_needed", name="model", value=""))
    assert "a name is needed" in str(wrapped)


def test_lists_are_told_with_commas_and_as_they_are_where_they_are_quoted():
    assert str(SpecError("base.not_one_of", name="method", value=[1, 2], allowed=("a", "b"))) == "The method [1, 2] is not known; allowed are: a, b."


def test_what_a_person_gave_is_no_hole_of_its_own():
    assert str(say("texts.no_file", name="{name} {0} {x.y}")) == "There is no file '{name} {0} {x.y}'."


def test_an_error_survives_being_sent_to_another_process():
    error = pickle.loads(pickle.dumps(SpecError("base.no_number_in_range", name="sparsity", value=7, low=0, high=1)))
    assert isinstance(error, SpecError)
    assert str(error) == "The sparsity is 7; it must be a number from 0 to 1."


def test_a_language_that_is_not_there_and_a_damaged_file_fall_back(tmp_path, monkeypatch, caplog):
    assert say("texts.no_file", name="a").render("fr") == str(say("texts.no_file", name="a"))
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "texts.json").write_text("{ no JSON")
    monkeypatch.setattr(messages, "FOLDER", tmp_path)
    messages.words.cache_clear()
    try:
        assert "texts.no_file" in str(Message("texts.no_file", {"name": "a"}))
        assert "Restore it" in caplog.text
    finally:
        monkeypatch.undo()
        messages.words.cache_clear()
