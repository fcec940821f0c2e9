"""The list of recipes is whole: each can be built, is told of in both languages, and our table of look-alikes holds look-alikes."""

import json
import subprocess
import sys

import pytest

from robustprune.attacks.engine import build, parts
from robustprune.base import paths
from robustprune.specs.recipes import MASKED_LM, RECIPES, SIMILARITY, SYNONYMS, WORD_CLASSES, WORDNET, about


def test_every_recipe_has_a_builder():
    assert set(build.BUILDERS) == set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_told_of_in_both_languages(name):
    english, chinese = about(name, "en"), about(name, "zh")
    assert english.isascii()
    assert len(english.split()) > 5
    assert english.endswith(".")
    assert sum("\u4e00" <= character <= "\u9fff" for character in chinese) > 10
    assert chinese.endswith("\u3002")
    assert about(name) == english


def test_no_sentence_is_told_of_a_recipe_that_is_not_there():
    sentences = json.loads((paths.ASSETS / "recipes.json").read_text(encoding="utf-8"))
    assert set(sentences) == set(RECIPES)
    assert all(set(one) == {"en", "zh"} for one in sentences.values())
    assert len({one["en"] for one in sentences.values()}) == len({one["zh"] for one in sentences.values()}) == len(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_where_it_comes_from_and_what_it_needs(name):
    recipe = RECIPES[name]
    assert recipe.title
    assert any(str(year) in recipe.source for year in range(2016, 2027))
    assert recipe.needs <= {SYNONYMS, WORD_CLASSES, SIMILARITY, WORDNET, MASKED_LM}
    assert recipe.stop_words in ("own", "general", "")


def test_look_alikes_are_single_characters_that_differ_from_their_letter():
    table = parts.read_homoglyphs()
    assert set("aceiopsxyABCEHKMOPTX") <= set(table)
    for letter, others in table.items():
        assert len(letter) == 1
        assert others
        assert len(set(others)) == len(others)
        for other in others:
            assert len(other) == 1
            assert other != letter
            assert other.isprintable()
            assert not other.isascii()


def test_no_letter_stands_twice_in_the_table():
    lines = [line for line in parts.HOMOGLYPHS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]
    assert len(parts.read_homoglyphs()) == len(lines)


def test_reading_the_catalogue_loads_nothing():
    code = "import sys, robustprune.specs.recipes; print(sorted({'torch', 'transformers', 'textattack', 'nltk', 'numpy'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout.strip() == "[]", result.stderr
