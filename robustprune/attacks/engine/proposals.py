"""The proposals of a recipe for a word, and the constraint that refused each of them. They do not depend on the victim, so they are
computed once for all victims that are attacked side by side."""

from typing import Any

from robustprune.attacks.engine.places import original_index
from robustprune.attacks.traces import changes
from robustprune.attacks.traces.trace import Candidate, Candidates


class Proposals:
    """A cache of the proposals for one attacked text, keyed by the current text, the words changed in it, and the word to replace.

    Recipes that draw at random are not cached, as in TextAttack.
    """

    def __init__(self) -> None:
        self._known: dict[Any, tuple[list[Any], tuple[Candidates, ...]]] = {}
        self._text = ""

    def start(self, text: str) -> None:
        """Forgets the proposals of another text."""
        if text != self._text:
            self.clear()
        self._text = text

    def clear(self) -> None:
        """Forgets all proposals."""
        self._known.clear()

    def find(self, attack: Any, text: Any, **keywords: Any) -> tuple[list[Any], tuple[Candidates, ...]]:
        """The texts that passed every constraint, as ``Attack.get_transformations`` returns them, and all candidates as steps of a trace."""
        indices = keywords.get("indices_to_modify")
        key = (text.text, frozenset(text.attack_attrs["modified_indices"]), None if indices is None else tuple(int(i) for i in indices))
        if not attack.use_transformation_cache:
            return _find(attack, text, **keywords)
        if key not in self._known:
            self._known[key] = _find(attack, text, **keywords)
        return self._known[key]


def _find(attack: Any, text: Any, **keywords: Any) -> tuple[list[Any], tuple[Candidates, ...]]:
    passed, refused = _passed_and_refused(attack, text, keywords)
    found = [*((one, None) for one in passed), *refused]
    words = changes.places(text.text, text.words)
    by_place: dict[int, list[Candidate]] = {}
    asked = [int(index) for index in keywords.get("indices_to_modify") or ()]
    known: dict[int, dict[str, Any]] = {}
    if hasattr(attack.transformation, "proposals"):  # a source of synonyms knows senses, and refuses some itself
        places = asked or sorted({index for candidate, _ in found for index in candidate.attack_attrs["newly_modified_indices"]})
        known = {index: {one.word: one for one in attack.transformation.proposals(text, index)} for index in places}
    for candidate, by in found:
        index = asked[0] if asked else min(candidate.attack_attrs["newly_modified_indices"], default=-1)
        if 0 <= index < len(words):
            put = _put(text.text, words, index, candidate)
            one = known.get(index, {}).get(put)
            similarity = candidate.attack_attrs.get("similarity_score")
            by_place.setdefault(index, []).append(Candidate(put, by, similarity, *((one.sense, one.source) if one else ())))
    for index, proposals in known.items():
        refused_by_source = [Candidate(one.word, one.refused_by, None, one.sense, one.source) for one in proposals.values() if one.refused_by]
        if refused_by_source:
            by_place.setdefault(index, []).extend(refused_by_source)
    return passed, tuple(Candidates(original_index(text, index), text.words[index], tuple(found)) for index, found in by_place.items())


def _passed_and_refused(attack: Any, text: Any, keywords: dict[str, Any]) -> tuple[list[Any], list[tuple[Any, str]]]:
    """The proposals that pass every constraint, and the refused ones, each with the name of the constraint that refused it."""
    constraints = attack.constraints
    refused: list[tuple[Any, str]] = []

    def listening(constraint: Any) -> Any:
        def call_many(texts: list[Any], reference: Any) -> list[Any]:
            kept = type(constraint).call_many(constraint, texts, reference)
            ids = {id(one) for one in kept}
            refused.extend((one, type(constraint).__name__) for one in texts if id(one) not in ids)
            return kept

        return call_many

    for constraint in constraints:
        constraint.call_many = listening(constraint)
    try:
        return list(attack.get_transformations(text, **keywords)), refused
    finally:
        for constraint in constraints:
            del constraint.call_many


def _put(text: str, words: tuple[changes.Word, ...], index: int, other: Any) -> str:
    """The replacement of one word in the text ``other``, which differs from ``text`` only at that word."""
    if other.num_words == len(words):
        word = words[index]
        return other.text[word.start : len(other.text) - (len(text) - word.end)]
    if other.num_words < len(words):  # the word was deleted together with a space
        return ""
    return "".join(change.new for change in changes.between(text, words, other.text, changes.places(other.text, other.words)))
