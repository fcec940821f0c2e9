"""The first moments of a server, when one session still imports what another session's page needs."""

import subprocess
import sys

from tests.pages.opening import APP

# Another session has begun to import pandas and is slow about it.
SCRIPT = f"""
import importlib.abc, importlib.machinery, sys, threading, time
from streamlit.testing.v1 import AppTest

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "pandas.core.api":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        run = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (begun.set(), time.sleep(SECONDS), run(module))
        return spec

SECONDS = 6
begun = threading.Event()
sys.meta_path.insert(0, Slow())
threading.Thread(target=lambda: __import__("pandas"), daemon=True).start()
assert begun.wait(30)
app = AppTest.from_file({APP!r}, default_timeout=60).run()
assert not app.exception, app.exception[0].message
assert app.metric
"""


def test_a_page_waits_until_another_session_has_imported_what_its_charts_look_for(empty_home):
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-1500:]
