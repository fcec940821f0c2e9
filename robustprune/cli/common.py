"""What the commands share: options, and how results and progress are shown."""

import json
import sys
from typing import Annotated, Any

import typer

from robustprune.base.messages import Message

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")]
Start = Annotated[str, typer.Option(help="A built-in name (sst2-soup, sst2-demo, ag_news-...), else a folder, else a hub id.")]
Model = Annotated[str, typer.Option(help="A built-in name (sst2-soup, sst2-demo, ag_news-...), run:DIGEST of a stored run, else a folder, else a hub id.")]
Dataset = Annotated[str | None, typer.Option(help="A built-in name, a known name, a file, a folder or a hub id. Left out: what fits the model.")]
Seed = Annotated[int, typer.Option(help="Seed of the draw of texts.")]


def show(as_json: bool, value: dict[str, Any], line: str) -> None:
    """The result: JSON or a line for people."""
    print(json.dumps(value, ensure_ascii=False) if as_json else line)


def show_progress(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
    """One line on standard error, rewritten in place on a terminal; elsewhere a line whenever a whole step is done."""
    line = f"{int(done)}/{int(total)} {doing}"
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", file=sys.stderr, end="" if done < total else "\n", flush=True)
    elif done == int(done) and _last_lines[-1:] != [line]:
        _last_lines[:] = [line]
        print(line, file=sys.stderr, flush=True)


_last_lines: list[str] = []


def tell(line: str) -> None:
    """A line of a benchmark's table, on standard error."""
    print(line, file=sys.stderr, flush=True)


def number_or_word(text: str) -> float | str:
    """A ridge as people type it: a number, or ``auto``."""
    try:
        return float(text)
    except ValueError:
        return text
