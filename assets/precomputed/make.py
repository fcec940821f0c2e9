"""Makes the precomputed results that ship, with the same calls that the app and the command line use, from the demo texts alone.

    python assets/precomputed/make.py [FOLDER]

The results are first stored in an ordinary store in FOLDER. Without FOLDER the store is temporary; with FOLDER, an interrupted call can
continue later. Reports, evaluations, attack scores, traces, attention maps and lines between models are then copied here; weights are not.
Soups and tables need more than the demo texts: see make_tables.py.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

MANY = [
    (method, adaptive, sparsity)
    for sparsity in (0.5, 0.875, 0.7, 0.3, 0.8)
    for method, adaptive in (("admm", "full"), ("magnitude", "none"), ("sparsegpt", "hessian"))
]
SOME = [("admm", "full", 0.5), ("magnitude", "none", 0.5), ("admm", "full", 0.875)]
RUNS = {"sst2-soup": MANY, "sst2-demo": MANY, "ag_news-soup": SOME, "ag_news-demo": SOME}
ATTACKED = {"sst2-soup", "sst2-demo"}
# Curves over the number of calibration texts (Fig. 3), at one sparsity where pruning can lose little and at one where it can lose much.
CALIBRATED, CALIBRATIONS = ("sst2-soup",), (16, 32, 64, 128, 256)
CALIBRATED_SPARSITIES = (0.5, 0.875)
# How errors pile up, and how adaptive pruning corrects them: runs with every adaptive mode. Without the residual correction, the error of each
# layer is the error of its own output.
PILED, PILED_SPARSITIES = "sst2-soup", (0.5, 0.7)
# The third model of the paper's Figure 2.
FIGURE_2 = "sst2-imp-freelb"
# Lines between two models.
CURVES = (("sst2-freelb-1", "sst2-plain-1"), ("ag_news-freelb-1", "ag_news-plain-1"))
KINDS = ("runs", "evaluations", "scores", "attacks", "attentions", "curves", "embeddings", "layers")
# One attack that swaps synonyms, and one that shares nothing with the victims.
RECIPES = ("textfooler", "deepwordbug")
SHOWN = [("admm", "full", 0.5), ("admm", "full", 0.875)]
# All demo texts are attacked one by one, for replay: the runs of SHOWN and, of the model that the app starts with, every sparsity of the slider.
FIRST = "sst2-soup"


def main() -> None:
    """Makes and copies everything."""
    with tempfile.TemporaryDirectory() as temporary:
        home = sys.argv[1] if len(sys.argv) > 1 else temporary
        os.environ["ROBUSTPRUNE_HOME"] = home
        os.environ.pop("ROBUSTPRUNE_DATA_DIR", None)
        os.environ["NLTK_DATA"] = str(Path(home) / "none")  # an empty folder: attacks use only the resources that every machine has
        for model, settings in RUNS.items():
            make(model, settings)
        for model in CALIBRATED:
            calibrate(model)
        pile_up()
        draw()
        for kind in KINDS:
            copy(Path(home) / kind, HERE / kind)


def make(model: str, settings: list[tuple[str, str, float]]) -> None:
    """Prunes a model in all settings, attacks the runs, and computes attention maps, embeddings and close-ups of layers."""
    from robustprune import lab
    from robustprune.analysis import attention, embeddings
    from robustprune.attacks.resources.names import describe
    from robustprune.specs.attack import AttackSpec
    from robustprune.specs.prune import PruneSpec

    if any(describe(AttackSpec(recipe)) != describe(AttackSpec(recipe), anywhere=True) for recipe in RECIPES):
        sys.exit("Published resources are on this machine; what ships must be made with those that are on any.")
    refs = [model]
    for method, adaptive, sparsity in settings:
        run = lab.prune(PruneSpec(model, method=method, adaptive=adaptive, sparsity=sparsity))
        print(f"{model} {method} {adaptive} {sparsity}: {run.dense.accuracy:.3f} -> {run.sparse.accuracy:.3f}, {run.report.seconds:.0f} s", flush=True)
        refs.append(run.ref)
        shown = [model, run.ref]
        if (method, adaptive, sparsity) in SHOWN:
            for ref in shown:
                for sentence in (attention.PAPER_SENTENCE, attention.PAPER_ORIGINAL):
                    lab.attention(ref, sentence)
                lab.embeddings(ref, [embeddings.PAPER_ORIGINAL, embeddings.PAPER_ADVERSARIAL])
            lab.layer_views(run)
        if (method, adaptive, sparsity) in SHOWN or (model == FIRST and method == "admm"):
            for text, label in lab.showcase(model):
                lab.attack_side_by_side(shown, text, label, AttackSpec())
    for recipe in RECIPES if model in ATTACKED else ():
        for attacked in lab.attack_texts(refs, None, lab.ATTACK_EXAMPLES, AttackSpec(recipe)):
            scores = attacked.scores
            print(f"{attacked.model}, {recipe}: Acc {scores.acc.value:.3f}, Aua {scores.aua.value:.3f} on {scores.examples} texts", flush=True)


def calibrate(model: str) -> None:
    """Prunes with a growing number of calibration texts, and attacks the runs."""
    from robustprune import lab
    from robustprune.specs.attack import AttackSpec
    from robustprune.specs.prune import PruneSpec

    specs = [PruneSpec(model, sparsity=sparsity, calibration=texts) for sparsity in CALIBRATED_SPARSITIES for texts in CALIBRATIONS]
    refs = [lab.prune(spec).ref for spec in specs]
    for attacked in lab.attack_texts(refs, None, lab.ATTACK_EXAMPLES, AttackSpec()):
        print(f"{attacked.model}: Aua {attacked.scores.aua.value:.3f}", flush=True)


def pile_up() -> None:
    """Prunes with every adaptive mode, and attacks the runs."""
    from robustprune import lab
    from robustprune.specs.attack import AttackSpec
    from robustprune.specs.prune import ADAPTIVE, PruneSpec

    specs = [PruneSpec(PILED, adaptive=adaptive, sparsity=sparsity, residual=False) for sparsity in PILED_SPARSITIES for adaptive in ADAPTIVE]
    for attacked in lab.attack_texts([lab.prune(spec).ref for spec in specs], None, lab.ATTACK_EXAMPLES, AttackSpec()):
        print(f"{attacked.model}: Aua {attacked.scores.aua.value:.3f}", flush=True)


def draw() -> None:
    """Computes the results that the dense page and Figure 2 show."""
    from robustprune import lab
    from robustprune.analysis.attention import PAPER_ORIGINAL, PAPER_SENTENCE
    from robustprune.lab.curves import ATTACKED

    for sentence in (PAPER_SENTENCE, PAPER_ORIGINAL):
        lab.attention(FIGURE_2, sentence)
    for first, second in CURVES:
        lab.averaging_curve(first, second, lab.usual_dataset(first), attacked=ATTACKED)


def copy(source: Path, target: Path) -> None:
    """Copies store entries without weights, and without the traces of whole samples."""
    for entry in sorted(source.glob("[!.]*")) if source.is_dir() else []:
        shutil.copytree(entry, target / entry.name, ignore=shutil.ignore_patterns("model", "traces.jsonl"), dirs_exist_ok=True)


if __name__ == "__main__":
    main()
