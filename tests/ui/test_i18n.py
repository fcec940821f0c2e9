"""Every text is there in every language, every key that is there is asked for, and no text stands anywhere else."""

import ast
import json
import re
import shutil
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from robustprune.attacks.resources import sense_list, wordnet_senses
from robustprune.attacks.resources.by_sense import REFUSALS
from robustprune.attacks.resources.names import ResourceNames
from robustprune.attacks.traces.trace import Outcome
from robustprune.base import locales, paths
from robustprune.base.errors import SpecError
from robustprune.pruning.report import LayerReport
from robustprune.specs.methods import METHODS
from robustprune.specs.prune import ADAPTIVE
from robustprune.specs.train import BASELINE_NAMES
from robustprune.studies.claims import CLAIMS
from robustprune.ui.attack import verdict
from robustprune.ui.frame import shell
from robustprune.ui.prune.take_away import SIZES
from robustprune.ui.words import i18n

# The constraints, and the reasons of the source of synonyms, that can refuse a candidate, by the names of their classes.
CONSTRAINTS = ("WordEmbeddingDistance", "PartOfSpeech", "SharedWordClass", "SentenceSimilarity", "LevenshteinEditDistance", "MaxWordsPerturbed", *REFUSALS)
ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "robustprune" / "ui").rglob("*.py"), ROOT / "robustprune" / "studies" / "report.py"]
COMPOSED = {
    *(f"{name}.{kind}" for name in shell.PAGES for kind in ("menu", "title", "question")),
    *(f"adaptive.{level}" for level in ADAPTIVE),
    *(f"outcome.{outcome}{badge}" for outcome in get_args(Outcome) for badge in ("", "_badge")),
    *(f"layers.{part}" for part in ("inherited", "own", "uncorrected", "error", "block", "chosen")),
    *(f"layers.{part}" for part in ("input", "output", "kept", "error", "rank", "total", "uncorrected", "weight", "count", "dense")),
    *(f"layers.{figure}{kind}" for figure in ("mask", "rows", "histogram") for kind in ("", "_note", "_alt")),
    *(f"attention.{part}" for part in ("block", "head", "distance", "original_row", "adversarial_row")),
    *(f"attention.view_{view}" for view in ("maps", "twins", "lines", "grid_of_lines")),
    *(f"replay.{kind}" for kind in ("start", "rank", "candidates", "candidates_anywhere", "asked", "not_reached")),
    *(f"source.{source}" for source in (sense_list.SOURCE, wordnet_senses.SOURCE)),
    *(f"verdict.{question}" for question in verdict.QUESTIONS),
    *(f"replay.end_{outcome}" for outcome in get_args(Outcome)),
    *("try.holds", "try.flips"),
    *(f"compare.view_{view}" for view in ("tables", "runs", "sparsity", "calibration", "claims", "embeddings", "paper")),
    *(f"embeddings.{part}" for part in ("original", "adversarial", "distance", "component")),
    *(f"method.{name}" for name in METHODS),
    *(f"speed.{form.replace(' ', '_')}" for form in SIZES),
    *(f"resource.{kind.name}" for kind in fields(ResourceNames) if kind.name != "set"),
    *(f"constraint.{name}" for name in CONSTRAINTS),
    *(f"compare.row.{name}" for name in (*METHODS, *BASELINE_NAMES)),
    *(f"dense.{part}" for part in ("alone", "kept", "refused", "soup", "aua", "measure", "measure_attack", "why_kept", "why_refused")),
    *("dense.against_plain", "dense.against_best", "dense.beyond_chance", "dense.within_chance", "dense.kept", "dense.refused"),
    *(f"claims.{claim}" for claim in CLAIMS),
    *("compare.opened", "compare.not_stored"),
    *("compare.asr", "compare.yes", "compare.no", "compare.dense", "compare.pruned"),
    *(f"overview.{chart}{kind}" for chart in ("accuracy", "aua", "error") for kind in ("", "_alt")),
    *("sidebar.start_single", "sidebar.start_soup", "replay.play", "replay.pause", "attention.figure_2_first", "attention.figure_2_last"),
    *("bring.near_chance", "bring.too_few"),
    "attack.original",
    "attack.perturbed",
    *(f"learn.{part}" for part in ("view_lessons", "view_glossary", "next", "next_lesson", "finish", "teach", "teach_end")),
    *(f"surgeon.{slider}" for slider in ("correlation", "scale_1", "scale_2", "optimum_1", "optimum_2", "six_correlation")),
    *(f"surgeon.{part}" for part in ("loss", "optimum", "zeroed", "compensated", "predicted", "true", "misled", "agree")),
    *(f"surgeon.{part}" for part in ("before", "now", "next", "weight", "cost", "removed", "by_magnitude")),
    *(f"quiz.{part}" for part in ("right", "wrong", "why_most", "why_refused")),
    *(f"arithmetic.{count}" for count in "nsfa"),
    *(f"layers.column_{field.name}" for field in fields(LayerReport)),
    *(f"attack.set_{kind}" for kind in ("built-in", "full", "mixed")),
    *("guess.answer", "guess.never", "try.ask", "try.ask_one"),
}


def called_with(file, function):
    """The constants that a file calls a function with."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value


def looked_up(file):
    """The constants by which a file looks a text up in ``words``, for a page that knows no session."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "words":
            yield from (one.value for one in ast.walk(node.slice) if isinstance(one, ast.Constant) and re.search(r"\.\w", str(one.value)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_say":
            yield node.args[1].value


def asked_keys():
    return (key for file in FILES for key in (*called_with(file, "t"), *(looked_up(file) if file.name == "report.py" else ())))


def test_no_key_is_missing():
    assert set(asked_keys()) <= set(locales.texts("en"))


def test_no_key_is_left_over():
    assert set(locales.texts("en")) - set(asked_keys()) - COMPOSED == {"language.name"}


def placeholders(text):
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


OTHERS = [language for language in locales.languages() if language != locales.DEFAULT]


def test_there_is_chinese():
    assert OTHERS == ["zh"]


@pytest.mark.parametrize("language", OTHERS)
def test_both_languages_have_the_same_keys_and_placeholders(language):
    first, other = locales.texts(locales.DEFAULT), locales.texts(language)
    assert list(first) == list(other)
    for key, text in first.items():
        assert placeholders(text) == placeholders(other[key]), key


@pytest.mark.parametrize("language", OTHERS)
def test_bold_is_read_as_bold_in_the_other_language_too(language):
    from markdown_it import MarkdownIt

    for key, text in locales.texts(language).items():
        rendered = MarkdownIt().renderInline(re.sub(r"\{[^}]*\}", "X", text))
        assert "**" not in rendered, key
        assert ("<strong>" in rendered) == ("<strong>" in MarkdownIt().renderInline(locales.texts(locales.DEFAULT)[key])), key


def test_chinese_is_punctuated_as_chinese():
    for key, text in locales.texts("zh").items():
        assert not re.search(r"[\u4e00-\u9fff][,;:!?]|[\u4e00-\u9fff]\.(?!\w)", text), key


def test_the_glossary_has_twenty_terms_in_both_languages_and_feeds_the_tooltips():
    glossary = i18n.glossary()
    assert len(glossary) == 20
    for entry in glossary.values():
        assert set(entry["term"]) == set(entry["means"]) == set(locales.languages())
    assert set(glossary) == {key for file in FILES for key in called_with(file, "meaning")}


def test_what_the_engine_says_is_told_in_the_sessions_language(monkeypatch):
    monkeypatch.setattr(i18n, "language", lambda: "zh")
    told = i18n.said(SpecError("base.no_number_in_range", name="sparsity", value=7, low=0, high=0.99))
    assert "7" in told and "0.99" in told
    assert re.search("[\u4e00-\u9fff]", told)
    assert i18n.said("somebody's own loading") == "somebody's own loading"


# No text in the code

SHOWS = {
    "title", "header", "subheader", "markdown", "caption", "text", "info", "warning", "error", "success", "metric", "button", "download_button",
    "selectbox", "multiselect", "slider", "select_slider", "text_input", "text_area", "number_input", "toggle", "checkbox", "radio", "pills",
    "segmented_control", "expander", "popover", "tabs", "form_submit_button", "link_button", "page_link", "progress", "spinner", "toast",
    "file_uploader", "write", "html",
}  # fmt: skip
SAID_BY = {"label", "help", "text", "body", "placeholder", "alt", "title", "name", "xaxis_title", "yaxis_title", "hovertemplate", "delta"}
# A thread's or process's name stands in tools for debugging and on no page.
WORKERS = {"Thread", "Process"}
# Markdown's icons and badges, HTML's tags, Plotly's values, units.
NO_WORDS = re.compile(r"-badge\[|:material/\w+:|:[\w-]+\[|<[^>]*>|<\w+ style=\"|%\{[^}]*\}|\bMB\b")


def words_in(node):
    """The words that an expression shows literally: not those that it looks up."""
    if isinstance(node, ast.Call | ast.Subscript | ast.Compare):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from re.findall(r"[A-Za-z\u4e00-\u9fff]{3,}", NO_WORDS.sub("", node.value))
    elif isinstance(node, ast.JoinedStr):
        text = "".join(part.value if isinstance(part, ast.Constant) else "⟨⟩" for part in node.values)
        yield from words_in(ast.Constant(text))
    else:
        for child in node.values if isinstance(node, ast.Dict) else ast.iter_child_nodes(node):
            yield from words_in(child)


def shown_literally(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            logs = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "log"  # nobody sees the log on a page
            shows = getattr(node.func, "attr", "") in SHOWS and not logs
            titles = SAID_BY - ({"name"} if getattr(node.func, "attr", "") in WORKERS else set())
            said = [*(node.args[:1] if shows else []), *(one.value for one in node.keywords if one.arg in titles)]
            for one in said:
                yield from words_in(one)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_text_stands_in_pages_and_ui(file):
    assert list(shown_literally(file)) == []


def test_text_in_the_code_would_be_found(tmp_path):
    code = 'st.title("Prune a model")\nrow.metric(t("a"), "12 MB")\nst.markdown(f"**{t(1)}** :material/add: done {x}")\nfigure.add_bar(name="Own")'
    code += '\nlog.warning("Odd %s", x)'
    (tmp_path / "page.py").write_text(code)
    assert list(shown_literally(tmp_path / "page.py")) == ["Prune", "model", "done", "Own"]


def test_a_damaged_language_is_left_out_and_a_damaged_word_is_stood_in_for(tmp_path, monkeypatch, caplog):
    """A file that was cut in half, or a byte that flipped, takes no page away."""
    shutil.copytree(paths.ASSETS / "locales", tmp_path / "locales")
    (tmp_path / "locales" / "zh.json").write_bytes((tmp_path / "locales" / "zh.json").read_bytes()[:1000])
    english = json.loads((tmp_path / "locales" / "en.json").read_text(encoding="utf-8"))
    (tmp_path / "locales" / "en.json").write_text(json.dumps({**english, "job.queued": "{plac}", "app.name": "RobustPrune"}), encoding="utf-8")
    monkeypatch.setattr(i18n.paths, "ASSETS", tmp_path)
    for cached in (locales.texts, locales.languages):
        cached.cache_clear()
    try:
        assert locales.languages() == ("en",)
        assert "zh.json" in caplog.text and "Restore it" in caplog.text
        assert i18n.t("job.queued", place=1) == "{plac}"
        assert i18n.t("no.such.key") == "no.such.key"
    finally:
        for cached in (locales.texts, locales.languages):
            cached.cache_clear()
