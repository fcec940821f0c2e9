"""Memory that runs out is told in a sentence, whatever a library calls it; every other error stays what it is."""

import pytest

from robustprune.base.errors import DataError, ModelError, OutOfMemory, explained
from robustprune.ui.jobs.queue import JobManager


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: not enough memory: you tried to allocate 4294967296 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        OSError(12, "Cannot allocate memory"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
def test_memory_that_ran_out_is_told(error):
    assert isinstance(explained(error), OutOfMemory)
    try:
        raise ModelError("The model cannot be loaded.") from error
    except ModelError as wrapped:
        assert isinstance(explained(wrapped), OutOfMemory)


def test_other_errors_stay_what_they_are():
    for error in (DataError("There is no file."), ValueError("wrong"), KeyboardInterrupt()):
        assert explained(error) is error


def test_a_job_that_runs_out_of_memory_says_so():
    def work(job):
        raise MemoryError

    job = JobManager().submit("key", work)
    assert isinstance(job.future.exception(10), OutOfMemory)
    assert job.state == "failed"
