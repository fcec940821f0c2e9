"""Which words break it? A live attack on the dense and the sparse model, told word by word."""

import json

import streamlit as st

from robustprune import lab
from robustprune.attacks.trace import AttackTrace
from robustprune.jobs import Job
from robustprune.spec import AttackSpec, check_text, digest
from robustprune.ui import jobs, replay, shell
from robustprune.ui.i18n import t

OWN = "own"

shell.require_entrypoint()

st.title(t("attack.title"))
st.markdown(t("attack.question"))
run = shell.need_run()
spec = AttackSpec()
showcase = dict(lab.showcase(run.spec.model))


def asked() -> tuple[str, int]:
    """The text and its true label: a demo text, or one's own."""
    with st.container(border=True):
        choices = [OWN, *showcase]
        chosen = st.selectbox(
            t("attack.demo"),
            choices,
            index=0 if "text" in st.query_params else 1,
            key="demo",
            persist_state="session",
            format_func=lambda text: t("attack.own") if text == OWN else text,
        )
        if chosen != OWN:
            st.caption(t("attack.true_label", label=run.labels[showcase[chosen]]))
            return chosen, showcase[chosen]
        typed = st.text_area(t("attack.text"), t("attack.example"), key="text", bind="query-params", max_chars=4000, height=80)
        label = st.segmented_control(
            t("attack.label"),
            list(range(len(run.labels))),
            default=1,
            key="label",
            bind="query-params",
            required=True,
            format_func=lambda index: run.labels[index],
            help=t("attack.label_help"),
        )
        return check_text(typed), label


def both_attacks(job: Job) -> None:
    """Attacks the dense, then the sparse model; the lab keeps both traces."""
    lab.attack_text(run.spec.model, text, label, spec, job.progress, job.cancel)
    lab.attack_text(run.ref, text, label, spec, job.progress, job.cancel)


def show(dense: AttackTrace, sparse: AttackTrace) -> None:
    """Both outcomes side by side, the curves, and every step."""
    names = (t("run.dense"), shell.run_name(run))
    traces = dict(zip(names, (dense, sparse), strict=True))
    for column, (name, trace) in zip(st.columns(2), traces.items(), strict=True):
        with column:
            replay.outcome_card(trace, name)
    if any(trace.swaps for trace in traces.values()):
        st.subheader(t("attack.path_title"))
        replay.path_chart(traces)
    for name, trace in traces.items():
        if trace.steps:
            with st.expander(t("attack.steps", name=name, steps=len(trace.steps)), icon=":material/list:"):
                st.dataframe(replay.step_table(trace), hide_index=True)
    st.caption(t("attack.resources", **dense.resources, budget=dense.query_budget))
    lines = "".join(json.dumps(trace.to_json(), ensure_ascii=False) + "\n" for trace in traces.values())
    st.download_button(t("attack.get_trace"), lines, f"attack-{run.digest}.jsonl", "application/jsonl", icon=":material/download:", on_click="ignore")


text, label = asked()
pair = shell.attack_pair(run, text, label)
key = digest("attack-job", run.digest, text, label, spec.to_json())
if pair is None:
    st.button(
        t("attack.start"), type="primary", icon=":material/play_arrow:", on_click=jobs.manager().submit, args=(key, both_attacks), disabled=jobs.running(key)
    )
    if jobs.manager().get(key) is None:
        st.info(t("attack.nothing_yet"), icon=":material/swords:")
    jobs.panel(key)
else:
    show(*pair)
