"""The reader's verdict: whether a flipped text still says the same and is still good English, and the tally of a session.

An attack success rate counts texts that no one has read. The verdicts belong to the session: they can be downloaded, and never become part
of stored results.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import pandas as pd
import streamlit as st

from robustprune.attacks.traces.trace import AttackTrace
from robustprune.base.hashing import digest
from robustprune.base.rates import wilson
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import t

READ = "verdicts"
QUESTIONS = ("same", "english")
YES, NO = "yes", "no"
PLAIN = {"delta_color": "off", "delta_arrow": "off", "width": "content"}  # a metric whose second line is no change


@dataclass(frozen=True)
class Verdict:
    """An attack of this session on one model, and what the reader says of its text. ``same`` and ``english`` are None until answered."""

    model: str
    recipe: str
    original: str
    perturbed: str
    outcome: str
    same: bool | None = None
    english: bool | None = None

    @property
    def accepted(self) -> bool:
        """True if the reader accepts the flipped text: the same meaning, in good English."""
        return bool(self.outcome == "flipped" and self.same and self.english)

    @property
    def unread(self) -> bool:
        """True if the text flipped the prediction and a question about it is still open."""
        return self.outcome == "flipped" and None in (self.same, self.english)


@dataclass(frozen=True)
class Tally:
    """How many attacks of a session met a right prediction, flipped it, did so by a text that the reader accepts, or wait to be read."""

    attacked: int
    flipped: int
    accepted: int
    unread: int

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> "Tally":
        """Counts verdicts. Attacks that were skipped or stopped do not count, as in the attack success rate."""
        counted = [one for one in verdicts if one.outcome in ("flipped", "held")]
        flipped = sum(one.outcome == "flipped" for one in counted)
        return cls(len(counted), flipped, sum(one.accepted for one in counted), sum(one.unread for one in counted))


def note(traces: dict[str, AttackTrace]) -> None:
    """Adds attacks to the session's list. An attack that is on it keeps its verdict."""
    verdicts = st.session_state.setdefault(READ, {})
    for name, trace in traces.items():
        verdicts.setdefault(_key(trace), Verdict(name, trace.recipe, trace.text, trace.perturbed, trace.outcome))


def ask(trace: AttackTrace) -> None:
    """Asks the reader about a flipped text."""
    if trace.outcome != "flipped":
        return
    key = _key(trace)
    with st.container(horizontal=True):
        for question in QUESTIONS:
            widget = f"verdict-{question}-{key}"
            answer = getattr(st.session_state[READ][key], question)
            if widget not in st.session_state and answer is not None:  # the page was left in between
                st.session_state[widget] = YES if answer else NO
            names = {YES: t("verdict.yes"), NO: t("verdict.no")}
            st.segmented_control(t(f"verdict.{question}"), [YES, NO], key=widget, format_func=names.get, on_change=_answer, args=(key, question, widget))


def tally() -> None:
    """Shows the session's tally: how many attacks flipped, and how many of them by texts that the reader accepts."""
    verdicts = list(st.session_state.get(READ, {}).values())
    counts = Tally.of(verdicts)
    if not counts.attacked:
        return
    st.subheader(t("verdict.title"), help=t("verdict.help"))
    with st.container(horizontal=True):
        st.metric(t("verdict.flipped"), t("verdict.of", count=counts.flipped, total=counts.attacked), _interval(counts.flipped, counts.attacked), **PLAIN)
        st.metric(t("verdict.accepted"), t("verdict.of", count=counts.accepted, total=counts.attacked), _interval(counts.accepted, counts.attacked), **PLAIN)
    st.caption(t("verdict.unread", count=counts.unread) if counts.unread else t("verdict.all_read"))


def table() -> pd.DataFrame:
    """The session's attacks with their verdicts, one row each, for download. An open question has an empty answer."""
    said = {True: YES, False: NO, None: ""}
    return pd.DataFrame([{**asdict(one), **{name: said[getattr(one, name)] for name in QUESTIONS}} for one in st.session_state.get(READ, {}).values()])


def _interval(count: int, total: int) -> str:
    return wording.rate(wilson(count, total).flat("share"), "share")


def _key(trace: AttackTrace) -> str:
    return digest("verdict", trace.victim["digest"], trace.recipe, trace.text, trace.perturbed)


def _answer(key: str, question: str, widget: str) -> None:
    chosen = st.session_state[widget]
    verdicts = st.session_state[READ]
    verdicts[key] = replace(verdicts[key], **{question: None if chosen is None else chosen == YES})
