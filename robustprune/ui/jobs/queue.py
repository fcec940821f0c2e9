"""Background jobs with progress and cancellation: one job per key, and a single worker.

There is only one worker, because two torch jobs at once would only compete for the cores.
"""

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any, Literal

from robustprune.base import logs
from robustprune.base.errors import Busy, Cancelled, explained
from robustprune.base.messages import Message
from robustprune.ui.jobs import memory

KEPT = 50
SECONDS_TO_END = 5
State = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(eq=False)
class Job:
    """A piece of work that runs independently of the sessions that watch it.

    Attributes:
        done, total, doing: how far the job is (``done`` of ``total``, in the work's own units), and what it is doing.
        partial: the result so far, for a live view. Each value is complete and never changes afterwards.
        owner: who asked for the job first. None means that no limit per owner applies.
    """

    key: str
    cancel: threading.Event = field(default_factory=threading.Event)
    done: float = 0.0
    total: float = 1.0
    doing: Message | str = ""
    partial: Any = None
    owner: str | None = None
    started: float | None = None
    future: Future = field(default_factory=Future)

    def progress(self, done: float, total: float, doing: Message | str, partial: Any = None) -> None:
        """Records how far the job is. The work calls it."""
        self.done, self.total, self.doing = done, total, doing
        if partial is not None:
            self.partial = partial

    @property
    def state(self) -> State:
        """Where the job stands."""
        if not self.future.done():
            return "queued" if self.started is None else "running"
        if self.future.cancelled():
            return "cancelled"
        error = self.future.exception()
        if error is None:
            return "done"
        return "cancelled" if isinstance(error, Cancelled) else "failed"

    @property
    def fraction(self) -> float:
        """How far the job is, in [0, 1]."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total else 0.0

    @property
    def seconds(self) -> float:
        """The seconds since the job started; 0 before."""
        return time.monotonic() - self.started if self.started else 0.0

    @property
    def active(self) -> bool:
        """True if the job waits or runs."""
        return self.state in ("queued", "running")


class JobManager:
    """Runs jobs one after the other. If the job of a key still waits or runs, asking for that key again returns that job.

    At most ``most`` jobs wait or run, and at most ``most_per_owner`` of one owner. When the process ends, the running job is cancelled and
    gets ``SECONDS_TO_END`` to clean up; waiting jobs do not start.
    """

    def __init__(self, most: int | None = None, most_per_owner: int | None = None) -> None:
        self._most, self._most_per_owner = most, most_per_owner
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[tuple[Job, Callable[[Job], Any]]] = deque()
        self._lock = threading.Lock()
        self._working = False
        weakref.finalize(self, _end, self._jobs)

    def submit(self, key: str, work: Callable[[Job], Any], owner: str | None = None) -> Job:
        """Queues ``work`` and returns its job. ``work`` receives the job, reports its progress to it, and checks its ``cancel``.

        Raises:
            Busy: the limit of jobs that may wait or run is reached, for all owners or for this one.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job and job.active and not job.cancel.is_set():
                return job
            self._check_room(owner)
            self._jobs.pop(key, None)  # so that the new job comes last in the dictionary
            job = self._jobs[key] = Job(key, owner=owner)
            self._waiting.append((job, work))
            for ended in [other for other in self._jobs.values() if not other.active][:-KEPT]:
                del self._jobs[ended.key]
            if not self._working:
                self._working = True
                # A daemon thread, because the thread of an executor would keep the process alive until the last job is done.
                threading.Thread(target=self._work, name="robustprune-job", daemon=True).start()
            return job

    def cancel(self, job: Job) -> None:
        """Asks a job to stop. A waiting job stops at once, a running job when it next checks ``cancel``."""
        job.cancel.set()
        job.future.cancel()

    def get(self, key: str) -> Job | None:
        """The newest job of that key, or None."""
        return self._jobs.get(key)

    def place(self, job: Job) -> int:
        """How many jobs must end before this one starts; 0 if it runs or has ended."""
        if job.state != "queued":
            return 0
        ahead = [other for other in list(self._jobs.values()) if other.active]
        return ahead.index(job) if job in ahead else 0

    def _check_room(self, owner: str | None) -> None:
        """Raises Busy if no further job fits. A job that was asked to stop does not count, so its owner can ask for the next one at once."""
        active = [job for job in self._jobs.values() if job.active and not job.cancel.is_set()]
        if self._most is not None and len(active) >= self._most:
            raise Busy("ui.queue_full", count=len(active))
        own = sum(job.owner == owner for job in active) if owner else 0
        if self._most_per_owner is not None and own >= self._most_per_owner:
            raise Busy("ui.own_jobs_full", count=own)

    def _work(self) -> None:
        """Runs the waiting jobs one by one, and ends when the queue is empty."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._working = False
                    return
                job, work = self._waiting.popleft()
            if job.future.set_running_or_notify_cancel():
                job.started = time.monotonic()
                try:
                    with logs.work("job", job.key):
                        result = work(job)
                    job.future.set_result(result)
                except BaseException as error:  # the caller that asks for the result gets the error
                    job.future.set_exception(explained(error))
                memory.give_back()


def _end(jobs: dict[str, Job]) -> None:
    """Cancels all jobs, and waits up to ``SECONDS_TO_END`` for the running one."""
    active = [job for job in jobs.values() if job.active]
    for job in active:
        job.cancel.set()
        job.future.cancel()
    wait([job.future for job in active if not job.future.cancelled()], SECONDS_TO_END)
