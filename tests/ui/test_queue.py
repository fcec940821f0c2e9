"""Background jobs: one at a time, one a key, cancelled when asked."""

import subprocess
import sys
import threading
import time

import psutil
import pytest

from robustprune.base.errors import Busy, Cancelled
from robustprune.ui.jobs import memory
from robustprune.ui.jobs.queue import JobManager


def wait_for(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_a_job_gives_its_result_and_its_progress():
    job = JobManager().submit("a", lambda job: (job.progress(1, 2, "half"), 42)[1])
    assert job.future.result(5) == 42
    assert (job.state, job.fraction, job.doing) == ("done", 0.5, "half")


def test_the_same_key_is_the_same_job_while_it_runs():
    manager, go = JobManager(), threading.Event()
    first = manager.submit("a", lambda job: go.wait(5))
    assert manager.submit("a", lambda job: None) is first
    go.set()
    first.future.result(5)
    assert manager.submit("a", lambda job: None) is not first


def test_jobs_wait_their_turn_and_tell_their_place():
    manager, go = JobManager(), threading.Event()
    first = manager.submit("a", lambda job: go.wait(5))
    second, third = manager.submit("b", lambda job: "b"), manager.submit("c", lambda job: "c")
    wait_for(lambda: first.state == "running")
    assert (manager.place(second), manager.place(third)) == (1, 2)
    go.set()
    assert third.future.result(5) == "c"


def test_cancel_reaches_a_running_and_a_waiting_job():
    def work(job):
        while not job.cancel.wait(0.01):
            pass
        raise Cancelled("base.cancelled")

    manager = JobManager()
    first, second = manager.submit("a", work), manager.submit("b", lambda job: "never")
    manager.cancel(second)
    assert second.state == "cancelled"
    manager.cancel(first)
    wait_for(lambda: not first.active)
    assert first.state == "cancelled"


def test_a_cancelled_job_can_be_started_again_at_once():
    manager, go = JobManager(), threading.Event()
    first = manager.submit("a", lambda job: go.wait(5))
    first.cancel.set()
    second = manager.submit("a", lambda job: "again")
    go.set()
    assert second.future.result(5) == "again"


def test_a_failure_is_kept_for_whoever_looks():
    def work(job):
        raise ValueError("broken")

    manager = JobManager()
    job = manager.submit("a", work)
    wait_for(lambda: not job.active)
    assert job.state == "failed"
    assert manager.submit("b", lambda job: "the worker goes on").future.result(5)


LEAVING = """
import sys, time
from robustprune.ui.jobs.queue import JobManager

def work(job):
    print("started", flush=True)
    while not job.cancel.wait(0.01):
        pass
    print("cleaned up", flush=True)

manager = JobManager()
manager.submit("a", work)
manager.submit("b", lambda job: print("never", flush=True))
time.sleep(0.2)
"""


def test_a_process_that_ends_cancels_what_runs_and_does_not_wait_for_what_waits():
    ended = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split("\n") == ["started", "cleaned up", ""]


def test_a_job_that_does_not_look_holds_up_the_end_for_seconds_only():
    script = LEAVING.replace("not job.cancel.wait(0.01)", "time.sleep(0.01) is None")
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert time.monotonic() - start < 30


def test_one_owner_may_ask_for_so_many_jobs_and_all_together_for_so_many():
    manager, go = JobManager(most=3, most_per_owner=1), threading.Event()
    first = manager.submit("a", lambda job: go.wait(5), "ann")
    with pytest.raises(Busy, match="You already have"):
        manager.submit("b", lambda job: None, "ann")
    assert manager.submit("a", lambda job: None, "ann") is first  # the same job is no further one
    assert manager.submit("a", lambda job: None, "bob") is first
    manager.submit("b", lambda job: None, "bob")
    manager.submit("c", lambda job: None, "eve")
    with pytest.raises(Busy, match="3 jobs"):
        manager.submit("d", lambda job: None, "dan")
    assert manager.get("d") is None
    go.set()
    first.future.result(5)
    wait_for(lambda: not manager.get("c").active)
    assert manager.submit("d", lambda job: 4, "ann").future.result(5) == 4


def test_who_cancels_a_job_may_ask_for_another_at_once():
    manager, go = JobManager(most_per_owner=1), threading.Event()
    manager.cancel(manager.submit("a", lambda job: go.wait(5), "ann"))
    second = manager.submit("b", lambda job: 2, "ann")
    go.set()
    assert second.future.result(5) == 2


@pytest.mark.skipif(memory._trim() is None, reason="no glibc, whose allocator keeps what was freed")
def test_memory_that_a_job_has_done_with_goes_back_to_the_machine():
    kept = []

    def work(job):
        blocks = [bytearray(3_000) for _ in range(100_000)]
        kept.append(bytearray(3_000))  # the last one stays, so that the allocator cannot give back all before it by itself
        assert len(blocks) == 100_000 and process.memory_info().rss > before + 250e6

    manager, process = JobManager(), psutil.Process()
    before = process.memory_info().rss
    manager.submit("a", work).future.result(60)
    manager.submit("b", lambda job: None).future.result(60)  # the first has been cleared up after when the second ends
    assert process.memory_info().rss < before + 100e6
