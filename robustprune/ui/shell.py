"""The frame around every page: navigation, the guard of deep links, the sidebar, and how errors are shown."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from robustprune import lab, paths
from robustprune.attacks.trace import AttackTrace
from robustprune.errors import RobustPruneError
from robustprune.results import PruneRun
from robustprune.spec import AttackSpec, PruneSpec
from robustprune.ui import i18n
from robustprune.ui.i18n import t

MARK = "_inside_app"
PAGES = {
    "overview": ":material/home:",
    "prune": ":material/content_cut:",
    "layers": ":material/stacked_bar_chart:",
    "attention": ":material/grid_on:",
    "attack": ":material/swords:",
    "compare": ":material/table_chart:",
    "dense": ":material/blender:",
}
DEFAULT_SPARSITY = 0.5
DEFAULT_MODEL = "sst2-soup"
# Four cards fill a wide page, two a narrow one (pixels).
CARD_WIDTH = 220


def configure() -> None:
    """The browser tab's title and icon, and the layout. The icon is a file: a Material icon would be fetched from the network."""
    st.set_page_config(page_title=t("app.name"), page_icon=str(paths.ASSETS / "icon.svg"), layout="wide")


def pages() -> list[st.Page]:
    """The pages, in the order of the menu. Addresses stay English."""
    return [st.Page(f"pages/{name}.py", title=t(f"{name}.menu"), icon=icon, url_path=name, default=name == "overview") for name, icon in PAGES.items()]


def page(name: str) -> st.Page:
    """One of the pages, to link to."""
    return next(one for one, key in zip(pages(), PAGES, strict=True) if key == name)


@contextmanager
def entered() -> Iterator[None]:
    """Marks the session as being inside app.py while a page runs."""
    st.session_state[MARK] = True
    try:
        yield
    finally:
        del st.session_state[MARK]


def require_entrypoint() -> None:
    """Every page's first line. On a fresh process Streamlit runs a deep-linked page of ``pages/`` without app.py; this goes back to it."""
    if MARK not in st.session_state:
        configure()
        st.navigation(pages())
        st.rerun()


@contextmanager
def errors_shown() -> Iterator[None]:
    """Shows what the engine says about a wrong input as a sentence, where the page would have gone on."""
    try:
        yield
    except RobustPruneError as error:
        st.error(plain(str(error)), icon=":material/error:")


def sidebar() -> None:
    """What is global: model, run, language. All of it is in the link."""
    if len(i18n.languages()) > 1:
        st.selectbox(t("sidebar.language"), i18n.languages(), key="lang", bind="query-params", format_func=lambda code: i18n.texts(code)["language.name"])
    names = lab.built_in_models()
    default = names.index(DEFAULT_MODEL) if DEFAULT_MODEL in names else 0
    st.selectbox(t("sidebar.model"), names, index=default, key="model", bind="query-params", help=t("sidebar.model_help"))
    runs = runs_of(model())
    if runs:
        digests = [run.digest for run in runs]
        first = 0 if st.session_state.get("runs") in digests else _default_run(runs)  # a choice that is made already is the state's, not a default
        st.selectbox(
            t("sidebar.run"), digests, index=first, key="runs", bind="query-params",
            format_func=lambda digest: run_name(next(run for run in runs if run.digest == digest)), help=t("sidebar.run_help"),
        )  # fmt: skip
    else:
        st.caption(t("sidebar.no_run"))


def model() -> str:
    """The model that is chosen."""
    chosen = st.session_state.get("model")
    return chosen if chosen in lab.built_in_models() else lab.built_in_models()[0]


def datasets_of_model() -> tuple[str, ...]:
    """The data set that the chosen model was trained on, and its demo texts."""
    card = lab.find_model(model()).dataset
    return tuple(name for name in (card, lab.usual_dataset(model())) if name)


def chosen_run() -> PruneRun | None:
    """The run that is chosen in the sidebar; None where there is none yet."""
    runs = runs_of(model())
    chosen = next((run for run in runs if run.digest == st.session_state.get("runs")), None)
    return chosen or (runs[_default_run(runs)] if runs else None)


def choose_run(run: PruneRun) -> None:
    """Makes a run the one that the other pages show; for callbacks, which run before the sidebar."""
    st.session_state["runs"] = run.digest


def runs_of(name: str) -> list[PruneRun]:
    """The stored runs of a model: by method, then sparsity, the usual ones first."""
    found = [run for run in lab.runs() if run.spec.model == name]
    return sorted(found, key=lambda run: (run.spec.method, run.spec.adaptive, run.spec.sparsity, not is_usual(run)))


def run_name(run: PruneRun) -> str:
    """A run by what it is; one that was not made in the usual way also by the start of its digest, so that no two have one name."""
    name = t("run.name", sparsity=run.spec.asked, method=run.spec.method, adaptive=t(f"adaptive.{run.spec.adaptive}"))
    return name if is_usual(run) else f"{name} ({run.digest[:4]})"


def is_usual(run: PruneRun) -> bool:
    """Whether a run was made from the model's demo texts with all settings but its name's left as they are."""
    spec = run.spec
    usual = PruneSpec(spec.model, lab.usual_dataset(spec.model), spec.method, spec.adaptive, spec.sparsity, spec.pattern)
    return spec == usual and round(spec.sparsity, 3) == spec.sparsity


def dataset_name(run: PruneRun) -> str:
    """The name of a run's texts; of a file, without the folders before it."""
    return plain(Path(run.spec.dataset).name)


def plain(text: str) -> str:
    """A text that Streamlit shows as it is: nothing in it is read as Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])", r"\\\1", text)


def percent(share: float) -> str:
    """A share as a percentage with no needless digits."""
    return f"{share:.1%}".replace(".0%", "%")


def rate(values: dict, key: str) -> str:
    """A rate with its interval, in per cent."""
    return f"{values[key]:.1%} [{values[f'{key}_low']:.1%}, {values[f'{key}_high']:.1%}]"


def difference(comparison: dict) -> str:
    """The second model's lead in accuracy under attack, in points, with its interval."""
    points, low, high = (comparison[f"aua_difference{end}"] * 100 for end in ("", "_low", "_high"))
    return f"{points:+.1f} [{low:+.1f}, {high:+.1f}]"


def p_value(p: float) -> str:
    """A p-value as it is printed: three digits, and never zero."""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def attack_pair(run: PruneRun, text: str, label: int, spec: AttackSpec) -> tuple[AttackTrace, AttackTrace] | None:
    """The stored attacks on a text, against the run's dense start and the run, with the same resources; None unless both are there."""
    dense, sparse = lab.find_attack(run.spec.model, text, label, spec), lab.find_attack(run.ref, text, label, spec)
    return (dense, sparse) if dense and sparse and dense.resources == sparse.resources else None


def error_names() -> dict[str, str]:
    """The words of the layer chart."""
    return {key: t(f"layers.{key}") for key in ("inherited", "own", "uncorrected", "error", "block")}


def need_run() -> PruneRun:
    """The chosen run; where there is none, says what to do and ends the page."""
    run = chosen_run()
    if run is None:
        st.info(t("empty.no_run"), icon=":material/content_cut:")
        st.page_link(page("prune"), label=t("empty.go_prune"))
        st.stop()
    return run


def _default_run(runs: list[PruneRun]) -> int:
    """The place of the run to show first: the best method at one half."""
    good = [i for i, run in enumerate(runs) if (run.spec.method, run.spec.adaptive, run.spec.sparsity) == ("admm", "full", DEFAULT_SPARSITY)]
    return good[0] if good else 0
