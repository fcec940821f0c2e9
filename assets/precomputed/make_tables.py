"""Makes the shipped tables, with the command line, from the data sets in ROBUSTPRUNE_DATA_DIR.

    python assets/precomputed/make_tables.py FOLDER

The tables are made in an ordinary store in FOLDER and then copied here. With the same FOLDER, an interrupted call continues where it stopped.
Soups that the commands on their cards made in that store (assets/models/make.py) are copied too. Training the baselines takes most of the
time.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from make import HERE, copy

# First all dense models of a data set against its soup; then the soups pruned in several ways, at half of the weights beside baselines that
# retrain.
DENSE = (
    "--dataset sst2 --model sst2-soup --other sst2-demo --other sst2-plain-1 --other sst2-plain-2 --other sst2-plain-3"
    " --other sst2-freelb-1 --other sst2-freelb-2 --other sst2-freelb-3",
    "--dataset ag_news --model ag_news-soup --other ag_news-demo --other ag_news-plain-1 --other ag_news-plain-2"
    " --other ag_news-freelb-1 --other ag_news-freelb-2",
)
METHODS = "--method magnitude --method sparsegpt --method obs --method admm"
BASELINES = "--baseline imp --baseline imp+freelb --baseline lth --precision bfloat16"
PRUNED = (
    f"--dataset sst2 --model sst2-soup {METHODS} {BASELINES} --sparsity 0.5",
    f"--dataset sst2 --model sst2-soup {METHODS} --sparsity 0.875",
    f"--dataset ag_news --model ag_news-soup {METHODS} --sparsity 0.5",
    f"--dataset ag_news --model ag_news-soup {METHODS} --sparsity 0.875",
)
COMMANDS = [f"compare {options} --examples 200" for options in (*DENSE, *PRUNED)]


def main() -> int:
    """Runs the commands, then copies soups and tables."""
    home, root = Path(sys.argv[1]), HERE.parent.parent
    place = {**os.environ, "ROBUSTPRUNE_HOME": str(home), "PYTHONPATH": str(root), "NLTK_DATA": str(home / "none")}
    for command in COMMANDS:
        done = subprocess.run([sys.executable, "-m", "robustprune", *shlex.split(command)], cwd=root, env=place)
        if done.returncode:
            return done.returncode
    for kind in ("soups", "tables"):
        copy(home / kind, HERE / kind)
    return 0


if __name__ == "__main__":
    sys.exit(main())
