"""The Dask cluster of a sweep: a new one on this machine, or an existing one, whose workers are checked first."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robustprune.base import checks, paths, stores
from robustprune.base.errors import ClusterError
from robustprune.base.hashing import digest
from robustprune.studies import versions

if TYPE_CHECKING:
    from distributed import Client

# The most memory that a worker needs for PyTorch, TextAttack and a few models (2.2 GB were measured).
BYTES_A_WORKER = 4 * 2**30
SECONDS_TO_CONNECT, SECONDS_FOR_WORKERS = 10, 60
MAX_WORKERS = 64
PROBES = "probes"


@dataclass(frozen=True)
class Workers:
    """The workers of this machine: their number, the PyTorch threads of each, and the memory limit of each in bytes."""

    count: int
    threads: int
    memory: int

    def __str__(self) -> str:
        return f"{self.count} worker{'s' * (self.count > 1)} of {self.threads} thread{'s' * (self.threads > 1)}, at most {self.memory / 2**30:.1f} GiB each"


def fitted(count: int | None = None) -> Workers:
    """The workers that fit the cores and the memory that this process may use. ``count`` is the user's own number of workers.

    By default, workers have few threads: several one-threaded workers do more than one worker with many threads, because attacks consist
    of many small forward passes.
    """
    from distributed.system import MEMORY_LIMIT

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count is None:
        count = max(1, min(cores, MEMORY_LIMIT // BYTES_A_WORKER, MAX_WORKERS))
    checks.whole("number of workers", count, 1, MAX_WORKERS)
    return Workers(count, max(1, cores // count), MEMORY_LIMIT // count)


@contextmanager
def local(workers: Workers) -> "Iterator[Client]":
    """Yields a client of a new cluster, which is closed when the context ends.

    A single worker runs in this process. Several workers run in separate processes on 127.0.0.1, because workers in one process would
    share the loaded models and Python's global lock.
    """
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the sweep reports problems itself
    folder = paths.home() / "dask"
    with dask.config.set(_settings(workers.threads)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _born_deaf_to_interrupts():
                cluster = LocalCluster(
                    n_workers=workers.count, threads_per_worker=1, processes=workers.count > 1, memory_limit=workers.memory, dashboard_address=None,
                    host="127.0.0.1" if workers.count > 1 else None, local_directory=str(folder), silence_logs=logging.CRITICAL,
                )  # fmt: skip
        except (OSError, RuntimeError) as error:
            raise ClusterError("studies.no_workers", why=error) from error
        with cluster, Client(cluster) as client:
            yield client


@contextmanager
def _born_deaf_to_interrupts() -> Iterator[None]:
    """Processes that start inside this context ignore Ctrl-C, which a terminal also sends to them. The sweep asks them to stop instead."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _settings(threads: int) -> dict[str, Any]:
    """Dask's settings for workers of this machine, where they differ from its defaults."""
    memory = {f"distributed.worker.memory.{name}": False for name in ("target", "spill", "pause")}  # our data are not in Dask's memory
    # Replaces Dask's default environment, which makes malloc return every large tensor to the system at once. The page faults that this
    # causes cost a fifth of a sweep's time.
    environment = {f"{library}_NUM_THREADS": threads for library in ("OMP", "MKL", "OPENBLAS")}
    return {**memory, "logging.distributed": "critical", "distributed.nanny.pre-spawn-environ": environment}


@contextmanager
def joined(address: str) -> "Iterator[Client]":
    """Yields a client of an existing cluster, which keeps running afterwards.

    Raises:
        ClusterError: no scheduler answers, it has no workers, or a worker runs another version or does not see the same store.
    """
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError("studies.no_scheduler", address=address, kind=type(error).__name__) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_FOR_WORKERS)
        except TimeoutError:
            raise ClusterError("studies.no_worker_came", address=address, seconds=SECONDS_FOR_WORKERS) from None
        check_workers(client)
        yield client


def probe() -> str:
    """Writes a small entry to the store and returns its key. Raises StoreError if the store cannot be written; call it before any run."""
    key = digest("probe", versions.code())
    stores.store().put(PROBES, key, {})
    return key


def check_workers(client: "Client") -> None:
    """Raises ClusterError unless all workers run the same versions and see this store. Every worker looks for an entry written here."""
    key = probe()
    ours, here = versions.describe(), paths.shared_store() or str(paths.home())
    for address, answer in client.run(versions.on_worker, PROBES, key, on_error="return").items():
        if not isinstance(answer, dict):
            raise ClusterError("studies.worker_cannot_load", address=address, why=answer)
        theirs = answer["versions"]
        for name, version in ours.items():
            if theirs.get(name) != version:
                raise ClusterError("studies.worker_version", address=address, name=name, theirs=theirs.get(name), ours=version)
        if not answer["sees"]:
            raise ClusterError("studies.worker_store", address=address, theirs=answer["store"], ours=here)
