"""The frame around every page: navigation, the guard for deep links, the display of errors, and the user's choice of model, texts and runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas  # noqa: F401, before all others: while another session is importing pandas, Plotly would use the half-imported module as if it were complete
import streamlit as st

from robustprune import lab
from robustprune.base import paths
from robustprune.base.errors import RobustPruneError
from robustprune.lab.brought import OwnData, OwnModel
from robustprune.lab.runs import PruneRun
from robustprune.specs.prune import PruneSpec
from robustprune.ui import limits, links
from robustprune.ui.words import i18n
from robustprune.ui.words.i18n import t
from robustprune.ui.words.wording import plain

MARK = "_inside_app"
PAGES = {
    "overview": ":material/home:",
    "prune": ":material/content_cut:",
    "layers": ":material/stacked_bar_chart:",
    "attention": ":material/grid_on:",
    "attack": ":material/swords:",
    "compare": ":material/table_chart:",
    "dense": ":material/blender:",
    "learn": ":material/school:",
    "bring": ":material/upload_file:",
}
# The link's parameter for teacher mode, and its value. Teacher mode hides everything that a class does not need.
TEACH, YES = "teach", "1"
DEFAULT_SPARSITY = 0.5
# The most runs that a viewer can tell apart side by side.
MOST_RUNS = 4
DEFAULT_MODEL = "sst2-soup"
# The width of a card in pixels: four cards fill a wide page, two a narrow one.
CARD_WIDTH = 220


def configure() -> None:
    """Sets language, title, icon and layout of the page. The icon is a file, because a Material icon would be loaded from the network."""
    i18n.choose_language()
    links.choice(TEACH, (YES,), None)
    sidebar = "collapsed" if teaching() else "auto"
    st.set_page_config(page_title=t("app.name"), page_icon=str(paths.ASSETS / "icon.svg"), layout="wide", initial_sidebar_state=sidebar)


def teaching() -> bool:
    """True in teacher mode, in which the page is shown to a class."""
    return st.session_state.get(TEACH) == YES


def pages() -> list[st.Page]:
    """The pages, in the order of the menu. Their addresses are English in every language."""
    return [st.Page(f"pages/{name}.py", title=t(f"{name}.menu"), icon=icon, url_path=name, default=name == "overview") for name, icon in PAGES.items()]


def page(name: str) -> st.Page:
    """The page of that name, as a target for links."""
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
    """Makes sure that a page runs inside app.py. Every page calls it before it draws anything.

    In a fresh process Streamlit runs a deep-linked page of ``pages/`` without app.py. This function then starts the run again, through app.py.
    """
    if MARK not in st.session_state:
        configure()
        st.navigation(pages())
        st.rerun()


@contextmanager
def errors_shown() -> Iterator[None]:
    """Shows an error of the engine, for example about a wrong input, as a sentence in place of the rest of the page."""
    try:
        yield
    except RobustPruneError as error:
        st.error(plain(i18n.said(error)), icon=":material/error:")


def default_model() -> str:
    """The model that the app starts with."""
    names = lab.built_in_models()
    return DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]


def model() -> str:
    """The model that is chosen."""
    return st.session_state.get("model") or default_model()


def own_models() -> list[OwnModel]:
    """The users' own models that can be chosen here: those in folders that the app may read; none on a shared server."""
    return [] if limits.shared() else [own for own in lab.own_models() if limits.may_read(Path(own.name))]


def own_datasets() -> list[OwnData]:
    """The users' own data sets that can be chosen for the model; none on a shared server."""
    return [] if limits.shared() else lab.own_datasets(model())


def need_dataset() -> str:
    """The chosen data set. If none fits the model, says what to do and ends the page."""
    if not st.session_state.get("dataset"):
        st.info(t("empty.no_dataset"), icon=":material/upload_file:")
        st.page_link(page("bring"), label=t("bring.menu"))
        st.stop()
    return st.session_state["dataset"]


def datasets_of_model() -> tuple[str, ...]:
    """The names of the data set that the chosen model was trained on and of its demo texts, as far as they exist."""
    trained_on = lab.find_model(model()).dataset
    return tuple(name for name in (trained_on, lab.usual_dataset(model())) if name)


def chosen_runs() -> list[PruneRun]:
    """The runs that are chosen in the sidebar, or else the default run; empty if the model has no run yet.

    Pages that show a single run, such as the attack page, use the first one.
    """
    runs = {run.digest: run for run in runs_of(model())}
    chosen = [runs[digest] for digest in st.session_state.get("runs", ()) if digest in runs]
    return chosen or ([list(runs.values())[default_run(list(runs.values()))]] if runs else [])


def chosen_run() -> PruneRun | None:
    """The first of the chosen runs; None if the model has no run yet."""
    return next(iter(chosen_runs()), None)


def choose_run(digest: str) -> None:
    """Makes a run the first of the chosen runs. For callbacks, which run before the sidebar is drawn."""
    others = [other for other in st.session_state.get("runs", ()) if other != digest]
    st.session_state["runs"] = [digest, *others][:MOST_RUNS]


def runs_of(name: str) -> list[PruneRun]:
    """The stored runs of a model, in order of method, adaptive mode and sparsity. Of equal ones, a run with usual settings comes first."""
    found = [run for run in lab.all_runs() if run.spec.model == name]
    return sorted(found, key=lambda run: (run.spec.method, run.spec.adaptive, run.spec.sparsity, not is_usual(run)))


def run_name(run: PruneRun) -> str:
    """The name of a run. With unusual settings it also holds the start of the digest, so that no two runs have the same name."""
    name = t("run.name", sparsity=run.spec.asked, method=run.spec.method, adaptive=t(f"adaptive.{run.spec.adaptive}"))
    return name if is_usual(run) else f"{name} ({run.digest[:4]})"


def run_tag(run: PruneRun) -> str:
    """The short name of a run, made of its settings alone, for narrow places."""
    tag = f"{run.spec.asked} {run.spec.method} {run.spec.adaptive}"
    return tag if is_usual(run) else f"{tag} ({run.digest[:4]})"


def scored_on() -> str | None:
    """The data set on which the chosen model and its runs are attacked for comparison: its demo texts, else the chosen data set."""
    return lab.usual_dataset(model()) or st.session_state.get("dataset")


def is_usual(run: PruneRun, but_for: str = "", dataset: str | None = None) -> bool:
    """True if a run has usual settings: all settings that are not part of its name have their default values.

    The run must be made from demo texts or from ``dataset``, and its sparsity must have at most three decimals. ``but_for`` names one more
    field of the spec that may have any value.
    """
    spec = run.spec
    usual = PruneSpec(spec.model, spec.dataset, spec.method, spec.adaptive, spec.sparsity, spec.pattern)
    if but_for:
        usual = replace(usual, **{but_for: getattr(spec, but_for)})
    return spec.dataset in (*lab.DEMO_DATASETS, dataset) and spec == usual and round(spec.sparsity, 3) == spec.sparsity


def dataset_name(run: PruneRun) -> str:
    """The name of a run's data set. A file is named without its folders."""
    return plain(Path(run.spec.dataset).name)


def error_names() -> dict[str, str]:
    """The texts that the layer chart needs, in the session's language."""
    return {key: t(f"layers.{key}") for key in ("inherited", "own", "uncorrected", "error", "block", "chosen")}


def need_run() -> PruneRun:
    """The first of the chosen runs. If there is none, says what to do and ends the page."""
    run = chosen_run()
    if run is None:
        st.info(t("empty.no_run"), icon=":material/content_cut:")
        st.page_link(page("prune"), label=t("empty.go_prune"))
        st.stop()
    return run


def default_run(runs: list[PruneRun]) -> int:
    """The index of the run to show first: the best method at sparsity 0.5, or else index 0."""
    good = [i for i, run in enumerate(runs) if (run.spec.method, run.spec.adaptive, run.spec.sparsity) == ("admm", "full", DEFAULT_SPARSITY)]
    return good[0] if good else 0
