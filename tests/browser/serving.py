"""The app as a person starts it, for tests and benchmarks that drive a browser."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60


@contextmanager
def serving(home: Path, port: int | None = None, *options: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Starts the app with a store of its own on this machine; gives its address and its process.

    Args:
        port: a free one where none is given.
        options: of ``streamlit run``.
        variables: of the environment, beside those of this process.
    """
    port = port or free_port()
    environment = {**os.environ, "ROBUSTPRUNE_HOME": str(home), **variables}
    environment.pop("HF_HUB_OFFLINE", None)  # as a person has it
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true", *options]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health")
        yield address, process
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            urllib.request.urlopen(address, timeout=1)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
