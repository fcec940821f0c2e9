"""Shows an attack word by word. User text is data: every text is escaped before it becomes part of a page."""

from html import escape

import streamlit as st

from robustprune.attacks.traces.changes import Change
from robustprune.attacks.traces.replay_frames import Tried
from robustprune.attacks.traces.trace import AttackTrace, Candidate
from robustprune.attacks.traces.word_turns import turns
from robustprune.ui.words.i18n import t, t_or
from robustprune.ui.words.wording import plain

FROM = "text-decoration:line-through;text-decoration-thickness:2px;opacity:.65"
TO = "font-weight:700;border-bottom:3px solid #E07B39;padding:0 .1em"
SENTENCE = "font-size:1.15rem;line-height:1.9;margin:.2rem 0 .6rem"


def sentence_html(trace: AttackTrace) -> str:
    """The original text as escaped HTML. Each changed part is struck out, and its replacement follows it."""
    parts, position = [], 0
    for change in trace.changes:
        parts += [escape(trace.text[position : change.start]), changed(trace, change)]
        position = change.end
    return f'<p style="{SENTENCE}">{"".join(parts)}{escape(trace.text[position:])}</p>'


def changed(trace: AttackTrace, change: Change) -> str:
    """A change as escaped HTML: the old word struck out, then the new one. The sense that both share shows while the pointer is on it."""
    old = f'<del style="{FROM}">{escape(change.old)}</del> ' if change.old.strip() else ""
    return old + (f'<ins style="{TO};text-decoration:none"{title(trace.reason(change))}>{escape(change.new)}</ins>' if change.new.strip() else "")


def title(candidate: Candidate | None) -> str:
    """The sense of a candidate as an attribute of HTML; empty if the candidate has none."""
    return f' title="{escape(sense(candidate))}"' if candidate and candidate.sense else ""


def sense(candidate: Candidate | Tried) -> str:
    """The word and the gloss that a candidate shares with it, and where the candidate comes from. Empty if the source knows no senses."""
    source = t_or(f"source.{candidate.source}", candidate.source or "")
    return t("attack.sense", sense=candidate.sense, source=source) if candidate.sense else source


def reasons(trace: AttackTrace) -> list[str]:
    """One line for every swap that has a sense: the words, the gloss that they share, and where the new word comes from."""
    found = [(change, trace.reason(change)) for change in trace.changes]
    return [f"{plain(change.old)} → **{plain(change.new)}** · {plain(sense(one))}" for change, one in found if one and one.sense]


def outcome_line(trace: AttackTrace) -> str:
    """One line that says what happened to the prediction."""
    before, after = (plain(trace.labels[trace.predicted(which)]) for which in ("original", "perturbed"))
    values = {"before": before, "after": after, "swaps": len(trace.changes), "queries": trace.queries, "label": plain(trace.labels[trace.label])}
    return t(f"outcome.{trace.outcome}", **values)


def outcome_card(trace: AttackTrace, name: str) -> None:
    """Draws the outcome for one model: headline, the sentence with its swaps, and the prediction before and after."""
    icons = {"flipped": ":material/swap_horiz:", "held": ":material/shield:", "skipped": ":material/block:", "stopped": ":material/timer_off:"}
    colours = {"flipped": "orange", "held": "green", "skipped": "gray", "stopped": "gray"}
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{name}** :{colours[trace.outcome]}-badge[{icons[trace.outcome]} {t('outcome.' + trace.outcome + '_badge')}]")
        st.html(sentence_html(trace))
        if lines := reasons(trace):
            st.caption("  \n".join(lines))
        st.markdown(outcome_line(trace))
        with st.container(horizontal=True):
            for which in ("original", "perturbed"):
                predicted = trace.predicted(which)
                share = f"{trace.probabilities[which][predicted]:.1%}"
                st.metric(t(f"attack.{which}"), plain(trace.labels[predicted]), share, delta_color="off", delta_arrow="off", width="content")


def step_table(trace: AttackTrace) -> list[dict[str, object]]:
    """One row per word that the attack tried to replace.

    A row holds the word's importance, the constraints that refused candidates, the candidates that were tried, the best one, and the one that
    the attack took.
    """
    rows = []
    for turn in turns(trace):
        best = turn.best
        rows.append({
            t("attack.word"): turn.word,
            t("attack.importance"): turn.importance,
            t("attack.refused"): ", ".join(f"{t_or(f'constraint.{name}', name)} {count}" for name, count in turn.refused.items()),
            t("attack.tried"): len(turn.tried),
            t("attack.best"): best[0] if best else "",
            t("attack.best_probability"): best[1] if best else None,
            t("attack.taken"): turn.taken or "",
            t("attack.candidates"): ", ".join(f"{word} {probability:.2f}" for word, probability in turn.tried),
        })  # fmt: skip
    return rows
