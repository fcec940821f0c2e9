"""The paper's claims: yes where the numbers say so, no where they do not or say the contrary; and each compared with what it should be."""

import pandas as pd
import pytest

from robustprune import studies
from robustprune.studies import claims, seed_groups
from robustprune.studies import table as results_table
from robustprune.studies.table import COLUMNS

TEXTS = 200


def row(held, *, kind="pruned", adaptive="full", sparsity=0.5, calibration=256, seed=0, method="admm", right=TEXTS, texts="same", **more):
    """A row of the table: of TEXTS texts the first ``held`` are held, then flipped until ``right``, the others were wrong before."""
    dense = kind == "dense"
    digest = f"{kind}{adaptive}{sparsity}{calibration}{seed}{method}{held}"
    about = {
        "digest": digest, "model": digest, "kind": kind, "start": "a", "dataset": "demo", "attacked_dataset": "demo", "recipe": "textfooler",
        "texts": texts, "query_budget": 1000, "outcomes": "h" * held + "f" * (right - held) + "s" * (TEXTS - right), "usual": True,
        "accuracy": right / TEXTS, "accuracy_examples": TEXTS, "examples": TEXTS, "sparsity": 0.0 if dense else sparsity,
    }  # fmt: skip
    of_run = {} if dense else {"adaptive": adaptive, "calibration": calibration, "seed": seed, "method": method}
    return {**about, **of_run, **more}


def table(*rows):
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def asked(claim, *rows):
    return [answer for answer in claims.answers(table(*rows)) if answer.claim == claim and answer.measure == "aua"]


@pytest.mark.parametrize(("full", "none", "yes", "opposite"), [(120, 60, True, False), (60, 120, False, True), (90, 88, False, False)])
def test_adapting_is_judged_by_the_difference(full, none, yes, opposite):
    (answer,) = asked("adaptive", row(full), row(none, adaptive="none"))
    assert (answer.yes, answer.opposite) == (yes, opposite)
    assert answer.estimate == pytest.approx((full - none) / TEXTS)
    assert (answer.first, answer.second) == (none / TEXTS, full / TEXTS)


def test_runs_that_differ_in_more_are_not_compared():
    assert asked("adaptive", row(120), row(60, adaptive="none", sparsity=0.7)) == []
    assert asked("adaptive", row(120), row(60, adaptive="none", texts="others")) == []
    assert asked("adaptive", row(120), row(60, adaptive="none", usual=False)) == []
    assert asked("adaptive", row(120), row(60, adaptive="none", recipe="deepwordbug")) == []


@pytest.mark.parametrize(("held", "yes", "opposite"), [(100, True, False), (50, False, True), (91, False, False)])
def test_robustness_is_held_within_five_points(held, yes, opposite):
    (answer,) = asked("held", row(held), row(100, kind="dense"))
    assert (answer.yes, answer.opposite, answer.line) == (yes, opposite, -0.05)


@pytest.mark.parametrize(("held", "yes", "opposite"), [(80, True, False), (10, False, True), (52, False, False)])
def test_a_collapse_is_half_of_the_dense_models(held, yes, opposite):
    (answer,) = asked("collapse", row(held, sparsity=0.875), row(100, kind="dense"))
    assert (answer.yes, answer.opposite) == (yes, opposite)
    assert answer.estimate == pytest.approx(held / TEXTS - 0.25)


def test_levelling_off_is_a_gain_and_then_none():
    gain, last = asked("levels", *(row(held, calibration=size) for size, held in ((16, 40), (64, 100), (128, 101))))
    assert (gain.setting["from"], gain.setting["to"], gain.yes) == (16, 128, True)
    assert (last.setting["from"], last.setting["to"], last.yes) == (64, 128, True)
    gain, last = asked("levels", *(row(held, calibration=size) for size, held in ((16, 100), (64, 101), (128, 150))))
    assert (gain.yes, last.yes, last.opposite) == (True, False, True)


def test_the_last_doubling_is_between_settings_of_as_many_seeds():
    rows = [row(held, calibration=size, seed=seed) for size, held in ((16, 40), (64, 100), (128, 101)) for seed in (0, 1)]
    gain, last = asked("levels", *rows, row(150, calibration=512))
    assert (gain.setting["to"], last.setting["from"], last.seeds) == (128, 64, 2)


def test_seeds_are_taken_together():
    rows = [row(held, seed=seed) for seed, held in enumerate((80, 100, 120))]
    (answer,) = asked("held", *rows, row(100, kind="dense"))
    assert (answer.seeds, answer.examples) == (3, TEXTS)
    assert answer.estimate == pytest.approx(0)
    (alone,) = asked("held", rows[1], row(100, kind="dense"))
    assert answer.high - answer.low > alone.high - alone.low, "seeds that differ make it less certain"


def test_where_a_text_has_no_outcome_nothing_is_compared():
    assert asked("held", row(100, outcomes="t" + "h" * (TEXTS - 1)), row(100, kind="dense")) == []


def test_a_verdict_is_yes_only_if_every_setting_says_so():
    found = claims.answers(table(row(120), row(60, adaptive="none"), row(90, sparsity=0.7), row(88, sparsity=0.7, adaptive="none")))
    verdict = next(one for one in claims.verdicts(found) if (one.claim, one.measure) == ("adaptive", "aua"))
    assert (verdict.holds, verdict.asked, verdict.open, verdict.yes) == (1, 2, 1, False)


def test_what_ships_answers_every_claim(empty_home):
    found = claims.answers(studies.results())
    assert {(one.claim, one.measure) for one in found} == {(claim, measure) for claim in claims.CLAIMS for measure in seed_groups.MEASURES}
    assert max(one.seeds for one in found) > 1


def test_groups_take_accuracy_from_all_evaluation_texts(empty_home):
    for group in seed_groups.pruned_runs(studies.results())[:5]:
        assert group.accuracy().value == pytest.approx(group.rows["accuracy"].mean())
    assert results_table.COLUMNS.keys() == set(studies.results().columns)
