"""Listens to a TextAttack search while it runs: which words matter, what is tried in the place of each, what is taken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from robustprune.attacks.trace import Candidate, Step


class Recorder:
    """What a search has done so far on one text.

    TextAttack hangs ``get_indices_to_order``, ``get_transformations`` and ``get_goal_results`` on the search object for the
    search to call; :meth:`listening` stands between for as long as it is open.
    """

    def __init__(self, initial: Any, label: int, watch: Callable[..., None]) -> None:
        self._words, self._label, self._watch = initial.attacked_text.words, label, watch
        self._probability = self._current = float(initial.raw_output[label])
        self._order: list[int] = []
        self.importance: dict[int, float] = {}
        self.steps: list[Step] = []

    @contextmanager
    def listening(self, search: Any) -> Iterator[None]:
        """Records what ``search`` does, until the context ends."""
        names = ("get_indices_to_order", "get_transformations", "get_goal_results")
        original = {name: getattr(search, name) for name in names}

        def order(*arguments: Any, **keywords: Any) -> Any:
            length, indices = original["get_indices_to_order"](*arguments, **keywords)
            self._order = [int(index) for index in indices]
            return length, indices

        def transformations(text: Any, **keywords: Any) -> Any:
            index = int(keywords["indices_to_modify"][0])
            self._watch(self._words[index], len(self.steps), max(len(self.importance), 1))
            self.steps.append(Step(index, (), None, self._current, self._current, 0))
            return original["get_transformations"](text, **keywords)

        def results(texts: Any, **keywords: Any) -> Any:
            answers, over = original["get_goal_results"](texts, **keywords)
            self._note_tried(answers) if self.steps else self._note_importance(answers)
            return answers, over

        search.get_indices_to_order, search.get_transformations, search.get_goal_results = order, transformations, results
        try:
            yield
        finally:
            for name, function in original.items():
                setattr(search, name, function)

    def settled_steps(self, final_words: list[str]) -> tuple[Step, ...]:
        """The steps, with what the final text says was taken. Among several flips the search takes the most similar, not the strongest."""
        result, current = [], self._probability
        for step in self.steps:
            word = final_words[step.index]
            taken = next((candidate for candidate in step.candidates if candidate.word == word), None)
            after = taken.probability if taken else current
            result.append(replace(step, taken=taken.word if taken else None, before=current, after=after))
            current = after
        return tuple(result)

    def _note_importance(self, answers: list[Any]) -> None:
        falls = (self._probability - float(answer.raw_output[self._label]) for answer in answers)
        self.importance = dict(zip(self._order, falls, strict=False))  # a spent query budget leaves words without a rank

    def _note_tried(self, answers: list[Any]) -> None:
        step = self.steps[-1]
        tried = tuple(self._candidate(answer, step.index) for answer in answers)
        self._current = min([self._current, *(candidate.probability for candidate in tried)])
        self.steps[-1] = replace(step, candidates=tried, after=self._current, queries=len(tried))

    def _candidate(self, answer: Any, index: int) -> Candidate:
        text = answer.attacked_text
        return Candidate(text.words[index], float(answer.raw_output[self._label]), text.attack_attrs.get("similarity_score"))
