"""The replay of an attack: a slider over its moments, buttons to step and to play, and what the attack knew at each moment."""

from html import escape

import plotly.graph_objects as go
import streamlit as st

from robustprune.attacks.traces.changes import Change
from robustprune.attacks.traces.replay_frames import Frame, Tried, frames
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.ui import exports, links
from robustprune.ui.attack.replay import SENTENCE, changed, sense
from robustprune.ui.charts import charts
from robustprune.ui.words.i18n import t, t_or
from robustprune.ui.words.wording import plain

SECONDS_A_MOMENT = 1.0
STEP, PLAYING, VICTIM = "step", "playing", "victim"
AT_HAND = "outline:2px solid #E07B39;border-radius:3px"
TABLE_HEIGHT = 320


def player(traces: dict[str, AttackTrace]) -> go.Figure:
    """Replays the attack that the user selects by name. Returns the figure with the curves of all attacks."""
    films = {name: frames(trace) for name, trace in traces.items()}
    names = dict(zip(("dense", "sparse"), traces, strict=False))
    links.choice(VICTIM, list(names), "sparse")
    st.segmented_control(t("replay.victim"), list(names), key=VICTIM, required=True, format_func=names.__getitem__, on_change=_rewind)
    playing = st.session_state.get(PLAYING, False)
    st.fragment(_stage, run_every=SECONDS_A_MOMENT if playing else None)(traces, films, names[st.session_state[VICTIM]], playing)
    return curves(traces, films)


def _stage(traces: dict[str, AttackTrace], films: dict[str, list[Frame]], name: str, playing: bool) -> None:
    if st.session_state.get(PLAYING, False) != playing:  # a button of this fragment was pressed; only a run of the whole page can change run_every
        st.rerun()
    trace, film = traces[name], films[name]
    last = len(film) - 1
    if st.session_state.get(STEP, 0) > last:  # the previous text had more moments
        st.session_state[STEP] = last
    if playing:
        st.session_state[STEP] = min(st.session_state.get(STEP, 0) + 1, last)
        if st.session_state[STEP] == last:
            st.session_state[PLAYING] = False
            st.rerun()
    row = st.container(horizontal=True, vertical_alignment="bottom")
    buttons = row.container(horizontal=True, width="content")
    step = row.slider(t("replay.moment", last=last), 0, last, key=STEP, bind="query-params", width="stretch")
    with buttons:
        _buttons(step, last)
    frame = film[step]
    st.html(sentence_html(trace, frame))
    st.markdown(what_happens(trace, frame))
    left, right = st.columns([3, 2])
    with left:
        exports.chart(curves(traces, films, (frame.queries, frame.probability)), alt=t("attack.path_alt"), key="replay-path")
    with right:
        if frame.tried:
            st.dataframe(candidates(frame), hide_index=True, height=TABLE_HEIGHT)
        elif frame.kind == "rank":
            st.dataframe(ranking(trace), hide_index=True, height=TABLE_HEIGHT)


def curves(traces: dict[str, AttackTrace], films: dict[str, list[Frame]], here: tuple[int, float] | None = None) -> go.Figure:
    """The probability curves of all attacks on one text. ``here`` is the moment to mark: (queries, probability)."""
    trace = next(iter(traces.values()))
    axis, flip = t("attack.probability_axis", label=escape(trace.labels[trace.label])), 0.5 if len(trace.labels) == 2 else None
    paths = {one: path_of(trace, films[one]) for one, trace in traces.items()}
    return charts.probability_path(paths, axis, t("replay.queries"), flip, here)


def _buttons(step: int, last: int) -> None:
    """Draws the buttons: start, back, play or pause, forward, end."""
    play = ("replay.pause", ":material/pause:") if st.session_state.get(PLAYING) else ("replay.play", ":material/play_arrow:")
    st.button(t("replay.first"), icon=":material/first_page:", key="replay-first", on_click=_go, args=(0,), disabled=step == 0)
    st.button(t("replay.back"), icon=":material/chevron_left:", key="replay-back", on_click=_go, args=(step - 1,), disabled=step == 0)
    st.button(t(play[0]), icon=play[1], key="replay-play", on_click=_play, args=(last,))
    st.button(t("replay.next"), icon=":material/chevron_right:", key="replay-next", on_click=_go, args=(step + 1,), disabled=step == last)
    st.button(t("replay.last"), icon=":material/last_page:", key="replay-last", on_click=_go, args=(last,), disabled=step == last)


def path_of(trace: AttackTrace, film: list[Frame]) -> list[tuple[int, float, str]]:
    """The curve of an attack as points: number of queries so far, probability of the true label, and the swap that led to it."""
    points = [(frame.queries, frame.probability, _swapped(frame.taken)) for frame in film if frame.kind == "swap"]
    return [(0, film[0].probability, t("attack.start_point")), *points, (trace.queries, film[-1].probability, "")]


def sentence_html(trace: AttackTrace, frame: Frame) -> str:
    """The text at a moment, as escaped HTML.

    Words are shaded by their importance, the word at hand is framed, and replaced words are struck out.
    """
    importance = trace.importance if frame.kind != "start" else {}
    most = max(importance.values(), default=0.0)
    pieces = [(change.start, change.end, change.index, changed(trace, change)) for change in frame.changes]
    for index, word in enumerate(trace.words):
        if not any(change.start < word.end and word.start < change.end for change in frame.changes):
            pieces.append((word.start, word.end, index, escape(word.text)))
    parts, position = [], 0
    for start, end, index, html in sorted(pieces):
        shade = max(importance.get(index, 0.0), 0.0) / most if most > 0 else 0.0
        style = f"background:rgba(224,123,57,{0.55 * shade:.2f});border-radius:3px;padding:0 .1em" + (f";{AT_HAND}" if index == frame.index else "")
        parts += [escape(trace.text[position:start]), f'<span style="{style}">{html}</span>']
        position = end
    return f'<p style="{SENTENCE}">{"".join(parts)}{escape(trace.text[position:])}</p>'


def what_happens(trace: AttackTrace, frame: Frame) -> str:
    """Describes a moment in one sentence."""
    word = plain(trace.words[frame.index].text) if frame.index is not None and frame.index < len(trace.words) else ""
    label, share = plain(trace.labels[trace.label]), f"{frame.probability:.1%}"
    values = {"word": word, "label": label, "share": share, "queries": frame.queries}
    if frame.kind == "candidates":
        asked = sum(one.probability is not None for one in frame.tried)
        refused = sum(one.refused_by is not None for one in frame.tried)
        return t("replay.candidates" if word else "replay.candidates_anywhere", asked=asked, refused=refused, count=len(frame.tried), **values)
    if frame.kind == "swap":
        return t("replay.swap", swap=plain(_swapped(frame.taken)), **values)
    if frame.kind == "end":
        return t(f"replay.end_{trace.outcome}", predicted=plain(trace.labels[trace.predicted("perturbed")]), **values)
    return t(f"replay.{frame.kind}", **values)


def candidates(frame: Frame) -> list[dict[str, object]]:
    """The candidates for the word at hand, one row each, with what became of them.

    The candidates that the model was asked about come first, the most harmful on top. Then follow those that a constraint refused or that the
    attack did not reach.
    """
    asked = sorted((one for one in frame.tried if one.probability is not None), key=lambda one: one.probability)
    passed_over = [one for one in frame.tried if one.probability is None]
    return [
        {
            t("replay.candidate"): one.word,
            t("replay.probability"): None if one.probability is None else round(one.probability, 4),
            t("replay.verdict"): _verdict(one),
            t("replay.similarity"): None if one.similarity is None else round(one.similarity, 3),
            t("replay.sense"): sense(one),
        }
        for one in [*asked, *passed_over]
    ]  # fmt: skip


def _verdict(one: Tried) -> str:
    if one.refused_by:
        return t_or(f"constraint.{one.refused_by}", one.refused_by)
    return t("replay.not_reached" if one.probability is None else "replay.asked")


def ranking(trace: AttackTrace) -> list[dict[str, object]]:
    """The words with their importance, most important first, one row each."""
    ordered = sorted(trace.importance.items(), key=lambda one: -one[1])
    return [{t("attack.word"): trace.words[index].text, t("attack.importance"): round(gain, 4)} for index, gain in ordered]


def _swapped(changes: tuple[Change, ...]) -> str:
    return ", ".join(f"{change.old} → {change.new}" for change in changes)


def _go(step: int) -> None:
    st.session_state[STEP] = step
    st.session_state[PLAYING] = False


def _rewind() -> None:
    _go(0)


def _play(last: int) -> None:
    st.session_state[PLAYING] = not st.session_state.get(PLAYING, False)
    if st.session_state[PLAYING] and st.session_state.get(STEP, 0) >= last:
        st.session_state[STEP] = 0
