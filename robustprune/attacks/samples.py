"""Attacks on a sample of texts, on several models side by side. Every trace is written to disk when its attack ends, so that an
interrupted call can be resumed."""

import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from robustprune.attacks import archive
from robustprune.attacks.resources.names import describe
from robustprune.attacks.scores import Result, Scores, score
from robustprune.attacks.traces import journal
from robustprune.base import logs, paths
from robustprune.base.errors import Cancelled, DataError, RobustPruneError, SpecError, StoreError
from robustprune.base.messages import Message
from robustprune.base.progress import Cancel, Check, Progress, check_cancelled
from robustprune.base.store import Entry, Store
from robustprune.models.sources import ModelSource
from robustprune.specs.attack import AttackSpec, check_attackable
from robustprune.texts import datasets

if TYPE_CHECKING:
    from robustprune.attacks.engine.attacker import Attacker
    from robustprune.attacks.traces.trace import AttackTrace

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class AttackRun:
    """The attacks on one model over a sample of texts.

    Attributes:
        results: the results of the texts that could be attacked, in the sample's order.
        failed: the reason for each text that could not be attacked, by its place in the sample.
        traces: the file of traces; None if there is no file, as for results that ship.
        troubles: one sentence for every problem with writing files.
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
        """The total time of all texts, in seconds."""
        return sum(result.seconds for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """A JSON object: the flat scores, the model, texts and settings of the attack, and the texts that could not be attacked."""
        failed = [{"example": example, "reason": reason} for example, reason in self.failed.items()]
        about = {"model": self.model, "dataset": self.dataset, "split": self.split, "recipe": self.spec.recipe, "settings": self.spec.to_json()}
        return {**about, "resources": self.resources, **self.scores.to_json(), "seconds": self.seconds, "failures": failed, "troubles": list(self.troubles)}


@dataclass
class _Progress:
    """The results of one model so far."""

    source: ModelSource
    journal_path: Path
    entry: Entry | None = None  # the store's entry, if the store already holds all results
    results: dict[int, Result] = field(default_factory=dict)
    failed: dict[int, RobustPruneError] = field(default_factory=dict)
    kept: journal.TraceFile | None = None

    def lacks(self, place: int) -> bool:
        """True if the text at that place still has to be attacked."""
        return place not in self.results and place not in self.failed


def attack(
    store: Store,
    sources: Sequence[ModelSource],
    texts: datasets.Texts,
    spec: AttackSpec,
    make: "Callable[[Progress, Cancel | None], Attacker]",
    text_at: Callable[[int], Progress],
    waiting: Callable[[str], None],
    cancel: Cancel | None,
    out: Path | None,
) -> list[AttackRun]:
    """Attacks every text on every model and stores the results. Texts that are in the store or in the journal are not attacked again.

    ``make`` returns the attacker of all models; it is called only if some text still has to be attacked. ``text_at(place)`` returns the
    progress for the text at that place. ``waiting(model)`` is called twice a second while another process attacks the same model on the
    same texts; it may raise Cancelled. The results of that process are then reused. ``out`` is a file that receives every trace as its
    attack ends.

    Raises:
        Cancelled: the attacker was cancelled. The finished attacks are on disk, and the next call continues from them.
        RobustPruneError: no text could be attacked. The error is that of the first failed text.
    """
    with ExitStack() as stack:
        stack.enter_context(logs.work(f"attack by {spec.recipe} on {len(texts)} texts", archive.scores_key(sources[0].digest, texts, spec)))
        known = []
        for source in sorted(sources, key=lambda source: _journal_path(source, texts, spec)):  # in the same order in every process: no deadlock
            _take_hold(stack, source, texts, spec, waiting)
        for source in sources:
            known.append(_stored(store, source, texts, spec, out is not None) or _open(stack, source, texts, spec))
        named = _Out(out)
        stack.callback(named.close)
        _attack_all(known, texts, make, text_at, cancel, named)
        if not any(one.results for one in known) and known[0].failed:
            raise next(iter(known[0].failed.values()))
        _measure_similarities(known, lambda: check_cancelled(cancel))
        return [_finished(store, one, texts, spec, tuple(named.troubles)) for one in known]


def _stored(store: Store, source: ModelSource, texts: datasets.Texts, spec: AttackSpec, with_traces: bool) -> _Progress | None:
    """The stored results of a model. None if there are none, or if ``with_traces`` is set and the entry holds no traces."""
    entry = archive.find_scores(store, source.digest, texts, spec)
    if entry is None or (with_traces and not (entry.folder / archive.TRACES).is_file()):
        return None
    results = {result["example"]: Result(**result) for result in entry.document["results"]}
    failed = {int(place): DataError("base.verbatim", text=reason) for place, reason in entry.document["failures"].items()}
    return _Progress(source, entry.folder / archive.TRACES, entry, results, failed)


def _journal_path(source: ModelSource, texts: datasets.Texts, spec: AttackSpec) -> Path:
    return paths.home() / "journals" / f"{archive.scores_key(source.digest, texts, spec)}.jsonl"


def _take_hold(stack: ExitStack, source: ModelSource, texts: datasets.Texts, spec: AttackSpec, waiting: Callable[[str], None]) -> None:
    """Takes the lock on this model and these texts and holds it until the stack is closed. Waits while another process holds it."""
    path = _journal_path(source, texts, spec)
    lock = FileLock(f"{path}.lock", timeout=SECONDS_BETWEEN_LOOKS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                stack.enter_context(lock)
                return
            except Timeout:
                waiting(source.name)
    except OSError as error:
        log.warning("The attack goes on without a lock (%s): do not start it twice at once.", error)


def _open(stack: ExitStack, source: ModelSource, texts: datasets.Texts, spec: AttackSpec) -> _Progress:
    """Reads the results in a model's journal, and keeps the journal open for further traces until the stack is closed."""
    one = _Progress(source, _journal_path(source, texts, spec))
    try:
        one.kept = journal.TraceFile(one.journal_path, keep=True)
    except StoreError as error:
        log.warning("Traces cannot be kept on the way (%s): if this attack is interrupted, it starts again from the beginning.", error)
        return one
    stack.callback(one.kept.close)
    for trace in journal.read(one.journal_path):
        if trace.example is not None and trace.example < len(texts) and trace.text == texts.texts[trace.example]:
            one.results[trace.example] = Result.of(trace)
    return one


def _attack_all(
    known: list[_Progress],
    texts: datasets.Texts,
    make: "Callable[[Progress, Cancel | None], Attacker]",
    text_at: Callable[[int], Progress],
    cancel: Cancel | None,
    named: "_Out",
) -> None:
    for one in known:
        named.copy(one.journal_path)
    left = [place for place in range(len(texts)) if any(one.lacks(place) for one in known)]
    if not left:
        return
    at_hand = text_at(left[0])

    def progress(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
        at_hand(done, total, doing, partial)

    attacker = make(progress, cancel)
    for place in left:
        at_hand = text_at(place)
        missing = [i for i, one in enumerate(known) if one.lacks(place)]
        try:
            traces = attacker.attack(check_attackable(texts.texts[place]), texts.labels[place], place, missing)
        except Cancelled:
            raise
        except RobustPruneError as error:
            for i in missing:
                known[i].failed[place] = error
            continue
        except Exception as error:  # if TextAttack breaks down on one text, the other texts must still be attacked
            log.warning("Text %d cannot be attacked.", place, exc_info=True)
            for i in missing:
                known[i].failed[place] = DataError("attacks.text_broke_down", kind=type(error).__name__, error=error)
            continue
        for i, trace in zip(missing, traces, strict=True):
            _keep(known[i], trace, named)


def _keep(one: _Progress, trace: "AttackTrace", named: "_Out") -> None:
    one.results[trace.example] = Result.of(trace)
    text = journal.line(trace)
    named.append(text)
    if one.kept is not None and trace.outcome != "stopped":  # a stopped attack is tried again by the next call
        try:
            one.kept.append_line(text)
        except StoreError as error:
            named.troubles.append(str(error))
            one.kept = None


def _measure_similarities(known: list[_Progress], check: Check) -> None:
    """Measures the similarity of every changed text to its original. Encoding all of them together is faster than one by one."""
    from robustprune.attacks.resources.loading import sentence_encoder

    changed = [(one, place) for one in known if one.entry is None for place, result in one.results.items() if result.perturbed != result.text]
    if not changed:
        return
    results = [one.results[place] for one, place in changed]
    similarities = sentence_encoder().similarities([result.text for result in results], [result.perturbed for result in results], check)
    for (one, place), similarity in zip(changed, similarities, strict=True):
        one.results[place] = replace(one.results[place], similarity=similarity)


class _Out:
    """The file that the user named for the traces. If it cannot be written, the attacks continue without it.

    ``troubles`` collects the problems with writing this file or a journal.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = journal.TraceFile(path, keep=False) if path else None
        self.troubles: list[str] = []

    def append(self, text: str) -> None:
        if self._file is not None:
            try:
                self._file.append_line(text)
            except StoreError as error:
                self.troubles.append(str(error))
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


def _finished(store: Store, one: _Progress, texts: datasets.Texts, spec: AttackSpec, troubles: tuple[str, ...]) -> AttackRun:
    """Returns the run, and stores it if it is final: no text was stopped, and every failure would happen again in the next call."""
    results = tuple(one.results[place] for place in sorted(one.results))
    failed = {place: str(error) for place, error in sorted(one.failed.items())}
    scores = score(results, spec.recipe, len(failed))
    final = scores.stopped == 0 and all(isinstance(error, DataError | SpecError) for error in one.failed.values())
    resources, traces = one.entry.document["resources"] if one.entry else describe(spec).to_json(), one.journal_path
    if final and one.kept is not None:
        document = {
            "dataset": texts.dataset, "split": texts.split, "resources": resources, **scores.to_json(),
            "results": [result.to_json() for result in results], "failures": failed,
        }  # fmt: skip

        def fill(folder: Path) -> None:
            shutil.copyfile(one.journal_path, folder / archive.TRACES)

        try:
            entry = archive.put_scores(store, one.source.name, one.source.digest, texts, document, spec, fill)
            traces = entry.folder / archive.TRACES
            one.journal_path.unlink(missing_ok=True)
        except StoreError as error:
            troubles = (*troubles, str(error))
    found = traces if traces.is_file() else None
    return AttackRun(one.source.name, texts.dataset, texts.split, spec, resources, scores, results, failed, found, troubles)
