"""Which method keeps robustness? Tables, curves, the paper's claims tested on our numbers, sentence embeddings, and the paper's own numbers."""

import streamlit as st

from robustprune.ui import links
from robustprune.ui.compare import claims_view, embeddings_view, paper_view, runs_view, tables_view
from robustprune.ui.frame import shell
from robustprune.ui.words.i18n import meaning, t

VIEWS = {
    "tables": tables_view.show,
    "runs": runs_view.table,
    "sparsity": runs_view.over_sparsity,
    "calibration": runs_view.over_calibration,
    "claims": claims_view.show,
    "embeddings": embeddings_view.show,
    "paper": paper_view.show,
}

shell.require_entrypoint()

st.title(t("compare.title"), help=meaning("interval"))
st.markdown(t("compare.question"))
links.choice("show", list(VIEWS), "tables")
view = st.segmented_control(t("compare.view"), list(VIEWS), key="show", required=True, format_func=lambda name: t(f"compare.view_{name}"))
VIEWS[view]()
