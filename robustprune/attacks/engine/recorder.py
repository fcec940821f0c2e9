"""Records a running TextAttack search as the steps of a trace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from robustprune.attacks.engine import library
from robustprune.attacks.engine.proposals import Proposals
from robustprune.attacks.traces import changes
from robustprune.attacks.traces.changes import Change, Word
from robustprune.attacks.traces.trace import Query, Rank, Step, Swap


class BudgetSpent(Exception):
    """The query budget is spent; the search is ended."""


class Recorder:
    """The record of a search on one text so far.

    TextAttack sets the functions ``get_indices_to_order``, ``get_transformations`` and ``get_goal_results`` on the search object, and
    the search calls them. :meth:`listening` wraps them while it is open.

    Attributes:
        steps: the steps of the trace so far.
        current: the current text of the attack.
        changes: the changes from the original text to ``current``.
        answers: the class probabilities of every queried text.
        queries: number of answered queries.
        best: the answer with the highest score so far. It is the result if the budget ends the search early.
    """

    def __init__(self, initial: Any, label: int, words: tuple[Word, ...], proposals: Proposals, tell: Callable[[], None]) -> None:
        self._original, self._label, self._words = initial.attacked_text, label, words
        self._proposals, self._tell = proposals, tell
        self._order: list[int] = []
        self._ranking = False
        self._turn: int | None = None
        self._noted: set[tuple[str, int]] = set()
        self.current: str = initial.attacked_text.text
        self.changes: tuple[Change, ...] = ()
        self.answers: dict[str, tuple[float, ...]] = {}
        self.queries = 0
        self.best = initial
        self.steps: list[Step] = []
        self._note_query(initial, None)

    @contextmanager
    def listening(self, attack: Any) -> Iterator[None]:
        """Records the attack's search while the context is open."""
        search = attack.search_method
        names = [name for name in ("get_indices_to_order", "get_transformations", "get_goal_results", "_get_index_order") if hasattr(search, name)]
        original = {name: getattr(search, name) for name in names}
        methods = library.textattack().search_methods
        # Greedy searches move from text to text. The others keep a population, and only their final best text is recorded as a swap.
        greedy = isinstance(search, methods.GreedyWordSwapWIR | methods.GreedySearch)

        def order(*arguments: Any, **keywords: Any) -> Any:
            length, indices = original["get_indices_to_order"](*arguments, **keywords)
            self._order = [int(index) for index in indices]
            return length, indices

        def ranked(*arguments: Any, **keywords: Any) -> Any:
            self._ranking = True
            indices, over = original["_get_index_order"](*arguments, **keywords)
            self._ranking = False
            self._note_rank([int(index) for index in indices])
            return indices, over

        def transformations(text: Any, **keywords: Any) -> Any:
            if greedy and not self._ranking:
                self.note_swap(text)
            passed, candidates = self._proposals.find(attack, text, **keywords)
            self._turn = candidates[0].index if len(candidates) == 1 else None
            for one in candidates:
                if (key := (text.text, one.index)) not in self._noted or not attack.use_transformation_cache:
                    self._noted.add(key)
                    self.steps.append(one)
            self._tell()
            return list(passed)

        def results(texts: Any, **keywords: Any) -> Any:
            answers, over = original["get_goal_results"](texts, **keywords)
            if len(texts) and not answers:
                raise BudgetSpent
            ranking = self._ranking and not any(isinstance(step, Rank) for step in self.steps) and len(texts) == len(self._order)
            for position, answer in enumerate(answers):
                self._note_query(answer, self._order[position] if ranking else self._place(answer.attacked_text))
                if not self._ranking and answer.score > self.best.score:
                    self.best = answer
            return answers, over

        listeners = {"get_indices_to_order": order, "get_transformations": transformations, "get_goal_results": results, "_get_index_order": ranked}
        for name in names:
            setattr(search, name, listeners[name])
        try:
            yield
        finally:
            for name in names:
                if name == "_get_index_order":  # a method of the class, unlike the others
                    delattr(search, name)
                else:
                    setattr(search, name, original[name])

    def note_swap(self, text: Any) -> None:
        """Records a swap if ``text`` differs from the current text, and makes it the current text."""
        if text.text == self.current:
            return
        found = changes.between(self._original.text, self._words, text.text, changes.places(text.text, text.words))
        before, after = (self.answers[one][self._label] for one in (self.current, text.text))
        self.steps.append(Swap(tuple(change for change in found if change not in self.changes), before, after))
        self.current, self.changes = text.text, found

    def _note_query(self, answer: Any, index: int | None) -> None:
        values = tuple(answer.raw_output.tolist())
        self.answers[answer.attacked_text.text] = values
        self.queries += 1
        self.steps.append(Query(answer.attacked_text.text, values, index))

    def _note_rank(self, order: list[int]) -> None:
        start = self.answers[self._original.text][self._label]
        asked = {step.index: step for step in self.steps if isinstance(step, Query) and step.index in self._order}
        gains = {index: start - asked[index].probabilities[self._label] for index in self._order if index in asked}
        self.steps.append(Rank(gains, tuple(order)))

    def _place(self, text: Any) -> int | None:
        """The word that a query changed: the current word, or, if all words were proposed together, the one that differs."""
        if self._turn is not None:
            return self._turn
        changed = text.attack_attrs.get("newly_modified_indices", ())
        return int(next(iter(changed))) if len(changed) == 1 else None
