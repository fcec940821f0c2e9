"""Attacks: one recipe against one victim, text by text."""

import time
from collections.abc import Callable, Sequence

from robustprune.attacks import library
from robustprune.attacks.recipes import RECIPES
from robustprune.attacks.recorder import Recorder
from robustprune.attacks.resources import Resources
from robustprune.attacks.trace import AttackTrace, Word
from robustprune.attacks.victim import victim
from robustprune.models import Classifier
from robustprune.spec import AttackSpec

# Asked before every batch, without arguments; told the word at hand, the words done and the words there are. May raise Cancelled.
Watch = Callable[..., None]


class Attacker:
    """TextAttack's caches are keyed by text alone, so every victim has an attacker of its own."""

    def __init__(self, classifier: Classifier, resources: Resources, spec: AttackSpec, watch: Watch) -> None:
        self._source, self._resources, self._spec, self._watch = classifier.source, resources, spec, watch
        self._attack = RECIPES[spec.recipe](victim(classifier, watch), resources, spec)

    def attack(self, text: str, label: int) -> AttackTrace:
        """Attacks one text whose true label is ``label``.

        Raises:
            Cancelled: ``watch`` raised it; it is asked before every batch of the victim and at every word.
        """
        started = time.perf_counter()
        goal = self._attack.goal_function
        try:
            initial, _ = goal.init_attack_example(library.textattack().shared.AttackedText(text), label)
            recorder = Recorder(initial, label, self._watch)
            final, outcome = initial, "skipped"
            if int(initial.output) == label:
                with recorder.listening(self._attack.search_method):
                    final = self._attack.search_method(initial)
                outcome = "held" if int(final.output) == label else "flipped"
        finally:
            self._attack.clear_cache()
        return AttackTrace(
            text=text,
            perturbed=final.attacked_text.text,
            words=places(text, initial.attacked_text.words),
            label=label,
            labels=self._source.labels,
            victim={"name": self._source.name, "digest": self._source.digest},
            recipe=self._spec.recipe,
            query_budget=self._spec.query_budget,
            resources=self._resources.names.to_json(),
            importance=recorder.importance,
            steps=recorder.settled_steps(final.attacked_text.words),
            probabilities={"original": tuple(initial.raw_output.tolist()), "perturbed": tuple(final.raw_output.tolist())},
            outcome=outcome,
            queries=goal.num_queries,
            seconds=time.perf_counter() - started,
        )


def places(text: str, words: Sequence[str]) -> tuple[Word, ...]:
    """The words with their places in the text, given in the order in which they stand there."""
    result, position = [], 0
    for word in words:
        start = text.index(word, position)
        position = start + len(word)
        result.append(Word(word, start, position))
    return tuple(result)
