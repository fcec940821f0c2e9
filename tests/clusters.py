"""A Dask cluster of separate processes on this machine's loopback: a scheduler and workers, ended when their block is left."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

SECONDS = 120


@contextmanager
def process(*command, home, **more):
    """A program of this project's environment, ended with all its children when the block is left."""
    place = {**os.environ, "ROBUSTPRUNE_HOME": str(home), **more}
    started = subprocess.Popen([sys.executable, "-m", *command], env=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield started
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@contextmanager
def scheduler(home):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with process("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", home=home):
        yield f"tcp://127.0.0.1:{port}"


def worker(address, home, **more):
    return process("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1", home=home, **more)


def wait_for_workers(address, count):
    from distributed import Client

    with Client(address, timeout=SECONDS, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=SECONDS)
