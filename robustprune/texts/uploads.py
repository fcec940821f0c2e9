"""Keeps the files that users upload in the app. They are in the store's folder, under names made from their content."""

from pathlib import Path

from robustprune.base import hashing, partials, paths
from robustprune.base.errors import DataError, StoreError
from robustprune.texts import datasets


def keep(name: str, content: bytes) -> str:
    """Writes a user's file of texts and labels into the store's folder, under a hash of its content. Returns its path, the data set's name.

    Raises:
        DataError: the file cannot be read as a table of texts and labels. The file is removed again.
        StoreError: the file cannot be written.
    """
    path = paths.home() / "uploads" / (hashing.of_bytes(content)[:16] + Path(name).suffix.lower())
    try:
        if not path.is_file():
            with partials.file(path) as partial:
                partial.write_bytes(content)
    except OSError as error:
        raise StoreError("texts.cannot_be_kept", folder=path.parent, why=error.strerror) from error
    try:
        datasets.load(str(path), "calibration")
    except DataError as error:
        path.unlink()
        values = {key: name if str(value) in (path.name, str(path)) else value for key, value in error.message.values.items()}
        raise DataError(error.message.key, **values) from error
    return str(path)
