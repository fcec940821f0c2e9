"""The file ``robustprune.json``, which names the origin of the model in a folder."""

import json
from pathlib import Path

ABOUT = "robustprune.json"


def write_origin(folder: Path, source: Path | None, dataset: str | None) -> None:
    """Writes the origin of a model into ``folder``: a copy of the file ``robustprune.json`` in ``source`` if there is one, else the data set."""
    known = source / ABOUT if source else None
    about = known.read_text(encoding="utf-8") if known and known.is_file() else json.dumps({"dataset": dataset}) + "\n"
    folder.joinpath(ABOUT).write_text(about, encoding="utf-8")
