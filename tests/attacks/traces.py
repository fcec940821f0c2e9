"""Traces made by hand."""

from robustprune.attacks.trace import AttackTrace, Candidate, Step, Word


def trace(outcome="flipped", text="A good film.", word="good", to="nice"):
    start = text.index(word)
    words = (Word(word, start, start + len(word)),)
    steps = (Step(0, (Candidate(to, 0.4, 0.9),), to, 0.9, 0.4, 1),) if outcome == "flipped" else ()
    after = {"skipped": (0.9, 0.1), "held": (0.1, 0.9), "flipped": (0.6, 0.4)}[outcome]
    return AttackTrace(
        text=text, perturbed=text.replace(word, to) if steps else text, words=words, label=1, labels=("negative", "positive"),
        victim={"name": "small", "digest": "0"}, recipe="textfooler", query_budget=100,
        resources={"set": "built-in", "synonyms": "s", "word_classes": "w", "similarity": "m"}, importance={0: 0.5}, steps=steps,
        probabilities={"original": (0.9, 0.1) if outcome == "skipped" else (0.1, 0.9), "perturbed": after}, outcome=outcome, queries=5, seconds=0.1,
    )  # fmt: skip
