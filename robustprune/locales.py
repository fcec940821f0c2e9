"""The files of the app's words, read so that one that is damaged is told as such."""

import json
from pathlib import Path

from robustprune.errors import AssetError


def read(path: Path) -> dict[str, str]:
    """The texts of a file by key. Raises AssetError if it is no JSON object of texts."""
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # not there, no UTF-8, no JSON
        raise AssetError(f"The file {path.name} of the app's words is damaged or missing ({error}). Restore it from the repository.") from error
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise AssetError(f"The file {path.name} of the app's words is damaged: it must map keys to texts. Restore it from the repository.")
    return texts
