"""Code that the commands share: common options, and the output of results and progress."""

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
    """Prints the result: as JSON, or as a line of text for people."""
    print(json.dumps(value, ensure_ascii=False) if as_json else line)


def show_progress(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
    """Shows progress on standard error: on a terminal one line that is rewritten in place, elsewhere one line per completed step."""
    line = f"{int(done)}/{int(total)} {doing}"
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", file=sys.stderr, end="" if done < total else "\n", flush=True)
    elif done == int(done) and _last_lines[-1:] != [line]:
        _last_lines[:] = [line]
        print(line, file=sys.stderr, flush=True)


_last_lines: list[str] = []


def tell(line: str) -> None:
    """Prints one line on standard error, such as a row of a benchmark's table."""
    print(line, file=sys.stderr, flush=True)


def number_or_word(text: str) -> float | str:
    """Parses a ridge as typed by the user: a number, or a word such as ``auto``."""
    try:
        return float(text)
    except ValueError:
        return text
