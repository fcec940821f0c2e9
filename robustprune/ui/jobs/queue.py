"""Background jobs: one worker, because two torch jobs at once only fight over the cores; one job per key; progress and cancel."""

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
    """A piece of work that runs apart from whoever looks at it.

    Attributes:
        done, total, doing: how far it is, in the work's own units, and what it is doing.
        partial: what is known so far, for a live view; each value is complete in itself and never changed afterwards.
        owner: who asked for it first; None: nobody to be limited.
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
        """What the work calls to say how far it is."""
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
        """Time since it started."""
        return time.monotonic() - self.started if self.started else 0.0

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("queued", "running")


class JobManager:
    """Runs jobs one after the other. Asking for a key that waits or runs gives the job that is there.

    At most ``most`` jobs wait or run, and at most ``most_per_owner`` of one owner. When the process ends, what runs is cancelled, and given
    ``SECONDS_TO_END`` to clean up; what waits is not begun.
    """

    def __init__(self, most: int | None = None, most_per_owner: int | None = None) -> None:
        self._most, self._most_per_owner = most, most_per_owner
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[tuple[Job, Callable[[Job], Any]]] = deque()
        self._lock = threading.Lock()
        self._working = False
        weakref.finalize(self, _end, self._jobs)

    def submit(self, key: str, work: Callable[[Job], Any], owner: str | None = None) -> Job:
        """Queues ``work``; it gets its job, to report to and to look at ``cancel``.

        Raises:
            Busy: as many jobs wait or run as may, of all or of this owner.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job and job.active and not job.cancel.is_set():
                return job
            self._check_room(owner)
            self._jobs.pop(key, None)  # so that the new one stands last
            job = self._jobs[key] = Job(key, owner=owner)
            self._waiting.append((job, work))
            for ended in [other for other in self._jobs.values() if not other.active][:-KEPT]:
                del self._jobs[ended.key]
            if not self._working:
                self._working = True
                # A daemon: an executor's thread would keep the process from ending until the last job is done.
                threading.Thread(target=self._work, name="robustprune-job", daemon=True).start()
            return job

    def cancel(self, job: Job) -> None:
        """Asks a job to stop: at once if it still waits, else when it next looks."""
        job.cancel.set()
        job.future.cancel()

    def get(self, key: str) -> Job | None:
        """The newest job of that key."""
        return self._jobs.get(key)

    def place(self, job: Job) -> int:
        """How many jobs are to end before this one starts; 0 if it runs."""
        if job.state != "queued":
            return 0
        ahead = [other for other in list(self._jobs.values()) if other.active]
        return ahead.index(job) if job in ahead else 0

    def _check_room(self, owner: str | None) -> None:
        """A job that is asked to stop makes room at once: whoever cancels one may ask for the next."""
        active = [job for job in self._jobs.values() if job.active and not job.cancel.is_set()]
        if self._most is not None and len(active) >= self._most:
            raise Busy("ui.queue_full", count=len(active))
        own = sum(job.owner == owner for job in active) if owner else 0
        if self._most_per_owner is not None and own >= self._most_per_owner:
            raise Busy("ui.own_jobs_full", count=own)

    def _work(self) -> None:
        """Works off the queue, and ends when it is empty."""
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
                except BaseException as error:  # whoever asks for the result is told
                    job.future.set_exception(explained(error))
                memory.give_back()


def _end(jobs: dict[str, Job]) -> None:
    """Cancels all jobs, and waits a little for the one that runs."""
    active = [job for job in jobs.values() if job.active]
    for job in active:
        job.cancel.set()
        job.future.cancel()
    wait([job.future for job in active if not job.future.cancelled()], SECONDS_TO_END)
