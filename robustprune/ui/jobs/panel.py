"""Background jobs on a page: one manager for all sessions, what one session may ask of it, and a panel that watches a job until it ends."""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from robustprune.base.errors import Busy, RobustPruneError
from robustprune.ui import limits
from robustprune.ui.jobs.queue import Job, JobManager
from robustprune.ui.words.i18n import said, t
from robustprune.ui.words.wording import plain

POLL_SECONDS = 0.5
# Where a callback leaves, by the key of the job, why it was not taken, for the panel to tell.
REFUSED = "_job_refused"


@st.cache_resource
def manager() -> JobManager:
    """The one manager of this process."""
    return JobManager(limits.queue_length(), limits.session_jobs())


def owner() -> str:
    """Whose jobs count together: those of a person who signed in, else of a browser session."""
    person = st.user.to_dict()
    return person["email"] if person.get("is_logged_in") and person.get("email") else get_script_run_ctx().session_id


def may_cancel(job: Job) -> bool:
    """On a shared server only whoever asked for a job first may stop it."""
    return not limits.shared() or job.owner == owner()


def cancel(job: Job) -> None:
    """Asks a job to stop, where whoever looks may; for callbacks, since a button that is greyed out stops no client of somebody's own."""
    if may_cancel(job):
        manager().cancel(job)


def submit(key: str, work: Callable[[Job], Any]) -> None:
    """Queues ``work`` as the job of that key and of whoever looks. Raises Busy if too many wait or run."""
    manager().submit(key, work, owner())


def ask_for(key: str, work: Callable[[Job], Any]) -> None:
    """The same for buttons: why a job is not taken is told by its panel."""
    try:
        submit(key, work)
    except Busy as error:
        st.session_state[REFUSED] = {key: error}


def running(key: str) -> bool:
    """Whether a job of that key waits or runs."""
    job = manager().get(key)
    return bool(job and job.active)


def start_button(label: str, key: str, work: Callable[[Job], Any], *, primary: bool = False, help: str | None = None) -> None:
    """A button that queues ``work`` as the job of that key; of no use while that job waits or runs."""
    look: dict[str, Any] = {"type": "primary" if primary else "secondary", "icon": ":material/play_arrow:", "help": help}
    st.button(label, key=f"start-{key}", on_click=ask_for, args=(key, work), disabled=running(key), **look)


def result(key: str) -> Any:
    """What the job of that key gave; None while there is no such job, or none that is done."""
    job = manager().get(key)
    return job.future.result() if job and job.state == "done" else None


def show(key: str, live: Callable[[Any], None] | None = None) -> None:
    """Shows the job of that key: place in the queue, progress, ``live`` drawing what is known so far, cancel; or how it failed.

    When the job ends, the page runs again as a whole, so that what depends on it appears.
    """
    refused = st.session_state.get(REFUSED, {}).pop(key, None)
    if refused:
        st.warning(plain(said(refused)), icon=":material/hourglass_top:")
    job = manager().get(key)
    if job is None or refused:
        return
    if job.active:
        _watch(key, live)
    elif job.state == "cancelled":
        st.info(t("job.cancelled"), icon=":material/cancel:")
    elif job.state == "failed":
        _show_failure(job.future.exception())


@st.fragment(run_every=POLL_SECONDS)
def _watch(key: str, live: Callable[[Any], None] | None) -> None:
    job = manager().get(key)
    if job is None or not job.active:
        st.rerun()
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        place = manager().place(job)
        text = t("job.queued", place=place) if job.state == "queued" else t("job.running", text=plain(said(job.doing)), seconds=f"{job.seconds:.0f}")
        left.progress(job.fraction, text=text)
        look: dict[str, Any] = {"icon": ":material/stop:", "width": "stretch", "disabled": job.cancel.is_set() or not may_cancel(job)}
        right.button(t("job.cancel"), key=f"cancel-{key}", on_click=cancel, args=(job,), **look)
        if live and job.partial:
            live(job.partial)


def _show_failure(error: BaseException) -> None:
    if isinstance(error, RobustPruneError):
        st.error(plain(said(error)), icon=":material/error:")
        return
    st.error(t("job.failed"), icon=":material/error:")
    with st.expander(t("job.details")):
        st.exception(error)
