"""Guessing games against recorded attacks: which word does TextFooler replace first, and can a person flip the model with fewer words?"""

from dataclasses import dataclass, field

import streamlit as st

from robustprune import lab
from robustprune.attacks.traces.replay_frames import frames
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.specs.attack import AttackSpec
from robustprune.ui import links
from robustprune.ui.attack import player, replay, try_it
from robustprune.ui.frame import missing
from robustprune.ui.learn.numbers import MODEL
from robustprune.ui.words.i18n import t
from robustprune.ui.words.wording import plain

SCORE, GUESS, REVEALED = "quiz_score", "quiz_guess", "quiz_revealed"
# How far the true label's probability must fall without the most important word. Below this, no word matters and their order is noise.
LEANS = 0.05


@dataclass
class Score:
    """How many questions were answered correctly, and which were answered at all. Each question counts once."""

    right: int = 0
    answered: set[int] = field(default_factory=set)


def attacked_texts() -> dict[int, AttackTrace]:
    """The stored attacks on demo texts that swapped at least one word, by the number of the text (from 1)."""
    found = enumerate(lab.find_attacks(MODEL, lab.showcase(MODEL), AttackSpec()), 1)
    return {number: trace for number, trace in found if trace and trace.swaps}


def questions() -> dict[int, AttackTrace]:
    """The attacks in which the prediction depends on single words (see ``LEANS``), so that there is something to guess."""
    return {number: trace for number, trace in attacked_texts().items() if max(trace.importance.values(), default=0.0) >= LEANS}


def predict_first(_: dict) -> None:
    """Shows a text and its words to choose from. After the guess, reveals which word the recorded attack replaced first."""
    texts = questions()
    if not texts:
        missing.result("attack")
        return
    links.choice("quiz", [str(number) for number in texts], str(next(iter(texts))))
    number = int(st.session_state["quiz"])
    trace, score = texts[number], st.session_state.setdefault(SCORE, Score())
    guesses = st.session_state.setdefault(REVEALED, {})
    revealed = number in guesses
    if revealed:  # Streamlit forgets the value of a widget when the user leaves its page
        st.session_state[GUESS] = guesses[number]
    label = plain(trace.labels[trace.label])
    st.markdown(t("quiz.question", number=list(texts).index(number) + 1, questions=len(texts), label=label))
    film = frames(trace)
    st.html(player.sentence_html(trace, next(frame for frame in film if frame.kind == "rank") if revealed else film[0]))
    words = sorted(trace.importance)
    guess = st.pills(
        t("quiz.guess"), words, key=GUESS, format_func=lambda place: plain(trace.words[place].text), disabled=revealed
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(t("quiz.reveal"), key="quiz-reveal", on_click=_reveal, args=(number, trace), disabled=revealed or guess is None, type="primary")
        following = _after(number, list(texts))
        st.button(t("quiz.next"), key="quiz-next", on_click=_ask, args=(following,), icon=":material/skip_next:")
    if revealed:
        _tell(trace, guess)
    st.caption(t("quiz.score", right=score.right, answered=len(score.answered)))


def _tell(trace: AttackTrace, guess: int | None) -> None:
    """Says whether the guess was right, and why the attack began with that word."""
    first, most = trace.swaps[0], max(trace.importance, key=trace.importance.__getitem__)
    values = {"word": plain(first["from"]), "new": plain(first["to"]), "most": plain(trace.words[most].text), "fall": f"{trace.importance[most] * 100:.1f}"}
    verdict = t("quiz.right" if guess == first["index"] else "quiz.wrong", **values)
    why = t("quiz.why_most" if most == first["index"] else "quiz.why_refused", **values)
    (st.success if guess == first["index"] else st.info)(f"{verdict} {why}", icon=":material/lightbulb:")


def _reveal(number: int, trace: AttackTrace) -> None:
    score: Score = st.session_state.setdefault(SCORE, Score())
    if number not in score.answered:
        score.answered.add(number)
        score.right += st.session_state.get(GUESS) == trace.swaps[0]["index"]
    st.session_state.setdefault(REVEALED, {})[number] = st.session_state.get(GUESS)


def _ask(number: int) -> None:
    links.choose("quiz", str(number))
    st.session_state[GUESS] = None


def _after(number: int, numbers: list[int]) -> int:
    return numbers[(numbers.index(number) + 1) % len(numbers)]


def beat(start: dict[str, str]) -> None:
    """Shows a text that TextFooler flipped with several words: can the user flip it with fewer?"""
    texts = {str(number): trace for number, trace in attacked_texts().items() if trace.outcome == "flipped" and len(trace.changes) > 1}
    if not texts:
        missing.result("attack")
        return
    links.choice("beat_text", list(texts), start["beat_text"])
    trace = texts[st.selectbox(t("beat.text"), list(texts), key="beat_text", format_func=lambda number: texts[number].text)]
    target = len(trace.changes)
    st.markdown(t("beat.target", words=target, queries=trace.queries, label=plain(trace.labels[trace.label])))
    attempts = try_it.try_it({t("run.dense"): MODEL}, trace.text, trace.label, trace.labels)
    flipped = [attempt.words for attempt in attempts if all(try_it.predicted_by(answer) != trace.label for answer in attempt.answers.values())]
    if flipped and min(flipped) < target:
        st.success(t("beat.won", words=min(flipped), target=target), icon=":material/trophy:")
    elif flipped:
        st.info(t("beat.drawn", words=min(flipped), target=target), icon=":material/flag:")
    elif attempts:
        st.info(t("beat.not_yet"), icon=":material/fitness_center:")
    if attempts:
        with st.expander(t("beat.see_theirs"), icon=":material/visibility:"):
            st.html(replay.sentence_html(trace))


def forget() -> None:
    """Deletes the attempts by hand and the revealed answers, but not the score. For callbacks."""
    st.session_state.pop(REVEALED, None)
    st.session_state.pop(GUESS, None)
    for trace in attacked_texts().values():
        try_it.forget([MODEL], trace.text)
