"""Every key that the code asks for is there, and every key that is there is asked for."""

import ast
from dataclasses import fields
from pathlib import Path
from typing import get_args

from robustprune.attacks.resource_names import ResourceNames
from robustprune.attacks.trace import Outcome
from robustprune.methods import METHODS
from robustprune.spec import ADAPTIVE
from robustprune.training_specs import BASELINE_NAMES
from robustprune.ui import i18n, shell
from robustprune.ui.take_away import SIZES

# The constraints that can refuse a candidate, by the names of their classes.
CONSTRAINTS = ("WordEmbeddingDistance", "PartOfSpeech", "SharedWordClass", "SentenceSimilarity", "LevenshteinEditDistance", "MaxWordsPerturbed")
ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "robustprune" / "ui").glob("*.py")]
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
    *(f"replay.end_{outcome}" for outcome in get_args(Outcome)),
    *("try.holds", "try.flips"),
    *(f"compare.view_{view}" for view in ("tables", "runs", "sparsity", "calibration", "embeddings", "paper")),
    *(f"embeddings.{part}" for part in ("original", "adversarial", "distance", "component")),
    *(f"method.{name}" for name in METHODS),
    *(f"speed.{form.replace(' ', '_')}" for form in SIZES),
    *(f"resource.{kind.name}" for kind in fields(ResourceNames) if kind.name != "set"),
    *(f"constraint.{name}" for name in CONSTRAINTS),
    *(f"compare.row.{name}" for name in (*METHODS, *BASELINE_NAMES)),
    *(f"dense.{part}" for part in ("alone", "kept", "refused", "soup", "aua", "measure", "measure_attack", "why_kept", "why_refused")),
    *("dense.against_plain", "dense.against_best", "dense.beyond_chance", "dense.within_chance", "dense.kept", "dense.refused"),
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
    *("guess.answer", "guess.never", "try.ask", "try.ask_one"),
}


def asked_keys():
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "t" and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def test_no_key_is_missing():
    assert set(asked_keys()) <= set(i18n.texts("en"))


def test_no_key_is_left_over():
    assert set(i18n.texts("en")) - set(asked_keys()) - COMPOSED == {"language.name"}
