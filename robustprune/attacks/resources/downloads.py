"""Downloads of published resources that do not ship with the project. A download runs only when the user asks for it.

The unpacked file or folder is put into place by one rename. The file ``<name>.json`` beside it holds the archive's url, sha256 and size
in bytes, the day of the download and the sizes of the unpacked members.
"""

import json
import threading
import time
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from robustprune.base import hashing, partials, paths
from robustprune.base.errors import ResourceMissing, SpecError
from robustprune.base.messages import Message, say
from robustprune.base.progress import Progress

CONNECT_SECONDS, READ_SECONDS, TICK_SECONDS, MOST_BYTES, BLOCK = 10.0, 30.0, 0.1, 2_000_000_000, 1 << 16


@dataclass(frozen=True)
class Download:
    """A zip file to download. One file or folder of it is kept: the first part of the path of ``members[0]``."""

    name: str
    about: Message
    url: str
    members: tuple[str, ...]  # the files that the archive must contain, by their names in it
    bytes: int  # approximate size of the archive
    licence: str
    folder: str = ""  # the folder to unpack into, relative to folder()

    @property
    def path(self) -> Path:
        """The path of the kept file or folder after the installation."""
        return folder() / self.folder / PurePosixPath(self.members[0]).parts[0]

    @property
    def by_hand(self) -> Path:
        """The path where the user may put the archive by hand. If it is there, it is used instead of the download."""
        return folder() / PurePosixPath(self.url).name


def _nltk(name: str, about: Message, kind: str, kept: str, files: str, size: int, licence: str) -> Download:
    url = f"https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/{kind}/{kept}.zip"
    return Download(name, about, url, tuple(f"{kept}/{file}" for file in files.split()), size, licence, f"nltk_data/{kind}")


_VECTORS = "https://github.com/nmrksic/counter-fitting/raw/master/word_vectors/counter-fitted-vectors.txt.zip"
_TAGGER = " ".join(f"averaged_perceptron_tagger_eng.{part}.json" for part in ("weights", "tagdict", "classes"))
_WORDNET = "lexnames index.sense data.adj data.adv data.noun data.verb"
_ALL = (
    Download("counter-fitted", say("attacks.counter_fitted_vectors"), _VECTORS, ("counter-fitted-vectors.txt",), 62_000_000, "Apache-2.0"),
    _nltk("tagger", say("attacks.perceptron_tagger"), "taggers", "averaged_perceptron_tagger_eng", _TAGGER, 1_539_115, "not stated"),
    _nltk("tagset", say("attacks.tag_set"), "taggers", "universal_tagset", "en-ptb.map", 19_095, "CC-BY-SA-4.0"),
    _nltk(
        "wordnet",
        say("attacks.wordnet_3"),
        "corpora",
        "wordnet",
        _WORDNET,
        10_775_600,
        "WordNet 3.0 licence",
    ),
)
DOWNLOADS: dict[str, Download] = {download.name: download for download in _ALL}


def folder() -> Path:
    """The folder of downloaded resources. Its subfolder ``nltk_data`` has the layout that NLTK expects."""
    return paths.home() / "resources"


def installed(name: str, known: Mapping[str, Download] = DOWNLOADS) -> Path | None:
    """The path of an installed resource, or None if a member is missing or does not have the noted size. Does not read the members.

    Raises:
        SpecError: the name is unknown.
    """
    if name not in known:
        raise SpecError("attacks.no_such_download", name=name, known=known)
    path = known[name].path
    try:
        sizes = json.loads(path.with_name(f"{name}.json").read_text(encoding="utf-8"))["members"]
        whole = sizes.keys() >= set(known[name].members) and all((path.parent / member).stat().st_size == size for member, size in sizes.items())
        return path if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # without a readable note, the members cannot be checked


def get(name: str, progress: Progress, seconds: float = 600.0, known: Mapping[str, Download] = DOWNLOADS) -> Path:
    """Returns the path of a resource; downloads it within ``seconds`` if it is not installed. A failed download leaves no files behind.

    ``progress`` receives the received and the total number of bytes about ten times a second; it may raise Cancelled.

    Raises:
        ResourceMissing: the resource cannot be downloaded or stored.
        SpecError: the name is unknown.
    """
    if there := installed(name, known):
        return there
    entry = known[name]
    try:
        with partials.beside(entry.path) as partial:
            archive = entry.by_hand if entry.by_hand.is_file() else _fetch(entry, partial / "archive.zip", progress, seconds)
            _install(entry, archive, partial.resolve() / "unpacked", progress)
    except OSError as error:
        raise _missing(entry, say("attacks.cannot_keep_download", folder=folder(), why=error.strerror or error)) from error
    return entry.path


def _missing(entry: Download, why: Message) -> ResourceMissing:
    source = entry.by_hand if entry.by_hand.is_file() else entry.url
    return ResourceMissing("attacks.cannot_get", name=entry.about, source=source, why=why, url=entry.url, place=entry.by_hand)


def _fetch(entry: Download, path: Path, progress: Progress, seconds: float) -> Path:
    import requests

    done, total, failure, running, limit = 0, entry.bytes, None, True, time.monotonic() + seconds

    def read() -> None:  # runs in its own thread, so that a silent server delays neither the time limit nor a cancel
        nonlocal done, total, failure
        try:
            with requests.get(entry.url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS), headers={"Accept-Encoding": "identity"}) as response:
                response.raise_for_status()
                total = response.raw.length_remaining or total  # equals the bytes that arrive, because "identity" forbids compression
                for block in response.iter_content(BLOCK):
                    file.write(block)  # fails once the file is closed, which ends an abandoned thread
                    done, total = done + len(block), max(total, done + len(block))
        except Exception as error:
            failure = error

    with open(path, "wb") as file:
        (thread := threading.Thread(target=read, daemon=True)).start()
        while running:
            thread.join(TICK_SECONDS)
            running = thread.is_alive()
            state = say("attacks.megabytes", done=done / 1e6, total=total / 1e6)
            progress(done, total, say("base.part", what=entry.about, doing=state))
            if running and (time.monotonic() > limit or done > MOST_BYTES):
                raise _missing(entry, say("attacks.limit_reached", seconds=seconds, gigabytes=MOST_BYTES / 1e9, state=state))
    if isinstance(failure, requests.RequestException):
        answer = failure.response
        broken = say("attacks.connection_broke", state=state, error=type(failure).__name__)
        raise _missing(entry, broken if answer is None else say("attacks.server_answered", status=answer.status_code)) from failure
    if failure:
        raise failure
    return path


def _install(entry: Download, archive: Path, unpacked: Path, progress: Progress) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in opened.infolist()):
                raise zipfile.BadZipFile("compressed in a way that none of ours is")
            sizes = {member.filename: member.file_size for member in opened.infolist() if not member.filename.endswith("/")}
            if outside := [name for name in sizes if (unpacked / name).resolve() != unpacked / name or not (unpacked / name).is_relative_to(unpacked)]:
                raise _missing(entry, say("attacks.archive_leads_outside", file=outside[0]))
            if lacking := sorted(set(entry.members) - sizes.keys()):
                raise _missing(entry, say("attacks.archive_lacks", file=lacking[0]))
            kept = {name: size for name, size in sizes.items() if PurePosixPath(name).parts[:1] == (entry.path.name,)}
            if sum(kept.values()) > MOST_BYTES:  # zipfile never unpacks more than a member's declared size
                raise _missing(entry, say("attacks.archive_too_large", gigabytes=MOST_BYTES / 1e9))
            for name, size in kept.items():
                (unpacked / name).parent.mkdir(parents=True, exist_ok=True)
                with opened.open(name) as source, open(unpacked / name, "wb") as target:
                    while block := source.read(BLOCK):
                        target.write(block)
                        progress(target.tell(), size, say("attacks.unpacking", name=entry.about))
                    if target.tell() != size:
                        raise zipfile.BadZipFile(name)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise _missing(entry, say("attacks.no_whole_zip", why=str(error) or say("attacks.ends_early"))) from error
    noted = {"url": entry.url, "sha256": hashing.of_file(archive), "bytes": archive.stat().st_size, "day": date.today().isoformat(), "members": kept}
    (unpacked / "note").write_text(json.dumps(noted, indent=1), encoding="utf-8")
    if entry.path.exists():  # a damaged copy is in the way
        entry.path.rename(unpacked / "damaged")
    (unpacked / entry.path.name).rename(entry.path)
    (unpacked / "note").replace(entry.path.with_name(f"{entry.name}.json"))
