"""Folders with models in which something was changed by chance: each is refused with a sentence, or taken and then can read."""

import json
import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from robustprune import lab
from robustprune.base.errors import RobustPruneError
from tests.trust.faults.damage import scramble
from tests.trust.hostile import models, specs
from tests.trust.table import Row

FOLDERS, PARTS = 240, 8


def flip(path: Path, chance: random.Random) -> None:
    """Some bytes are others."""
    scramble(path, chance, chance.choice((1, 4, 64)))


def cut(path: Path, chance: random.Random) -> None:
    """The end is gone, or the beginning."""
    content = path.read_bytes()
    place = chance.randrange(len(content))
    path.write_bytes(content[:place] if chance.random() < 0.7 else content[place:])


def double(path: Path, chance: random.Random) -> None:
    """A piece of it comes twice."""
    content = path.read_bytes()
    start, end = sorted(chance.randrange(len(content)) for _ in range(2))
    path.write_bytes(content[:end] + content[start:end] + content[end:])


def exchange(path: Path, chance: random.Random) -> None:
    """Another file of the folder is in its place."""
    shutil.copyfile(chance.choice(sorted(path.parent.iterdir())), path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def change(path: Path, chance: random.Random) -> None:
    """A value in JSON is another one; in weights, one of their header."""
    if path.suffix == ".json":
        document = json.loads(path.read_text(encoding="utf-8"))
        specs.change(document, chance)
        path.write_text(json.dumps(document), encoding="utf-8")
    elif path.suffix == ".safetensors":
        content = path.read_bytes()
        end = 8 + struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8:end])
        specs.change(header, chance)
        models.write_header(path, header, content[end:])
    else:
        flip(path, chance)


# Most of what a reader takes for whole comes of changed values.
WAYS: tuple[Callable[[Path, random.Random], None], ...] = (flip, cut, double, exchange, change, change, change, change)


def check(home: Path, number: int) -> bool:
    """Changes a copy of a model that is fine, and brings it; whether it was taken. Raises AssertionError if it breaks anything."""
    chance, folder = random.Random(number), home / f"changed-{number}" / "model"
    shutil.copytree(models.made(home), folder)
    file, way = chance.choice(sorted(folder.iterdir())), chance.choice(WAYS)
    way(file, chance)
    try:
        made = lab.bring_model(str(folder))
        assert abs(sum(lab.predict(made.name, "A warm and funny film.")) - 1) < 1e-3, "its probabilities do not add up to 1"
    except RobustPruneError as error:
        assert len(str(error)) < 2_000, "the sentence is a book"
        return False
    except Exception as error:
        raise AssertionError(f"{file.name}, {way.__name__}: {type(error).__name__}: {error}") from error
    finally:
        shutil.rmtree(folder.parent)
    return True


def rows(home: Path) -> Iterator[Row]:
    """All of them."""
    os.environ["ROBUSTPRUNE_HOME"] = str(home / "store")
    row, taken = Row("model folders changed by chance"), 0
    for part in range(PARTS):
        with row.trying(f"part {part}"):
            taken += sum(check(home, number) for number in range(part, FOLDERS, PARTS))
    row.notes.append(f"{FOLDERS} folders, {taken} of which were taken, since nothing that is read was wrong")
    yield row
