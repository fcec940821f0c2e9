"""Attacks on samples of texts: several models side by side, resumable, every trace written down as it ends."""

import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from robustprune import data, paths
from robustprune.attacks import archive, journal
from robustprune.attacks.metrics import Result, Scores, score
from robustprune.errors import Cancelled, DataError, RobustPruneError, SpecError, StoreError
from robustprune.models import ModelSource
from robustprune.spec import AttackSpec, check_attackable
from robustprune.store import Entry, Store

if TYPE_CHECKING:
    from robustprune.attacks.run import Attacker
    from robustprune.attacks.trace import AttackTrace

# Makes the attacker of the models at the given places; called only where something is left to attack.
MakeAttacker = Callable[[Sequence[int]], "Attacker"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AttackRun:
    """A model attacked on a sample of texts.

    Attributes:
        results: of the texts that could be attacked, in the sample's order.
        failed: why the others could not, by their place in the sample.
        traces: the file of traces; None for what ships.
        troubles: what could not be written, in sentences.
    """

    model: str
    dataset: str
    split: str
    spec: AttackSpec
    resources: dict[str, str]
    scores: Scores
    results: tuple[Result, ...]
    failed: dict[int, str]
    traces: Path | None
    troubles: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Seconds that the texts took, all together."""
        return sum(result.seconds for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """A JSON object: the scores flat, with what was attacked, how, and what could not be."""
        failed = [{"example": example, "reason": reason} for example, reason in self.failed.items()]
        about = {"model": self.model, "dataset": self.dataset, "split": self.split, "recipe": self.spec.recipe, "settings": self.spec.to_json()}
        return {**about, "resources": self.resources, **self.scores.to_json(), "seconds": self.seconds, "failures": failed, "troubles": list(self.troubles)}


@dataclass
class _Progress:
    """What is known of one model so far."""

    source: ModelSource
    journal_path: Path
    results: dict[int, Result] = field(default_factory=dict)
    failed: dict[int, RobustPruneError] = field(default_factory=dict)
    kept: journal.TraceFile | None = None


def find(store: Store, source: ModelSource, texts: data.Texts, spec: AttackSpec) -> AttackRun | None:
    """The stored attack run, if there is one. Answers without loading a model."""
    entry = archive.find_scores(store, source.digest, texts, spec)
    return _from_entry(entry, source.name, texts, spec) if entry else None


def attack(
    store: Store, sources: Sequence[ModelSource], texts: data.Texts, spec: AttackSpec, make: MakeAttacker, told: Callable[[int], None], out: Path | None
) -> list[AttackRun]:
    """Attacks every text on every model and stores the results; what was stored or written down before is not attacked again.

    ``out``: a file that gets all traces as they come. ``told(place)`` hears which text is at hand, before it is attacked.

    Raises:
        Cancelled: from the attacker; what has ended is written down, and the next call goes on from there.
        StoreError: another process is at the same texts.
        RobustPruneError: not one text could be attacked; the first reason.
    """
    stored = [archive.find_scores(store, source.digest, texts, spec) for source in sources]
    if all(stored) and (out is None or all((entry.folder / archive.TRACES).is_file() for entry in stored)):
        troubles = _copied([entry.folder / archive.TRACES for entry in stored], out)
        return [_from_entry(entry, source.name, texts, spec, troubles) for entry, source in zip(stored, sources, strict=True)]
    with ExitStack() as stack:
        known = [_open(stack, source, texts, spec) for source in sources]
        _attack_all(stack, known, texts, make, told, out, troubles := [])
    if not any(one.results for one in known) and known[0].failed:
        raise next(iter(known[0].failed.values()))
    _measure_similarities(known)
    return [_finished(store, one, texts, spec, tuple(troubles)) for one in known]


def _open(stack: ExitStack, source: ModelSource, texts: data.Texts, spec: AttackSpec) -> _Progress:
    """Takes hold of a model's journal, and reads what it holds."""
    one = _Progress(source, paths.home() / "journals" / f"{archive.scores_key(source.digest, texts, spec)}.jsonl")
    try:
        one.journal_path.parent.mkdir(parents=True, exist_ok=True)
        stack.enter_context(FileLock(f"{one.journal_path}.lock", timeout=0.2))
        one.kept = journal.TraceFile(one.journal_path, keep=True)
    except Timeout as error:
        raise StoreError(
            f"Another process is attacking {source.name} on the same texts. Wait until it has ended; its results are then there at once."
        ) from error
    except (OSError, StoreError) as error:
        log.warning("Traces cannot be kept on the way (%s): if this attack is interrupted, it starts again from the beginning.", error)
        return one
    stack.callback(one.kept.close)
    for trace in journal.read(one.journal_path):
        if trace.example is not None and trace.example < len(texts) and trace.text == texts.texts[trace.example]:
            one.results[trace.example] = Result.of(trace)
    return one


def _attack_all(
    stack: ExitStack, known: list[_Progress], texts: data.Texts, make: MakeAttacker, told: Callable[[int], None], out: Path | None, troubles: list[str]
) -> None:
    named = _Out(out, troubles)
    stack.callback(named.close)
    for one in known:
        named.copy(one.journal_path)
    left = [place for place in range(len(texts)) if any(place not in one.results for one in known)]
    attacker = make(range(len(known))) if left else None
    for place in left:
        told(place)
        missing = [i for i, one in enumerate(known) if place not in one.results]
        try:
            traces = attacker.attack(check_attackable(texts.texts[place]), texts.labels[place], place, missing)
        except Cancelled:
            raise
        except RobustPruneError as error:
            for i in missing:
                known[i].failed[place] = error
            continue
        except Exception as error:  # a text that TextAttack cannot digest must not cost the others their attack
            log.warning("Text %d cannot be attacked.", place, exc_info=True)
            for i in missing:
                known[i].failed[place] = DataError(f"The attack broke down on this text ({type(error).__name__}: {error}).")
            continue
        for i, trace in zip(missing, traces, strict=True):
            _keep(known[i], trace, named, troubles)


def _keep(one: _Progress, trace: "AttackTrace", named: "_Out", troubles: list[str]) -> None:
    one.results[trace.example] = Result.of(trace)
    text = journal.line(trace)
    named.append(text)
    if one.kept is not None and trace.outcome != "stopped":  # one that was stopped is tried again
        try:
            one.kept.append_line(text)
        except StoreError as error:
            troubles.append(str(error))
            one.kept = None


def _measure_similarities(known: list[_Progress]) -> None:
    """How close every changed text is to its original: all of them together, which is faster than one by one."""
    from robustprune.attacks.resources import sentence_encoder

    changed = [(one, place) for one in known for place, result in one.results.items() if result.perturbed != result.text]
    results = [one.results[place] for one, place in changed]
    similarities = sentence_encoder().similarities([result.text for result in results], [result.perturbed for result in results]) if results else []
    for (one, place), similarity in zip(changed, similarities, strict=True):
        one.results[place] = replace(one.results[place], similarity=similarity)


class _Out:
    """The file that a person named for the traces. When it cannot be written to, the attacks go on without it."""

    def __init__(self, path: Path | None, troubles: list[str]) -> None:
        self._file = journal.TraceFile(path, keep=False) if path else None
        self._troubles = troubles

    def append(self, text: str) -> None:
        if self._file is not None:
            try:
                self._file.append_line(text)
            except StoreError as error:
                self._troubles.append(str(error))
                self.close()

    def copy(self, source: Path) -> None:
        if self._file is not None and source.is_file():
            with open(source, encoding="utf-8") as file:
                for text in file:
                    self.append(text)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _copied(sources: list[Path], out: Path | None) -> tuple[str, ...]:
    """Copies stored traces to the file that a person named; gives what went wrong."""
    troubles: list[str] = []
    target = _Out(out, troubles)
    for source in sources if out else []:
        target.copy(source)
    target.close()
    return tuple(troubles)


def _finished(store: Store, one: _Progress, texts: data.Texts, spec: AttackSpec, troubles: tuple[str, ...]) -> AttackRun:
    """The run; stored if asking again could not tell more: nothing was stopped, and what failed will always fail."""
    results = tuple(one.results[place] for place in sorted(one.results))
    failed = {place: str(error) for place, error in sorted(one.failed.items())}
    scores = score(results, spec.recipe, len(failed))
    final = scores.stopped == 0 and all(isinstance(error, DataError | SpecError) for error in one.failed.values())
    traces = one.journal_path
    if final and one.kept is not None:
        document = {
            "dataset": texts.dataset, "split": texts.split, "resources": _resources(spec), **scores.to_json(),
            "results": [result.to_json() for result in results], "failures": failed,
        }  # fmt: skip
        try:
            entry = archive.put_scores(store, one.source.digest, texts, document, spec, lambda folder: _copy(one.journal_path, folder / archive.TRACES))
            traces = entry.folder / archive.TRACES
            one.journal_path.unlink()
        except StoreError as error:
            troubles = (*troubles, str(error))
    return AttackRun(one.source.name, texts.dataset, texts.split, spec, _resources(spec), scores, results, failed, traces, troubles)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _resources(spec: AttackSpec) -> dict[str, str]:
    from robustprune.attacks.resource_names import describe

    return describe(spec).to_json()


def _from_entry(entry: Entry, model: str, texts: data.Texts, spec: AttackSpec, troubles: tuple[str, ...] = ()) -> AttackRun:
    document, traces = entry.document, entry.folder / archive.TRACES
    results = tuple(Result(**result) for result in document["results"])
    failed = {int(place): reason for place, reason in document["failures"].items()}
    scores = score(results, spec.recipe, len(failed))
    return AttackRun(model, texts.dataset, texts.split, spec, document["resources"], scores, results, failed, traces if traces.is_file() else None, troubles)
