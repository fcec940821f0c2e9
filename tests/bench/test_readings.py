"""The readings that are kept: their form, and that the docs tell what they hold."""

import json
import re

import pytest

from robustprune.base import paths
from robustprune.base.rates import Rate
from robustprune.bench import readings


def percent(rate: Rate) -> str:
    return f"{rate.value:.0%} [{rate.low * 100:.0f}, {rate.high * 100:.0f}]".replace("%", " %")


def test_every_verdict_has_known_letters_and_no_text_ships():
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in readings.FOLDER.glob("*.json")]
    assert len(documents) == len(readings.read()) >= 5
    for document in documents:
        for one in (*document["candidates"], *document["swaps"]):
            assert re.fullmatch("M?G?F?O?", one["verdict"])
            assert len(one["swap"].split()) <= 5, "a pair of words, not a sentence"
        assert all(re.fullmatch("S?R?", verdict) for verdict in document["whole_texts"])


def test_the_docs_show_every_reading():
    text = (paths.ASSETS.parent / "docs" / "measured.md").read_text(encoding="utf-8")
    found = readings.read()
    for name in ("candidates", "swaps", "turned", "forms", "same_label", "english"):
        row = " | ".join(percent(getattr(one, name)) for one in found)
        assert f" | {row} |\n" in text, name  # the readings in the order of their seeds, and no other


def test_rates_count_what_holds(tmp_path):
    verdicts = ["MG", "MG", "MGF", "M", "G", ""]
    pairs = [{"swap": "a -> b", "verdict": verdict} for verdict in verdicts]
    document = {"seed": 9, "candidates": pairs, "swaps": [*pairs, {"swap": "a -> c", "verdict": "GO"}], "whole_texts": ["SR", "S"]}
    (tmp_path / "seed-9.json").write_text(json.dumps(document), encoding="utf-8")
    (one,) = readings.read(tmp_path)
    assert one.about == {"seed": 9}
    assert one.candidates.value == pytest.approx(2 / 6)
    assert one.swaps.value == pytest.approx(2 / 7)
    assert one.turned.value == pytest.approx(1 / 7)
    assert one.forms.value == pytest.approx(1 / 7)
    assert (one.same_label.value, one.english.value) == (1.0, 0.5)
