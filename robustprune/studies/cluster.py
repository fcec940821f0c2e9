"""Who does the work: a Dask cluster of this machine's own, or one that is there already, whose workers are looked at first."""

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

# What a worker needs at most: PyTorch, TextAttack, a few models (measured: 2.2 GB).
BYTES_A_WORKER = 4 * 2**30
SECONDS_TO_CONNECT, SECONDS_FOR_WORKERS = 10, 60
MAX_WORKERS = 64
PROBES = "probes"


@dataclass(frozen=True)
class Workers:
    """Workers of this machine: how many, PyTorch's threads in each, and the memory that each may take."""

    count: int
    threads: int
    memory: int

    def __str__(self) -> str:
        return f"{self.count} worker{'s' * (self.count > 1)} of {self.threads} thread{'s' * (self.threads > 1)}, at most {self.memory / 2**30:.1f} GiB each"


def fitted(count: int | None = None) -> Workers:
    """Workers that fit this machine's cores and memory, as far as this process may use them; ``count``: as many as a person asks for.

    One-threaded workers side by side do more than one of many threads: attacks are many small forward passes.
    """
    from distributed.system import MEMORY_LIMIT

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count is None:
        count = max(1, min(cores, MEMORY_LIMIT // BYTES_A_WORKER, MAX_WORKERS))
    checks.whole("number of workers", count, 1, MAX_WORKERS)
    return Workers(count, max(1, cores // count), MEMORY_LIMIT // count)


@contextmanager
def local(workers: Workers) -> "Iterator[Client]":
    """A cluster that lives as long as this block: a worker in this very process, or several in processes of their own on 127.0.0.1.

    Several workers in one process would share the loaded models, and Python's lock.
    """
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong, the sweep says itself
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
    """Lets processes that start now ignore Ctrl-C, which a terminal sends to them too: they are asked to stop by the sweep."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _settings(threads: int) -> dict[str, Any]:
    """What is set for workers of this machine, besides Dask's own defaults."""
    memory = {f"distributed.worker.memory.{name}": False for name in ("target", "spill", "pause")}  # nothing of ours lies in Dask's own memory
    # Dask has malloc give every large tensor back to the system at once, whose page faults cost a fifth of a sweep's time.
    environment = {f"{library}_NUM_THREADS": threads for library in ("OMP", "MKL", "OPENBLAS")}
    return {**memory, "logging.distributed": "critical", "distributed.nanny.pre-spawn-environ": environment}


@contextmanager
def joined(address: str) -> "Iterator[Client]":
    """A cluster that is there already; it goes on afterwards.

    Raises:
        ClusterError: no scheduler answers, it has no workers, or a worker runs another program or does not see the same store.
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
        check(client)
        yield client


def probe() -> str:
    """Writes a small entry and gives its key. Raises StoreError where the store cannot be written to, before anything runs."""
    key = digest("probe", versions.code())
    stores.store().put(PROBES, key, {})
    return key


def check(client: "Client") -> None:
    """Raises ClusterError unless all workers run this program and see this store: an entry that is written here is looked for there."""
    key = probe()
    ours, here = versions.describe(), paths.shared_store() or str(paths.home())
    for address, told in client.run(versions.on_worker, PROBES, key, on_error="return").items():
        if not isinstance(told, dict):
            raise ClusterError("studies.worker_cannot_load", address=address, why=told)
        theirs = told["versions"]
        for name, version in ours.items():
            if theirs.get(name) != version:
                raise ClusterError("studies.worker_version", address=address, name=name, theirs=theirs.get(name), ours=version)
        if not told["sees"]:
            raise ClusterError("studies.worker_store", address=address, theirs=told["store"], ours=here)
