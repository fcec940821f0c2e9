"""The glossary: the terms of the field in both languages side by side. The tooltips of all pages use the same source."""

import pandas as pd
import streamlit as st

from robustprune.base import locales
from robustprune.ui import exports
from robustprune.ui.words import i18n
from robustprune.ui.words.i18n import t


def show() -> None:
    """Draws the table with a search field, and offers the table as a download."""
    st.markdown(t("glossary.question", terms=len(i18n.glossary())))
    frame = table()
    looked_for = st.text_input(t("glossary.search"), key="term", bind="query-params", max_chars=80, icon=":material/search:", width=420).strip().lower()
    found = frame[frame.apply(lambda row: looked_for in " ".join(row).lower(), axis="columns")]
    if found.empty:
        st.info(t("glossary.none"), icon=":material/search_off:")
    else:
        st.table(found)
    exports.offer("glossary", {}, {t("glossary.title"): frame})


def table() -> pd.DataFrame:
    """One row per term: its name and its meaning in every language, with the session's language first."""
    first = i18n.language()
    order = [first, *(language for language in locales.languages() if language != first)]
    rows = []
    for entry in i18n.glossary().values():
        terms = {locales.texts(language)["language.name"]: entry["term"][language] for language in order}
        meanings = {f"{t('glossary.means')} ({locales.texts(language)['language.name']})": entry["means"][language] for language in order}
        rows.append({**terms, **meanings})
    return pd.DataFrame(rows)
