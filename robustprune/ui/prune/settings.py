"""The controls for the pruning settings. The link holds all their values."""

import streamlit as st

from robustprune.specs.methods import METHODS, SCOPES
from robustprune.specs.prune import ADAPTIVE, ALLOCATIONS, AUTO, MAX_SPARSITY, RIDGES, PruneSpec, parse_layer_sparsities
from robustprune.ui.frame import shell
from robustprune.ui.words.i18n import meaning, t, t_or

# Options appear under their own names on the page and in the link, so a link means the same in every language.
FREE = "free"
PATTERNS = (FREE, "2:4", "4:8", "32:64", "1:4")
USUAL = "usual"


def asked() -> PruneSpec:
    """Draws the controls and returns the chosen settings. Raises SpecError if the settings contradict each other."""
    with st.container(border=True):
        place = st.container()
        with st.container(horizontal=True):
            method = st.segmented_control(
                t("prune.method"), tuple(METHODS), default="admm", key="method", bind="query-params", required=True, help=_about_methods()
            )
            adaptive = st.segmented_control(
                t("prune.adaptive"), ADAPTIVE, default="full", key="adaptive", bind="query-params", required=True, help=meaning("adaptive")
            )
        more = st.expander(t("prune.more"), icon=":material/tune:")
        with more:
            pattern = st.segmented_control(
                t("prune.pattern"), PATTERNS, default=FREE, key="pattern", bind="query-params", required=True, help=meaning("pattern")
            )
            sharing = _sharing(free=pattern == FREE)
            numbers = _numbers(fully=adaptive == "full")
        sparsity = place.slider(
            t("prune.sparsity"), 0.0, MAX_SPARSITY, 0.5, 0.005, key="sparsity", bind="query-params", format="percent", help=meaning("sparsity"),
            disabled=pattern != FREE,
        )  # fmt: skip
    chosen = None if pattern == FREE else pattern
    return PruneSpec(shell.model(), shell.need_dataset(), method, adaptive, round(sparsity, 4), chosen, **sharing, **numbers)


def _about_methods() -> str:
    """The help text: one sentence per method (only the name if it has no text yet), then the terms that these sentences use."""
    methods = "\n".join(f"- **{name}** {t_or(f'method.{name}', '')}" for name in METHODS)
    return f"{methods}\n\n{meaning('surgeon')}\n\n{meaning('hessian')}"


def _sharing(free: bool) -> dict:
    """Draws the controls for how the zeros are distributed. Returns fields of the spec; none if a pattern decides the distribution."""
    with st.container(horizontal=True):
        scope = st.selectbox(t("prune.scope"), (USUAL, *SCOPES), key="scope", bind="query-params", help=t("help.scope"), disabled=not free, width=260)
        allocation = st.selectbox(
            t("prune.allocation"), ALLOCATIONS, key="allocation", bind="query-params", help=t("help.allocation"), disabled=not free, width=260
        )
        layers = st.text_input(
            t("prune.layers"), key="layer_sparsities", bind="query-params", placeholder=t("prune.layers_example"), help=t("help.layers"),
            disabled=not free, width=260,
        )  # fmt: skip
    if not free:
        return {}
    return {"scope": None if scope == USUAL else scope, "allocation": allocation, "layer_sparsities": parse_layer_sparsities(layers or "")}


def _numbers(fully: bool) -> dict:
    """Draws the controls for what the layers are fitted to, and how closely. Returns fields of the spec."""
    with st.container(horizontal=True):
        calibration = st.number_input(t("prune.calibration"), 16, 2048, 512, 64, key="calibration", bind="query-params", help=meaning("calibration"), width=160)
        seed = st.number_input(t("prune.seed"), 0, 1_000_000, 0, key="seed", bind="query-params", help=t("help.seed"), width=160)
        ridge = st.selectbox(
            t("prune.ridge"), (*(f"{ridge:g}" for ridge in RIDGES), AUTO), index=2, key="ridge", bind="query-params", width=200, help=meaning("ridge")
        )
    residual = st.toggle(t("prune.residual"), True, key="residual", bind="query-params", help=t("help.residual"), disabled=not fully)
    refit_head = st.toggle(t("prune.refit_head"), False, key="refit_head", bind="query-params", help=t("help.refit_head"))
    return {
        "calibration": int(calibration),
        "seed": int(seed),
        "ridge": AUTO if ridge == AUTO else float(ridge),
        "residual": residual,
        "refit_head": refit_head,
    }
