"""Folders that people name to export to: filled whole or not at all."""

import os
import shutil
from pathlib import Path

from robustprune.errors import ModelError


def check_is_free(out: Path) -> None:
    """Raises ModelError unless ``out`` is a new or an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ModelError(f"{out} is a file or a folder that is not empty. Name a new or an empty folder.")


def copy_whole(source: Path, out: Path) -> Path:
    """Copies a folder beside ``out`` first and moves it there by one rename. Raises ModelError if ``out`` is not free."""
    check_is_free(out)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        shutil.copytree(source, partial)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return out
