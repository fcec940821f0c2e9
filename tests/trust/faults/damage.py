"""Files of the store, of what ships, and of traces and words with flipped bytes, cut in half, of another version, emptied or gone."""

import json
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from robustprune import lab, studies
from robustprune.attacks import archive
from robustprune.attacks.traces import journal
from robustprune.base import locales, paths, stores
from robustprune.base.errors import RobustPruneError
from robustprune.base.store import Store
from robustprune.lab import runs
from robustprune.models import sources
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.texts import datasets
from tests.trust.faults import commands
from tests.trust.table import Lost, Row

SPEC = PruneSpec("sst2-demo", "demo-reviews", "magnitude", "none", 0.7, calibration=16)


def flipped(path: Path) -> None:
    """One byte in the middle is another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


def halved(path: Path) -> None:
    """The second half is gone."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    """Nothing is in it."""
    path.write_bytes(b"")


def gone(path: Path) -> None:
    """It is not there."""
    path.unlink()


def scrambled(path: Path) -> None:
    """Sixteen bytes anywhere are others."""
    scramble(path, random.Random(path.name), 16)


def scramble(path: Path, draw: random.Random, count: int) -> None:
    """So many bytes anywhere are others."""
    content = bytearray(path.read_bytes())
    for _ in range(count):
        content[draw.randrange(len(content))] ^= draw.randrange(1, 256)
    path.write_bytes(content)


WAYS = (flipped, halved, emptied, gone, scrambled)
# Making a run again takes seconds: after these only.
AGAIN = {("entry.json", flipped), ("model.safetensors", halved)}


def rows(home: Path) -> Iterator[Row]:
    """Rows by what is damaged."""
    os.environ["ROBUSTPRUNE_HOME"] = str(home / "store")
    yield _runs(home)
    yield _versions()
    yield _traces(home)
    yield _models(home)
    yield _shipped(home)
    yield _words(home)


def _runs(home: Path) -> Row:
    """A stored run: what is damaged is set aside, said so, and made again with the same numbers; what is whole beside it stays."""
    row, whole = Row("damaged run in the store"), home / "whole"
    run = lab.prune(SPEC)
    expected, entry = commands.contents(home / "store"), run.model_dir.parent
    shutil.copytree(entry, whole)
    for file in sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file()):
        for way in WAYS:
            with row.trying(f"{file} {way.__name__}"):
                way(entry / file)
                if runs.find_checked(stores.store(), run.digest) is not None:
                    raise Lost("the damaged run is taken for whole")
                again = (file.name, way) in AGAIN
                if again:
                    assert lab.prune(SPEC).digest == run.digest
                shutil.rmtree(home / "store" / "damaged")
                if again and commands.contents(home / "store") != expected:
                    raise Lost("made again, the store holds something else")
            shutil.rmtree(entry, ignore_errors=True)
            shutil.copytree(whole, entry)
    with row.trying("whole again"):
        if commands.contents(home / "store") != expected:
            raise Lost("what lay beside the damage has changed")
    return row


def _versions() -> Row:
    """Entries of another version, and documents of other shapes with right hashes, are as good as absent."""
    row, store = Row("entry of another version"), stores.store()
    for document in ({}, {"spec": {"model": 1}}, {"report": None}, {"spec": {}, "report": []}, [], "text", 7, None):
        for kind in ("runs", "soups", "evaluations", "attacks", "own_models", "own_data"):
            with row.trying(f"{kind} {document!r}"):
                entry = store.put(kind, "0123456789abcdef", document)
                for listing in (lab.all_runs, lab.all_soups, lab.own_models, studies.results):
                    listing()
                assert lab.stored_run(entry.key) is None or kind != "runs"
                shutil.rmtree(entry.folder, ignore_errors=True)
    for key, value in (("format", 99), ("kind", "else"), ("key", "else"), ("files", {"../../x": "0"}), ("files", 3), ("document", None)):
        with row.trying(f"{key} = {value!r}"):
            entry = store.put("soups", "0123456789abcdef", {"x": 1})
            body = json.loads((entry.folder / "entry.json").read_text())
            (entry.folder / "entry.json").write_text(json.dumps({**body, key: value}))
            assert stores.store().get_checked("soups", "0123456789abcdef") is None
    return row


def _traces(home: Path) -> Row:
    """A damaged journal of an attack: whole lines before and after the damage count, and the result is the same."""
    row, spec = Row("damaged traces"), AttackSpec("deepwordbug", query_budget=60)
    texts = datasets.load("demo-reviews", "evaluation").sample(6, 0)
    out = home / "traces.jsonl"
    lab.attack_texts(["sst2-demo"], "demo-reviews", 6, spec, out=out)
    whole = out.read_bytes()
    key = archive.scores_key(lab.find_model("sst2-demo").digest, texts, spec)
    expected = [(trace.example, trace.perturbed, trace.queries) for trace in journal.read(out)]
    for way in WAYS[:3] + WAYS[4:]:
        with row.trying(way.__name__):
            out.write_bytes(whole)
            way(out)
            shutil.rmtree(home / "store" / archive.SCORES, ignore_errors=True)
            shutil.copyfile(out, home / "store" / "journals" / f"{key}.jsonl")
            again = lab.attack_texts(["sst2-demo"], "demo-reviews", 6, spec)[0]
            found = [(result.example, result.perturbed, result.queries) for result in again.results]
            if sorted(found) != sorted(expected):
                raise Lost("the attack came out differently")
    return row


def _models(home: Path) -> Row:
    """A damaged adapter or soup that ships is refused with a sentence, and nothing else is."""
    row = Row("damaged model that ships")
    for name in ("sst2-demo", "sst2-soup"):
        place = home / "models" / name
        shutil.copytree(sources.SHIPPED / name, place)
        for file in sorted(path.relative_to(place) for path in place.rglob("*") if path.is_file()):
            for way in WAYS:
                with row.trying(f"{name}/{file} {way.__name__}"):
                    shutil.rmtree(place)
                    shutil.copytree(sources.SHIPPED / name, place)
                    way(place / file)
                    with _said(), mock.patch.object(sources, "SHIPPED", home / "models"):
                        assert sources.find(name).digest == sources.find(str(place)).digest
    return row


def _shipped(home: Path) -> Row:
    """A damaged result that ships is not used, and the others are."""
    row, ships = Row("damaged result that ships"), home / "ships"
    shutil.copytree(paths.ASSETS / "precomputed", ships)
    store = Store(home / "empty", ships)
    for kind in sorted(path.name for path in ships.iterdir() if path.is_dir() and store.shipped_keys(path.name)):
        key = store.shipped_keys(kind)[0]
        file, others = ships / kind / key / "entry.json", len(store.shipped_keys(kind)) - 1
        if not file.is_file():
            continue
        whole = file.read_bytes()
        for way in WAYS:
            with row.trying(f"{kind}/{key} {way.__name__}"):
                way(file)
                assert store.get(kind, key) is None
                assert len(list(store.entries(kind))) == others
                file.write_bytes(whole)
    return row


def _words(home: Path) -> Row:
    """A damaged file of the app's words ends in a sentence that names it."""
    row, place = Row("damaged words of the app"), home / "locales"
    for way in WAYS:
        for file in ("en.json", "zh.json"):
            with row.trying(f"{file} {way.__name__}"):
                shutil.rmtree(place, ignore_errors=True)
                shutil.copytree(paths.ASSETS / "locales", place)
                way(place / file)
                with _said():
                    locales.read(place / file)
    return row


@contextmanager
def _said() -> Iterator[None]:
    """What a block may do with what is damaged: work, or say so in a sentence."""
    try:
        yield
    except RobustPruneError as error:
        assert len(str(error)) > 20
