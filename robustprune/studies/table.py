"""All results in one tidy table: one row per model and attack, and one row without attack columns for a run that was never attacked.

The table is made from the entries of the store. The facts of every entry are cached in ``index/facts.json``, keyed by the entry's path,
size and time of change, so that every entry is read only once. The index may be deleted at any time.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.attacks.archive import ABOUT, ATTACKS_VERSION, SCORES
from robustprune.base import folders, partials, paths
from robustprune.base.errors import RobustPruneError
from robustprune.base.messages import say
from robustprune.base.progress import Progress
from robustprune.base.store import Entry, Store, understood
from robustprune.lab.accuracy import KIND as EVALUATIONS
from robustprune.lab.accuracy import OF
from robustprune.lab.models import BASELINE_KIND
from robustprune.lab.run_record import RunRecord
from robustprune.lab.runs import KIND as RUNS
from robustprune.models import sources
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
VERSION = 1
# The outcome of a text as one character. The column ``outcomes`` joins them in the sample's order.
OUTCOMES = {"held": "h", "flipped": "f", "skipped": "s", "stopped": "t"}
FAILED = "x"
# The fields of a run's spec that become columns.
OWN = ("dataset", "method", "adaptive", "sparsity", "pattern", "scope", "allocation", "calibration", "seed", "residual")
MEANS = ("queries_mean", "words_changed_mean", "similarity_mean")

# The columns, each with its type. Rates are in [0, 1] with Wilson 95 % intervals. Seconds were measured on the machine of the run.
COLUMNS: dict[str, str] = {
    "digest": "str",             # digest of the model; for a run, its key
    "model": "str",              # name of the model in calls of the lab
    "kind": "str",               # dense, pruned, retrained
    "start": "str",              # the model that it was pruned from; for a dense model, its own name
    "dataset": "str",            # data set of calibration or training
    "method": "str",             # for retrained baselines: imp, lth, imp+freelb or lth+freelb
    "adaptive": "str",
    "sparsity": "Float64",       # the requested sparsity; 0 for a dense model
    "exact_sparsity": "Float64",
    "pattern": "str",
    "scope": "str",
    "allocation": "str",
    "ridge": "str",
    "residual": "boolean",
    "refit_head": "boolean",
    "calibration": "Int64",      # requested number of calibration texts
    "calibration_texts": "Int64",  # actual number, including the held-out texts
    "seed": "Int64",             # seed of the draw of calibration texts; for a baseline, of its training
    "usual": "boolean",          # True if allocation, ridge, residual, refit_head and layer sparsities have their defaults
    "mean_error": "Float64",     # relative reconstruction error, mean over layers
    "mean_held_out": "Float64",  # the same on texts held out of the calibration
    "prune_seconds": "Float64",  # includes training for retrained baselines
    "accuracy": "Float64", "accuracy_low": "Float64", "accuracy_high": "Float64",
    "accuracy_examples": "Int64",
    "recipe": "str",
    "query_budget": "Int64",
    "word_budget": "Int64",
    "attack_seed": "Int64",      # seed of the draw of attacked texts
    "attacked_dataset": "str",
    "synonyms": "str",           # name of the attack's source of synonyms
    "texts": "str",              # hash of the sample; rows with the same hash were attacked on the same texts
    "examples": "Int64",
    "outcomes": "str",           # one character per text, in order: h held, f flipped, s skipped (misclassified), t stopped, x failed
    "acc": "Float64", "acc_low": "Float64", "acc_high": "Float64",
    "aua": "Float64", "aua_low": "Float64", "aua_high": "Float64",
    "asr": "Float64", "asr_low": "Float64", "asr_high": "Float64",
    "queries_mean": "Float64",
    "words_changed_mean": "Float64",
    "similarity_mean": "Float64",
    "attack_seconds": "Float64",
    "made": "str",               # day of the run
    "torch": "str",
    "shipped": "boolean",
}  # fmt: skip
# The columns that identify a row (WHAT), and the columns that the rows are sorted by (ORDER).
WHAT = ["digest", "recipe", "texts", "query_budget", "word_budget", "attack_seed", "synonyms"]
ORDER = ["start", "dataset", "method", "adaptive", "sparsity", "calibration", "seed", "recipe", "digest"]
_last: tuple[Any, Any] = (None, None)


def table(store: Store, progress: Progress) -> "pd.DataFrame":
    """The table of all results, with all COLUMNS. Entries that are damaged or of another version are left out with a warning in the log."""
    global _last
    import pandas as pd

    facts = _facts(store, progress)
    marks = tuple(facts)
    if _last[0] != marks:
        rows = pd.DataFrame(_rows(list(facts.values())), columns=list(COLUMNS)).astype(COLUMNS)
        shipped = [pd.read_parquet(path).astype(COLUMNS) for path in store.shipped_files("sweeps", ".parquet")]
        rows = pd.concat([rows, *shipped]).drop_duplicates(WHAT)  # keeps the rows that were made on this machine
        unattacked = rows["recipe"].isna() & rows["digest"].isin(rows.loc[rows["recipe"].notna(), "digest"])
        _last = (marks, rows[~unattacked].sort_values(ORDER, na_position="first", ignore_index=True))
    return _last[1].copy()


def of_models(rows: "pd.DataFrame", digests: Collection[str], attacks: Collection[AttackSpec], examples: int) -> "pd.DataFrame":
    """The rows of some models under some attacks, on samples of at most ``examples`` texts."""
    asked = {(attack.recipe, attack.query_budget, attack.seed) for attack in attacks}
    of = rows[rows["digest"].isin(digests) & rows["recipe"].notna() & (rows["examples"] <= examples).fillna(False)]
    same = [one in asked for one in zip(of["recipe"], of["query_budget"], of["attack_seed"], strict=True)]
    return of.loc[same].reset_index(drop=True)


def write(rows: "pd.DataFrame", out: Path) -> None:
    """Writes a table as CSV if the file's name ends in ``.csv``, else as Parquet. The file is written completely or not at all."""
    with folders.file_written_whole(out) as partial:
        (rows.to_csv if out.suffix == ".csv" else rows.to_parquet)(partial, index=False)


def _facts(store: Store, progress: Progress) -> dict[str, dict[str, Any]]:
    """The facts of every entry of the store, keyed by its path and stamp. Updates the index."""
    index = paths.home() / "index" / "facts.json"
    known = _read_index(index)
    stamps = {f"{path}|{stamp}": path for kind in _READERS for path, stamp in store.stamps(kind)}
    missing = [mark for mark in stamps if mark not in known]
    found = {mark: known[mark] for mark in stamps if mark in known}
    for number, mark in enumerate(missing):
        if number % 50 == 0:
            progress(number, len(missing), say("studies.reading_results"), None)
        if (facts := _read(store, stamps[mark])) is not None:
            found[mark] = facts
    if missing or len(known) != len(found):
        _write_index(index, found)
    return found


def _read(store: Store, folder: Path) -> dict[str, Any] | None:
    """The facts of one entry. None if the entry is damaged.

    An entry of another version of the program gives facts of the kind ``unknown``, so that it is not read again.
    """
    entry = store.read(folder)
    if entry is None:
        return None
    facts = understood(entry, _READERS[folder.parent.name])
    return {"kind": "unknown", "key": entry.key} if facts is None else {"kind": folder.parent.name, "key": entry.key, "shipped": entry.shipped, **facts}


def _of_run(entry: Entry) -> dict[str, Any]:
    record = RunRecord.from_json(entry.document)
    spec, report = record.spec, record.report
    own = {name: getattr(spec, name) for name in OWN}
    usual = PruneSpec(spec.model, spec.dataset, spec.method, spec.adaptive, spec.sparsity, spec.pattern, spec.scope, spec.calibration, seed=spec.seed)
    return own | {
        "row": "pruned", "start": spec.model, "exact_sparsity": report.sparsity, "ridge": str(spec.ridge),
        "refit_head": spec.refit_head, "calibration_texts": report.calibration + report.held_out, "usual": spec == usual,
        "mean_error": record.mean_error, "mean_held_out": record.mean_held_out, "prune_seconds": report.seconds,
        "made": record.made["day"], "torch": record.made["torch"], **_accuracy(record.sparse.to_json()),
    }  # fmt: skip


def _of_baseline(entry: Entry) -> dict[str, Any]:
    return _of_card(entry.document)


def _of_card(card: dict[str, Any]) -> dict[str, Any]:
    """The facts of a retrained baseline, from its card."""
    settings = card["settings"]
    method = settings["method"] + ("+freelb" if settings["train"]["freelb"]["steps"] else "")
    return {
        "row": "retrained", "start": card["backbone"], "dataset": card["dataset"], "method": method, "sparsity": settings["sparsity"],
        "exact_sparsity": settings["sparsity"], "seed": settings["train"]["seed"], "prune_seconds": card["seconds"], "made": card["made"],
        "torch": card["versions"]["torch"], **_accuracy(card["scores"]),
    }  # fmt: skip


def _of_evaluation(entry: Entry) -> dict[str, Any]:
    return {"of": entry.document[OF], "on": entry.document["dataset"], **_accuracy(entry.document)}


def _of_scores(entry: Entry) -> dict[str, Any]:
    document, about = entry.document, entry.document[ABOUT]
    settings, results = about["settings"], document["results"]
    places = {result["example"]: OUTCOMES[result["outcome"]] for result in results} | {int(place): FAILED for place in document["failures"]}
    rates = {name: document[name] for name in COLUMNS if name.partition("_")[0] in ("acc", "aua", "asr") or name in MEANS}
    return rates | {
        "of": about["digest"], "model": about["model"], "version": about["version"], "recipe": settings["recipe"], "query_budget": settings["query_budget"],
        "word_budget": settings["word_budget"], "attack_seed": settings["seed"], "attacked_dataset": document["dataset"],
        "synonyms": document["resources"]["synonyms"], "texts": about["texts"], "examples": document["examples"],
        "outcomes": "".join(places[place] for place in sorted(places)), "attack_seconds": sum(result["seconds"] for result in results),
    }  # fmt: skip


def _accuracy(of: dict[str, Any]) -> dict[str, Any]:
    return {"accuracy": of["accuracy"], "accuracy_low": of["accuracy_low"], "accuracy_high": of["accuracy_high"], "accuracy_examples": of["examples"]}


_READERS: dict[str, Callable[[Entry], dict[str, Any]]] = {RUNS: _of_run, BASELINE_KIND: _of_baseline, EVALUATIONS: _of_evaluation, SCORES: _of_scores}


def _rows(facts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields one row per model and attack. A result that ships and was also made on this machine gives one row."""
    by_kind: dict[str, dict[str, dict[str, Any]]] = {}
    for fact in facts:  # facts from this machine come first
        by_kind.setdefault(fact["kind"], {}).setdefault(fact["key"], fact)
    bases = {**by_kind.get(RUNS, {}), **by_kind.get(BASELINE_KIND, {})}
    names = {RUNS: sources.RUN, BASELINE_KIND: sources.BASELINE}
    measured: dict[tuple[str, str], dict[str, Any]] = {}
    for one in by_kind.get(EVALUATIONS, {}).values():
        known = measured.get((one["of"], one["on"]))
        if known is None or one["accuracy_examples"] > known["accuracy_examples"]:
            measured[one["of"], one["on"]] = one
    attacked = set()
    for scores in by_kind.get(SCORES, {}).values():
        if scores["version"] != ATTACKS_VERSION:
            continue
        base = bases.get(scores["of"])
        attacked.add(scores["of"])
        known = base or {**_dense(scores["model"]), **measured.get((scores["of"], scores["attacked_dataset"]), {})}
        yield {**known, **scores, "digest": scores["of"], "kind": known["row"], "shipped": scores["shipped"]}
    for key, base in bases.items():
        if key not in attacked:
            yield {**base, "digest": key, "model": names[base["kind"]] + key, "kind": base["row"]}


def _dense(name: str) -> dict[str, Any]:
    """The facts of a model that is not a stored run: those on its card for a shipped baseline, else those of a dense model."""
    if name in sources.baselines():
        return _of_card(sources.card(name))
    try:
        dataset = sources.find(name).dataset
    except RobustPruneError:  # the folder of the model no longer exists
        dataset = None
    return {"row": "dense", "start": name, "dataset": dataset, "sparsity": 0.0, "exact_sparsity": 0.0}


def _read_index(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content["facts"] if content["version"] == VERSION else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("The index of results %s cannot be read (%s) and is made anew.", path, error)
        return {}


def _write_index(path: Path, facts: dict[str, dict[str, Any]]) -> None:
    try:
        with partials.file(path) as partial:
            partial.write_text(json.dumps({"version": VERSION, "facts": facts}), encoding="utf-8")
    except OSError as error:
        log.warning("The index of results %s cannot be written (%s): the next look at the results takes longer.", path, error.strerror)
