"""Asks both models about a text: whether a text that flips one also flips the other, and the user's own attempts to flip them."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import pandas as pd
import streamlit as st

from robustprune import lab
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.base.errors import Busy, SpecError
from robustprune.base.hashing import digest
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.limits import check_typed, text_length
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import said, t

MOST_ATTEMPTS = 20
# Session key under which a callback leaves the error about a text. The page shows the error.
WRONG = "attempt_wrong"
Answers = dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Attempt:
    """A text that a user wrote.

    Attributes:
        words: how many words of the original it changes.
        answers: each model's class probabilities, by the shown name of the model.
    """

    text: str
    words: int
    answers: dict[str, tuple[float, ...]]


def answers_of(models: Sequence[str], texts: Sequence[str], job: Job) -> dict[str, Answers]:
    """Every model's class probabilities for every text, by model and text."""
    return {model: {text: lab.predict(model, text, job.progress, job.cancel) for text in texts} for model in models}


def transfer(models: dict[str, str], traces: dict[str, AttackTrace]) -> None:
    """Offers to ask every model about the texts that flipped one of them, and shows the answers."""
    found = {name: trace for name, trace in traces.items() if trace.outcome == "flipped"}
    if not found:
        st.caption(t("transfer.none"))
        return
    texts = [trace.perturbed for trace in found.values()]
    key = digest("transfer-job", list(models.values()), texts)
    answers = panel.result(key)
    if answers is None:
        panel.start_button(t("transfer.start"), key, lambda job: answers_of(list(models.values()), texts, job), help=t("transfer.help"))
        panel.show(key)
        return
    rows = [
        {t("transfer.found_on"): name, **{shown: verdict(answers[model][trace.perturbed], trace.label, trace.labels) for shown, model in models.items()}}
        for name, trace in found.items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption(t("transfer.note"))


def verdict(probabilities: Sequence[float], label: int, labels: Sequence[str]) -> str:
    """The label that a model predicts, with its probability, and whether it is the true label."""
    predicted = predicted_by(probabilities)
    return t("try.holds" if predicted == label else "try.flips", label=labels[predicted], share=f"{probabilities[predicted]:.1%}")


def predicted_by(probabilities: Sequence[float]) -> int:
    """The class with the highest probability."""
    return max(range(len(probabilities)), key=probabilities.__getitem__)


def try_it(models: dict[str, str], text: str, label: int, labels: Sequence[str]) -> list[Attempt]:
    """Lets the user change the text by hand and asks the models. Shows and returns the answered attempts, newest first."""
    typed = _typed(list(models.values()), text)
    with st.form("try", border=False):
        st.text_area(t("try.text"), text, key=typed, max_chars=text_length(), height=90, help=t("try.help"))
        asked = t("try.ask" if len(models) > 1 else "try.ask_one")
        st.form_submit_button(asked, icon=":material/send:", on_click=_send, args=(list(models.values()), text, typed))
    if WRONG in st.session_state:
        st.error(wording.plain(said(st.session_state.pop(WRONG))), icon=":material/error:")
    attempts = [(key, tried) for key, *of, tried in st.session_state.get("attempts", []) if of == [list(models.values()), text]]
    for key, _ in attempts[:1]:
        panel.show(key)
    answered = [(tried, answers) for key, tried in attempts if (answers := panel.result(key))]
    made = [Attempt(tried, words_changed(text, tried), {shown: answers[model][tried] for shown, model in models.items()}) for tried, answers in answered]
    if made:
        verdicts = [{shown: verdict(answer, label, labels) for shown, answer in one.answers.items()} for one in made]
        rows = [{t("try.attempt"): one.text, t("try.words"): one.words, **answers} for one, answers in zip(made, verdicts, strict=True)]
        st.dataframe(pd.DataFrame(rows), hide_index=True)
    return made


def forget(models: list[str], text: str) -> None:
    """Deletes all attempts at a text. For callbacks."""
    st.session_state["attempts"] = [one for one in st.session_state.get("attempts", []) if list(one[1:3]) != [models, text]]
    st.session_state.pop(_typed(models, text), None)


def _typed(models: list[str], text: str) -> str:
    """The session key of the text that the user is typing."""
    return f"try-{digest('try', models, text)}"


def _send(models: list[str], text: str, typed: str) -> None:
    """Asks the models about the attempt that the session holds under ``typed``, and records it. For callbacks."""
    try:
        tried = check_typed(st.session_state[typed])
        key = digest("try-job", models, tried)
        panel.submit(key, lambda job: answers_of(models, [tried], job))
    except (SpecError, Busy) as error:
        st.session_state[WRONG] = error
        return
    attempt = (key, models, text, tried)
    earlier = [one for one in st.session_state.get("attempts", []) if one != attempt]
    st.session_state["attempts"] = [attempt, *earlier][:MOST_ATTEMPTS]


def words_changed(before: str, after: str) -> int:
    """How many words were replaced, deleted or added between two texts."""
    first, second = before.split(), after.split()
    spans = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    return sum(max(last - start, other_last - other_start) for kind, start, last, other_start, other_last in spans if kind != "equal")
