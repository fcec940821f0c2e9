"""Makes the shipped results of the small sweeps, with the command line, from the demo texts alone.

    python assets/precomputed/make_sweeps.py FOLDER

The sweeps use an ordinary store in FOLDER. With the same FOLDER, an interrupted call continues where it stopped. Two files ship of each sweep:
the table of its results, and a description with the command, the day, the versions, the machine, and the minutes that its runs and attacks
took.
"""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SWEEPS = ("table1-small", "figure3-small", "figure4-small")


def main() -> int:
    """Runs the sweeps one after the other, and writes the files that ship of each."""
    sys.path.insert(0, str(ROOT))
    os.environ |= {"ROBUSTPRUNE_HOME": sys.argv[1], "PYTHONPATH": str(ROOT), "NLTK_DATA": str(Path(sys.argv[1]) / "none")}
    os.environ.pop("ROBUSTPRUNE_DATA_DIR", None)
    for old in (HERE / "sweeps").glob("*.parquet"):
        old.unlink()  # what ships of a model would else count as results of this time
    for name in SWEEPS:
        file = f"assets/sweeps/{name}.yaml"
        done = subprocess.run([sys.executable, "-m", "robustprune", "sweep", file], cwd=ROOT)
        if done.returncode:
            return done.returncode
        write(name, file)
    return 0


def write(name: str, file: str) -> None:
    """Writes the results table of a sweep, and its description."""
    from robustprune import studies
    from robustprune.pruning import ENGINE_VERSION
    from robustprune.specs import sweep
    from robustprune.training.card import versions

    rows = studies.sweep_results(sweep.SweepSpec.read(ROOT / file))
    rows["shipped"] = True
    studies.write_results(rows, HERE / "sweeps" / f"{name}.parquet")
    work = rows["attack_seconds"].sum() + rows[rows["kind"] == "pruned"].drop_duplicates("digest")["prune_seconds"].sum()
    about = {
        "name": name, "command": f"python -m robustprune sweep {file}", "runs": int(rows["digest"].nunique()), "day": time.strftime("%Y-%m-%d", time.gmtime()),
        "minutes": round(float(work) / 60 / studies.sweep_workers().count, 1), "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        **versions(), "engine": ENGINE_VERSION,
    }  # fmt: skip
    (HERE / "sweeps" / f"{name}.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
