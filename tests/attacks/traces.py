"""Traces made by hand."""

import re
from dataclasses import replace

from robustprune.attacks.scores import Result
from robustprune.attacks.traces.changes import Change, places
from robustprune.attacks.traces.trace import AttackTrace, Candidate, Candidates, Query, Rank, Swap

BEFORE, AFTER = (0.1, 0.9), {"skipped": (0.9, 0.1), "flipped": (0.6, 0.4), "held": (0.3, 0.7), "stopped": (0.3, 0.7)}


def words_of(text):
    return places(text, re.findall(r"\w+(?:['-]\w+)*", text))


def trace(outcome="flipped", text="A good film.", word="good", to="nice"):
    """An attack that tried ``to`` in the place of ``word``, and kept it if that flipped the prediction."""
    words = words_of(text)
    index = next(i for i, one in enumerate(words) if one.start == text.index(word) and one.text == word)
    change = Change(index, words[index].start, words[index].end, word, to)
    tried = text[: change.start] + to + text[change.end :]
    original, flipped = AFTER["skipped"] if outcome == "skipped" else BEFORE, outcome == "flipped"
    steps = [Query(text, original)]
    if outcome != "skipped":
        without = text[: change.start] + text[change.end :]
        steps += [Query(without, (0.4, 0.6), index), Rank({index: 0.3}, (index,))]
        steps += [Candidates(index, word, (Candidate(to, None, 0.9), Candidate("bad", "SharedWordClass"))), Query(tried, AFTER[outcome], index)]
    if flipped:
        steps.append(Swap((change,), original[1], AFTER[outcome][1]))
    return AttackTrace(
        text=text, perturbed=tried if flipped else text, words=words, label=1, labels=("negative", "positive"),
        victim={"name": "small", "digest": "0"}, recipe="textfooler", settings={"recipe": "textfooler", "query_budget": 100, "seed": 0},
        resources={"set": "built-in", "synonyms": "s", "word_classes": "w", "similarity": "m"}, changes=(change,) if flipped else (), steps=tuple(steps),
        probabilities={"original": original, "perturbed": AFTER[outcome] if flipped else original}, outcome=outcome,
        queries=sum(isinstance(step, Query) for step in steps), seconds=0.1,
    )  # fmt: skip


def result(outcome="flipped", example=0, **fields):
    """What came of a hand-made attack on one text of a sample; every example has a text of its own."""
    made = trace(outcome, text=f"A good film, number {example}.")
    return replace(Result.of(replace(made, example=example)), **fields)
