"""The attacker, which runs one recipe against one or several victims side by side, text by text."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from robustprune.attacks.engine import build, chance, library
from robustprune.attacks.engine.proposals import Proposals
from robustprune.attacks.engine.recorder import BudgetSpent, Recorder
from robustprune.attacks.engine.victim import victim
from robustprune.attacks.resources.loading import Resources
from robustprune.attacks.traces import changes
from robustprune.attacks.traces.trace import AttackTrace, Outcome
from robustprune.base.errors import DataError, OutOfTime, ResourceMissing
from robustprune.models.loading import Classifier
from robustprune.specs.attack import AttackSpec
from robustprune.specs.recipes import RECIPES

# Called all the time with None, to check for cancellation, and at every word with the trace so far. May raise Cancelled.
Watch = Callable[[AttackTrace | None], None]


class TimeUp(Exception):
    """The time limit of the current text is reached."""


class Attacker:
    """Runs one recipe against one or several victims with shared resources.

    TextAttack's caches are keyed by the text alone, so every victim has its own attack object. The proposals of the recipe are shared.
    """

    def __init__(self, classifiers: Sequence[Classifier], resources: Resources, spec: AttackSpec, watch: Watch) -> None:
        self._spec, self._watch = spec, watch
        self._settings, self._names = spec.to_json(), resources.names.to_json()
        self._deadline = float("inf")
        self._proposals = Proposals()
        self._resources = resources
        self._attacks: list[tuple[Classifier, Any]] = []
        for one in classifiers:
            self.add(one)

    def add(self, classifier: Classifier) -> None:
        """Adds a victim, at the last place."""
        self._attacks.append((classifier, build.build(victim(classifier, self._check), self._resources, self._spec, self._check)))

    @property
    def victim_seconds(self) -> float:
        """Seconds spent in the victims so far, for tokenisation and forward passes."""
        return sum(attack.goal_function.model.seconds for _, attack in self._attacks)

    def attack(self, text: str, label: int, example: int | None = None, only: Sequence[int] | None = None) -> list[AttackTrace]:
        """Attacks one text (see ``check_attackable`` in :mod:`robustprune.specs.attack`) with its true label. Returns one trace per victim.

        ``only`` restricts the attack to the victims at these places.

        Raises:
            Cancelled: ``watch`` raised it; :mod:`library` says where it is called.
            DataError: the text has no words.
            OutOfTime: the time limit was reached before the first query was answered.
            ResourceMissing: NLTK's data is no longer on this machine.
            ModelError: the victim answered with NaN.
        """
        self._proposals.start(text)
        chosen = self._attacks if only is None else [self._attacks[place] for place in only]
        traces = []
        for classifier, attack in chosen:
            if RECIPES[self._spec.recipe].draws:
                self._proposals.clear()
            traces.append(self._one(classifier, attack, text, label, example))
        return traces

    def _check(self) -> None:
        self._watch(None)
        if time.perf_counter() > self._deadline:
            raise TimeUp

    def _one(self, classifier: Classifier, attack: Any, text: str, label: int, example: int | None) -> AttackTrace:
        started = time.perf_counter()
        self._deadline = started + (self._spec.seconds or float("inf"))
        try:
            with library.watched(self._check), chance.drawn_from(self._spec.seed, text):
                return self._recorded(classifier, attack, text, label, example, started)
        except LookupError as error:  # NLTK raises it if its data was deleted meanwhile
            if "nltk" not in str(error).lower():
                raise
            raise ResourceMissing("attacks.nltk_data_gone", recipe=self._spec.recipe) from error
        finally:
            self._deadline = float("inf")
            attack.clear_cache()

    def _recorded(self, classifier: Classifier, attack: Any, text: str, label: int, example: int | None, started: float) -> AttackTrace:
        attacked = library.textattack().shared.AttackedText(text)
        words = changes.places(text, attacked.words)
        if not words:
            raise DataError("attacks.text_without_words", text=text[:60])
        try:
            initial, _ = attack.goal_function.init_attack_example(attacked, label)
        except TimeUp as error:
            raise OutOfTime("attacks.no_query_in_time", seconds=self._spec.seconds) from error

        def so_far(outcome: Outcome) -> AttackTrace:
            return AttackTrace(
                text=text,
                perturbed=recorder.current,
                words=words,
                label=label,
                labels=classifier.source.labels,
                victim={"name": classifier.source.name, "digest": classifier.source.digest},
                recipe=self._spec.recipe,
                settings=self._settings,
                resources=self._names,
                changes=recorder.changes,
                steps=tuple(recorder.steps),
                probabilities={"original": recorder.answers[text], "perturbed": recorder.answers[recorder.current]},
                outcome=outcome,
                queries=recorder.queries,
                seconds=time.perf_counter() - started,
                example=example,
            )

        recorder = Recorder(initial, label, words, self._proposals, lambda: self._watch(so_far("stopped")))
        if int(initial.output) != label:
            return so_far("skipped")
        try:
            with recorder.listening(attack):
                final = attack.search_method(initial)
        except BudgetSpent:
            final = recorder.best
        except TimeUp:
            return so_far("stopped")
        recorder.note_swap(final.attacked_text)
        return so_far("held" if int(final.output) == label else "flipped")
