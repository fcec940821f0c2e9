"""The report: one HTML page with the answers to the paper's claims, tables, figures, settings and versions. It works without a network."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from robustprune.base.rates import Rate
from robustprune.studies import lines, paper, seed_groups
from robustprune.studies.claims import Answer, Verdict, verdicts
from robustprune.studies.figures import curves, standalone
from robustprune.studies.seed_groups import Group

if TYPE_CHECKING:
    import plotly.graph_objects as go

Words = Mapping[str, str]
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #ddd; padding: 0.3rem 0.6rem; text-align: left; white-space: nowrap; }
.yes::before { content: "✓ "; color: #1a7f37; } .no::before { content: "✗ "; color: #b35900; }
small { color: #666; }
"""


def page(results: pd.DataFrame, found: Sequence[Answer], sweeps: Sequence[Mapping[str, Any]], words: Words, language: str) -> str:
    """The HTML report on some rows of the results table.

    Args:
        found: the answers to the paper's claims from these rows.
        sweeps: the facts about the sweeps that ship: command, day, versions.
        words: the app's texts in the page's ``language``.
    """
    parts = [f"<h1>{_say(words, 'report.title')}</h1><p>{_say(words, 'claims.question')}</p>"]
    for verdict in verdicts(found):
        parts.append(f'<p class="{"yes" if verdict.yes else "no"}">{escape(verdict_line(verdict, words)).replace("**", "")}</p>')
        parts.append(_html(answers_frame([one for one in found if (one.claim, one.measure) == (verdict.claim, verdict.measure)], words)))
    parts.append(f"<p><small>{_say(words, 'claims.how')}</small></p>")
    first = True
    for start in results["start"].dropna().unique():
        mine = results[results["start"] == start]
        if (mine["kind"] == "pruned").any():
            parts.append(f"<h2>{escape(start)}</h2>")
            for recipe in sorted(mine["recipe"].dropna().unique()):
                drawn = _figures(mine, recipe, words)
                parts.append(f"<h3>{escape(recipe)}</h3>{_html(table_frame(mine, recipe, words))}")
                for figure in drawn:
                    parts.append(standalone(figure).to_html(full_html=False, include_plotlyjs=first, config={"displaylogo": False}))
                    first = False
    parts.append(f"<h2>{_say(words, 'compare.view_paper')}</h2><p>{_say(words, 'paper.apart')}</p>{_paper(results, words, language)}")
    parts.append(f"<h2>{_say(words, 'claims.made')}</h2>{_made(results, sweeps, words)}")
    head = f'<meta charset="utf-8"><title>{_say(words, "report.title")}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body>{"".join(parts)}</body></html>'


def verdict_line(verdict: Verdict, words: Words) -> str:
    """A claim and its answer in one sentence of Markdown."""
    values = {"holds": verdict.holds, "opposite": verdict.opposite, "asked": verdict.asked, "open": verdict.open}
    measure = words["overview.aua" if verdict.measure == "aua" else "claims.acc"]
    claim, answer = words[f"claims.{verdict.claim}"], words["compare.yes" if verdict.yes else "compare.no"]
    return words["claims.verdict"].format(claim=claim, measure=measure, answer=answer, **values)


def answers_frame(found: Sequence[Answer], words: Words) -> pd.DataFrame:
    """The answers as a table for display, one row each. Differences are in percentage points, with their intervals."""
    return pd.DataFrame([
        {
            words["claims.answer"]: words["compare.yes" if one.yes else "claims.contrary" if one.opposite else "claims.not_shown"],
            words["claims.estimate"]: f"{one.estimate * 100:+.1f} [{one.low * 100:+.1f}, {one.high * 100:+.1f}]",
            words["claims.line"]: ("±" if one.claim == "levels" and one.line else "") + f"{one.line * 100:g}",
            words["claims.measure"]: words["overview.aua" if one.measure == "aua" else "claims.acc"], words["attack.recipe"]: one.recipe,
            words["compare.method"]: one.setting["method"], words["compare.sparsity"]: f"{one.setting['sparsity']:.1%}".replace(".0%", "%"),
            words["prune.calibration"]: _calibration(one.setting),
            words["claims.first"]: f"{one.first:.1%}", words["claims.second"]: f"{one.second:.1%}",
            words["claims.size"]: f"{one.seeds} × {one.examples}",
        }
        for one in found
    ])  # fmt: skip


def table_frame(results: pd.DataFrame, recipe: str, words: Words) -> pd.DataFrame:
    """A table like the paper's Table 1 for one start: every setting under one attack, averaged over its seeds."""
    found = seed_groups.groups(lines.of_one_sample(results, recipe))
    return pd.DataFrame([
        {
            words["compare.method"]: one.settings["method"] or words["run.dense"], words["report.adaptive"]: one.settings["adaptive"] or "",
            words["compare.sparsity"]: f"{one.settings['sparsity']:.1%}", words["prune.calibration"]: str(one.settings["calibration"] or ""),
            words["report.seeds"]: str(len(one.outcomes)), words["overview.accuracy"]: _rate(one.accuracy()), words["claims.acc"]: _rate(one.rate("acc")),
            words["overview.aua"]: _rate(one.rate("aua")),
        }
        for one in sorted(found, key=lambda one: (one.settings["sparsity"] or 0, one.settings["method"] or ""))
    ])  # fmt: skip


def _figures(results: pd.DataFrame, recipe: str, words: Words) -> "list[go.Figure]":
    """The curves of accuracy under attack over sparsity and over calibration texts, each drawn if there are several values."""
    found = [one for one in seed_groups.groups(lines.of_one_sample(results, recipe)) if one.settings["kind"] in ("pruned", "dense")]
    dense = next((one for one in found if one.settings["kind"] == "dense"), None)
    reference = (words["run.dense"], dense.rate("aua").value) if dense else None
    drawn = []
    for place in ("sparsity", "calibration"):
        pruned = lines.families([one for one in found if one.settings["kind"] == "pruned"], place)
        of = lines.lines(pruned, place, _aua, lambda settings, place=place: _line_name(settings, place))
        if of:
            axis = words["compare.sparsity" if place == "sparsity" else "prune.calibration"]
            drawn.append(curves(of, reference, axis, words["overview.aua"], percent=place == "sparsity"))
    return drawn


def _aua(group: Group) -> Rate:
    return group.rate("aua")


def _line_name(settings: dict[str, Any], place: str) -> str:
    other = f"{settings['calibration']}" if place == "sparsity" else f"{settings['sparsity']:.1%}"
    return f"{settings['method']} {settings['adaptive']}, {other}"


def _paper(results: pd.DataFrame, words: Words, language: str) -> str:
    rows = [row for dataset in sorted(results["dataset"].dropna().unique()) for row in paper.rows(_trained_on(dataset))]
    frame = pd.DataFrame([
        {
            words["compare.method"]: row.method, words["compare.sparsity"]: f"{row.sparsity:.1%}", words["overview.accuracy"]: f"{row.acc:.1%}",
            words["overview.aua"]: f"{row.aua:.1%}", words["compare.asr"]: f"{row.asr:.1%}" + ("" if row.asr_consistent else " *"),
        }
        for row in dict.fromkeys(rows)
    ])  # fmt: skip
    return _html(frame) + f"<p><small>{escape(paper.citation().render(language))}</small></p>" if rows else ""


def _trained_on(dataset: str) -> str:
    return {"demo-reviews": "sst2", "demo-news": "ag_news"}.get(dataset, dataset)


def _made(results: pd.DataFrame, sweeps: Sequence[Mapping[str, Any]], words: Words) -> str:
    commands = "".join(f"<p>{escape(words['claims.sweep'].format(**about))}</p><pre>{escape(about['command'])}</pre>" for about in sweeps)
    facts = results[["kind", "dataset", "attacked_dataset", "synonyms", "torch", "made"]].dropna(how="all").drop_duplicates()
    return commands + _html(facts.astype(object).where(facts.notna(), ""))


def _rate(rate: Rate) -> str:
    return "" if rate.value is None else f"{rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}]"


def _calibration(setting: Mapping[str, Any]) -> str:
    return f"{setting['from']} → {setting['to']}" if "from" in setting else str(setting["calibration"])


def _say(words: Words, key: str) -> str:
    return escape(words[key]).replace("**", "")


def _html(frame: pd.DataFrame) -> str:
    return frame.to_html(index=False, escape=True, border=0)
