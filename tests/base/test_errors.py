"""Memory that runs out is told in a sentence, whatever a library calls it; every other error stays what it is."""

import numpy as np
import pytest
import torch

from robustprune.base.errors import DataError, ModelError, OutOfMemory, explained
from robustprune.ui.jobs.queue import JobManager


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 4294967296 bytes."),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        OSError(12, "Cannot allocate memory"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
def test_memory_that_ran_out_is_told(error):
    assert isinstance(explained(error), OutOfMemory)
    try:
        raise ModelError("base.verbatim", text="The model cannot be loaded.") from error
    except ModelError as wrapped:
        assert isinstance(explained(wrapped), OutOfMemory)


def test_other_errors_stay_what_they_are():
    for error in (DataError("base.verbatim", text="There is no file."), ValueError("wrong"), KeyboardInterrupt()):
        assert explained(error) is error


def test_an_allocation_that_cannot_be_is_told_as_this_version_of_the_libraries_tells_it():
    """The words that are looked for are those of the installed versions."""
    for allocate in (lambda: torch.empty(10**15), lambda: np.empty(10**15), lambda: bytearray(10**16)):
        with pytest.raises(Exception) as failed:
            allocate()
        assert isinstance(explained(failed.value), OutOfMemory)


def test_a_job_that_runs_out_of_memory_says_so():
    def work(job):
        raise MemoryError

    job = JobManager().submit("key", work)
    assert isinstance(job.future.exception(10), OutOfMemory)
    assert job.state == "failed"
