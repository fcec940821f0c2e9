"""Background jobs on a page: one manager for all sessions, what one session may ask of it, and a panel that follows a job until it ends."""

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
# Session key under which a callback leaves the reason why a job was refused, by the job's key. The panel shows the reason.
REFUSED = "_job_refused"


@st.cache_resource
def manager() -> JobManager:
    """The single job manager of this process."""
    return JobManager(limits.queue_length(), limits.session_jobs())


def owner() -> str:
    """The owner of the jobs that this viewer starts: the e-mail address of a signed-in person, else the id of the browser session."""
    person = st.user.to_dict()
    return person["email"] if person.get("is_logged_in") and person.get("email") else get_script_run_ctx().session_id


def may_cancel(job: Job) -> bool:
    """True if this viewer may stop a job. On a shared server only the one who first asked for the job may stop it."""
    return not limits.shared() or job.owner == owner()


def cancel(job: Job) -> None:
    """Asks a job to stop, if this viewer may do that. For callbacks.

    The check is needed although the button is disabled for other viewers: a client that somebody wrote can send the click anyway.
    """
    if may_cancel(job):
        manager().cancel(job)


def submit(key: str, work: Callable[[Job], Any]) -> None:
    """Queues ``work`` as the job ``key`` of this viewer. Raises Busy if too many jobs wait or run."""
    manager().submit(key, work, owner())


def ask_for(key: str, work: Callable[[Job], Any]) -> None:
    """Like :func:`submit`, for buttons: if the job is refused, its panel shows the reason."""
    try:
        submit(key, work)
    except Busy as error:
        st.session_state[REFUSED] = {key: error}


def running(key: str) -> bool:
    """True if the job ``key`` waits or runs."""
    job = manager().get(key)
    return bool(job and job.active)


def start_button(label: str, key: str, work: Callable[[Job], Any], *, primary: bool = False, help: str | None = None) -> None:
    """Draws a button that queues ``work`` as the job ``key``. The button is disabled while that job waits or runs."""
    look: dict[str, Any] = {"type": "primary" if primary else "secondary", "icon": ":material/play_arrow:", "help": help}
    st.button(label, key=f"start-{key}", on_click=ask_for, args=(key, work), disabled=running(key), **look)


def result(key: str) -> Any:
    """The result of the job ``key``; None if there is no such job, or if it has not finished successfully."""
    job = manager().get(key)
    return job.future.result() if job and job.state == "done" else None


def show(key: str, live: Callable[[Any], None] | None = None) -> None:
    """Shows the job ``key``: its place in the queue, its progress and a cancel button, or how it failed.

    ``live`` draws the partial result while the job runs. When the job ends, the whole page runs again, so that everything that depends on
    the job appears.
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
