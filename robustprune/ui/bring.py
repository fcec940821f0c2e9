"""Lets users bring their own model (a folder or a hub id) or data set (a file or a hub id). Both are checked before they can be used."""

import hashlib
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from robustprune import lab
from robustprune.base.hashing import digest
from robustprune.lab.accuracy import Evaluation
from robustprune.ui import limits
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import t

LEFT_OUT = "-"
PREVIEW_ROWS = 5
CHECKED_TEXTS = 200


def model_form() -> None:
    """Asks for a model, checks it, offers to use it."""
    st.markdown(t("bring.model_about"))
    name = st.text_input(t("bring.model_name"), key="bring_model", placeholder=t("bring.model_example"), max_chars=limits.LONGEST_NAME).strip()
    key = digest("bring-model", name)
    panel.start_button(t("bring.check_model"), key, lambda job: lab.bring_model(limits.check_name(name), job.progress, job.cancel), primary=True)
    panel.show(key)
    own = panel.result(key)
    if own:
        st.success(t("bring.model_taken", name=wording.plain(own.shown), labels=wording.plain(", ".join(own.labels))), icon=":material/check:")
        st.button(t("bring.use_model"), on_click=_use, args=("model", own.name))


def data_form(model: str) -> None:
    """Asks for a table, its columns and the meaning of its labels, checks the table on the model, and offers to use it."""
    st.markdown(t("bring.data_about", model=wording.plain(model)))
    source = _table()
    if source is None:
        _nothing_yet(model)
        return
    shown, frame, content = source
    st.dataframe(frame.head(PREVIEW_ROWS), hide_index=True)
    guess = _guess(content, frame)
    columns = list(frame.columns)
    if guess.second:
        st.error(t("bring.pairs", first=wording.plain(guess.text), second=wording.plain(guess.second)), icon=":material/error:")
        if not st.toggle(t("bring.pairs_anyway"), key=f"bring-pairs-{content}"):
            return
    left, right = st.columns(2)
    text = left.selectbox(t("bring.text_column"), columns, index=columns.index(guess.text), key=f"bring-text-{content}")
    others = [column for column in columns if column != text]
    if not others:
        st.error(t("bring.no_labels"), icon=":material/error:")
        return
    label = right.selectbox(t("bring.label_column"), others, index=others.index(guess.label) if guess.label in others else 0, key=f"bring-label-{content}")
    values = _label_values(content, frame, label)
    classes = lab.find_model(model).labels
    mapping = _mapping(values, classes, digest("mapping", content, label, classes))
    if len(values) > len(classes):
        st.info(t("bring.more_labels", labels=len(values), classes=len(classes)), icon=":material/info:")
    _take(digest("bring-data", model, shown, content, text, label, mapping), model, shown, frame, text, label, mapping)


def _nothing_yet(model: str) -> None:
    """Says what to bring, and offers an example file that has the right form."""
    st.info(t("bring.nothing_yet"), icon=":material/upload_file:")
    demo, labels = lab.showcase(model), lab.find_model(model).labels
    if demo:
        lines = pd.DataFrame([{"text": text, "label": labels[label]} for text, label in demo]).to_csv(index=False)
        st.download_button(t("bring.example"), lines, "example.csv", "text/csv", icon=":material/download:", on_click="ignore")


def _table() -> tuple[str, pd.DataFrame, str] | None:
    """Asks for a table. Returns (name, table, key), or None while there is no table.

    The name is that of the file or of the hub's data set. Tables with different content or a different source have different keys.
    """
    upload = st.file_uploader(t("bring.file"), list(lab.TABLE_FORMATS), help=t("bring.file_help"), key="bring_file")
    if upload is not None:
        name, content = upload.name, upload.getvalue()
        return name, _read(name, content), hashlib.sha256(content).hexdigest()[:16]
    hub_id = st.text_input(t("bring.hub"), key="bring_hub", max_chars=limits.LONGEST_NAME, placeholder=t("bring.hub_example"), help=t("bring.hub_help")).strip()
    if not hub_id:
        return None
    key = digest("bring-hub", hub_id)
    panel.start_button(t("bring.fetch"), key, lambda job: _fetch(hub_id, job))
    panel.show(key)
    frame = panel.result(key)
    return None if frame is None else (hub_id.replace("/", "-"), frame, key)


def _fetch(hub_id: str, job: Job) -> pd.DataFrame:
    limits.check_own()
    job.progress(0, 1, hub_id)
    return lab.read_hub(hub_id)


@st.cache_resource(max_entries=4, show_spinner=False)  # cache_resource copies no table; that is safe because no caller changes one
def _read(name: str, content: bytes) -> pd.DataFrame:
    return lab.read_table(name, content)


@st.cache_data(max_entries=16, show_spinner=False)
def _guess(content: str, _frame: pd.DataFrame) -> lab.Guess:
    return lab.guess_columns(_frame)


@st.cache_data(max_entries=16, show_spinner=False)
def _label_values(content: str, _frame: pd.DataFrame, column: str) -> list[str]:
    return lab.label_values(_frame, column)


def _mapping(values: Sequence[str], classes: Sequence[str], key: str) -> dict[str, int | None]:
    """Asks which class each label means, with a guess preselected; None leaves a label out. ``key`` is unique to the table and the model."""
    st.markdown(f"**{t('bring.mapping')}**")
    guessed = lab.guess_classes(values, classes)
    options = [LEFT_OUT, *(str(number) for number in range(len(classes)))]
    result: dict[str, int | None] = {}
    with st.container(horizontal=True):
        for value in values:
            first = LEFT_OUT if guessed[value] is None else str(guessed[value])
            chosen = st.selectbox(
                wording.plain(value[:40]), options, index=options.index(first), key=f"bring-{digest(key, value)}", width=200,
                format_func=lambda number: t("bring.left_out") if number == LEFT_OUT else classes[int(number)],
            )  # fmt: skip
            result[value] = None if chosen == LEFT_OUT else int(chosen)
    return result


def _take(key: str, model: str, shown: str, frame: pd.DataFrame, text: str, label: str, mapping: dict[str, int | None]) -> None:
    """Offers the job ``key``, which stores the data set and measures the model's accuracy on it.

    Shows the result when the job is done, and offers to use the data set.
    """

    def work(job: Job) -> tuple[str, Evaluation, float]:
        limits.check_own()
        own = lab.bring_data(model, shown, frame, text, label, mapping)
        evaluation = lab.evaluate(model, own.name, CHECKED_TEXTS, progress=job.progress, cancel=job.cancel)
        return own.name, evaluation, lab.largest_class(own.name)

    panel.start_button(t("bring.check_data"), key, work, primary=True)
    panel.show(key)
    taken = panel.result(key)
    if taken is None:
        return
    name, evaluation, largest = taken
    accuracy = {"accuracy": f"{evaluation.accuracy:.1%}", "low": f"{evaluation.accuracy_low:.1%}", "high": f"{evaluation.accuracy_high:.1%}"}
    if evaluation.accuracy_low <= largest:
        why = "bring.near_chance" if evaluation.accuracy <= largest else "bring.too_few"
        st.warning(t(why, examples=evaluation.examples, largest=f"{largest:.1%}", **accuracy), icon=":material/warning:")
    else:
        st.success(t("bring.data_taken", examples=evaluation.examples, **accuracy), icon=":material/check:")
    st.button(t("bring.use_data"), on_click=_use, args=("dataset", name))


def _use(key: str, name: str) -> None:
    """Selects the model or data set that the user brought. For callbacks, which run before the sidebar is drawn."""
    st.session_state[key] = name
