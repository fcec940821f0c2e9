"""Which words break it? A live attack on the dense and the sparse model, replayed step by step."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from robustprune import lab
from robustprune.attacks.resources.names import message_of
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.base.hashing import digest
from robustprune.lab.runs import PruneRun
from robustprune.specs.attack import AttackSpec
from robustprune.specs.recipes import MASKED_LM, RECIPES, about
from robustprune.ui import exports, limits, links
from robustprune.ui.attack import examples, player, replay, try_it, verdict
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import language, meaning, said, t

OWN = "own"

shell.require_entrypoint()

st.title(t("attack.title"), help=meaning("attack"))
st.markdown(t("attack.question"))


def recipe_name(name: str) -> str:
    """The title of a recipe. If it cannot run on this machine, also what it needs."""
    missing = [one.name for one in lab.missing_resources(AttackSpec(name)) if not one.instead]
    return f"{RECIPES[name].title} ({t('attack.needs', name=', '.join(map(said, missing)))})" if missing else RECIPES[name].title


def asked_recipe() -> AttackSpec:
    """Asks for the recipe, and says what it does and which resources this machine replaces.

    If the recipe cannot run, says what it needs and ends the page.
    """
    links.choice("recipe", list(RECIPES), "textfooler")
    name = st.selectbox(t("attack.recipe"), list(RECIPES), key="recipe", format_func=recipe_name)
    masked_lm = None
    if MASKED_LM in RECIPES[name].needs and not limits.shared():
        look = {"max_chars": limits.LONGEST_NAME, "help": t("attack.masked_lm_help")}
        named = st.text_input(t("attack.masked_lm"), key="masked_lm", persist_state="session", **look).strip()
        masked_lm = limits.check_name(named) if named else None
    spec = AttackSpec(name, masked_lm=masked_lm)
    st.caption(about(name, language()))
    missing = lab.missing_resources(spec)
    for one in missing:
        if not one.instead:
            st.warning(t("attack.cannot_run", recipe=RECIPES[name].title, name=said(one.name), how=wording.plain(said(one.how))), icon=":material/download:")
            st.stop()
    if missing:
        st.caption(t("attack.instead", list="; ".join(t("attack.instead_one", name=said(one.name), instead=said(one.instead)) for one in missing)))
    return spec


def asked_text(run: PruneRun) -> tuple[str, int]:
    """Asks for the text and its true label: a demo text, which the link holds by its number, or the user's own text."""
    showcase = lab.showcase(run.spec.model)
    demos = {str(number): text for number, (text, _) in enumerate(showcase, 1)}
    first = examples.most_telling(examples.attacked_demos(run)) or 1
    links.choice("demo", [OWN, *demos], OWN if "text" in st.query_params or not demos else str(first))
    chosen = st.selectbox(t("attack.demo"), [OWN, *demos], key="demo", format_func=lambda number: demos.get(number, t("attack.own")))
    if chosen != OWN:
        text, label = showcase[int(chosen) - 1]
        st.caption(t("attack.true_label", label=wording.plain(run.labels[label])))
        return text, label
    typed = st.text_area(t("attack.text"), t("attack.example"), key="text", bind="query-params", max_chars=limits.text_length(), height=80)
    classes = [str(number) for number in range(len(run.labels))]
    links.choice("label", classes, classes[1])
    label = st.segmented_control(
        t("attack.label"), classes, key="label", required=True, format_func=lambda number: wording.plain(run.labels[int(number)]), help=t("attack.label_help")
    )
    return limits.check_typed(typed), int(label)


def say_if_not_english(text: str, spec: AttackSpec) -> None:
    """Says that a recipe needs English if the text is not, and which recipes do not."""
    if lab.lacks_english(text, spec):
        others = ", ".join(recipe.title for name, recipe in RECIPES.items() if not lab.needs_english(name))
        st.warning(t("attack.needs_english", recipe=RECIPES[spec.recipe].title, others=others), icon=":material/translate:")


def both_attacks(models: Sequence[str], text: str, label: int, spec: AttackSpec, job: Job) -> None:
    """Attacks the dense and the sparse model side by side; the lab stores both traces."""
    lab.attack_side_by_side(models, text, label, spec, job.progress, job.cancel)


def live(models: dict[str, str], spec: AttackSpec, trace: AttackTrace) -> None:
    """Shows how the attack ended on each model that it is done with, and the text as it has changed it so far on the one at hand."""
    for column, (name, model) in zip(st.columns(len(models)), models.items(), strict=True):
        with column:
            done = lab.find_attack(model, trace.text, trace.label, spec)
            if done:
                replay.outcome_card(done, name)
            elif trace.victim["name"] == model:
                st.html(replay.sentence_html(trace))
                st.caption(t("attack.so_far", model=wording.plain(name), queries=trace.queries, word=wording.plain(trace.at_hand)))


def show(traces: dict[str, AttackTrace], run: PruneRun, models: dict[str, str], spec: AttackSpec) -> None:
    """Shows both outcomes side by side, the replay, the transfer between the models, and every step."""
    verdict.note(traces)
    for column, (name, trace) in zip(st.columns(2), traces.items(), strict=True):
        with column:
            replay.outcome_card(trace, name)
            verdict.ask(trace)
    verdict.tally()
    st.subheader(t("replay.title"), help=meaning("query"))
    curves = player.player(traces)
    st.subheader(t("transfer.title"))
    try_it.transfer(models, traces)
    for name, trace in traces.items():
        if trace.steps:
            with st.expander(t("attack.steps", name=name, steps=trace.words_tried), icon=":material/list:"):
                st.dataframe(replay.step_table(trace), hide_index=True)
    dense = traces[t("run.dense")]
    used = "; ".join(t(f"resource.{kind}", name=wording.plain(said(message_of(name)))) for kind, name in dense.resources.items() if kind != "set" and name)
    st.caption(t("attack.resources", set=t(f"attack.set_{dense.resources['set']}"), resources=used, budget=spec.query_budget))
    steps = {f"{name}: {t('attack.step_table')}": pd.DataFrame(replay.step_table(trace)) for name, trace in traces.items()}
    steps[t("verdict.table")] = verdict.table()
    exports.offer(f"attack-{run.digest}", {t("attack.path"): curves}, steps, {t("attack.traces"): [trace.to_json() for trace in traces.values()]})


run = shell.need_run()
models = {t("run.dense"): run.spec.model, shell.run_name(run): run.ref}
with st.container(border=True):
    spec = asked_recipe()
    text, label = asked_text(run)
    say_if_not_english(text, spec)
pair = examples.attack_pair(run, text, label, spec)
key = digest("attack-job", run.digest, text, label, spec.to_json())
if pair is None:
    panel.start_button(t("attack.start"), key, partial(both_attacks, list(models.values()), text, label, spec), primary=True)
    if panel.manager().get(key) is None:
        st.info(t("attack.nothing_yet"), icon=":material/swords:")
    panel.show(key, partial(live, models, spec))
else:
    show(dict(zip(models, pair, strict=True)), run, models, spec)
st.subheader(t("try.title"))
st.markdown(t("try.question"))
try_it.try_it(models, text, label, run.labels)
