"""The file that says where the model in a folder comes from."""

import json
from pathlib import Path

ABOUT = "robustprune.json"


def write_origin(folder: Path, source: Path | None, dataset: str | None) -> None:
    """Writes into ``folder`` what is known of where a model comes from: the card's data of its folder, or at least its data set."""
    known = source / ABOUT if source else None
    about = known.read_text(encoding="utf-8") if known and known.is_file() else json.dumps({"dataset": dataset}) + "\n"
    folder.joinpath(ABOUT).write_text(about, encoding="utf-8")
