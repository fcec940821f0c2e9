"""Fetching from a server of our own: what arrives is whole and named, and whatever goes wrong leaves nothing behind."""

import dataclasses
import errno
import hashlib
import io
import json
import struct
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from robustprune.attacks.resources import downloads
from robustprune.base.errors import Cancelled, ResourceMissing, SpecError
from robustprune.base.progress import silent

FILES = {"thing/a.txt": b"a" * 1000, "thing/deep/b.bin": bytes(range(256)) * 2000, "elsewhere/c.txt": b"not kept"}


def zipped(files, compression=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


class Server:
    """Answers every request in the way of ``answer``; counts them."""

    def __init__(self):
        self.requests, self.body, self.answer = 0, zipped(FILES), self.whole
        self.released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests += 1
                server.answer(self)

            def log_message(self, *_arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/a/thing.zip"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def head(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()

    def whole(self, handler):
        self.head(handler)
        handler.wfile.write(self.body)

    def missing(self, handler):
        handler.send_error(404)

    def early_end(self, handler):
        self.head(handler)
        handler.wfile.write(self.body[: len(self.body) // 2])

    def half_then_silence(self, handler):
        self.head(handler)
        handler.wfile.write(self.body[: len(self.body) // 2])
        self.released.wait(20)

    def silence(self, _handler):
        self.released.wait(20)

    def trickle(self, handler):
        self.head(handler)
        while not self.released.wait(0.05):
            handler.wfile.write(b"x")

    def endless(self, handler):
        handler.send_response(200)
        handler.end_headers()
        while not self.released.is_set():
            handler.wfile.write(bytes(1 << 16))

    def stop(self):
        self.released.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    one = Server()
    yield one
    one.stop()


@pytest.fixture
def known(server):
    members = ("thing/a.txt", "thing/deep/b.bin")
    return {"test": downloads.Download("test", "a test thing", server.url, members, len(server.body), "none", "nltk_data/things")}


def get(known, progress=silent, seconds=10.0):
    return downloads.get("test", progress, seconds, known)


def fails(known, home, *words, **settings):
    """Fetching fails, in a sentence that names address, cause and remedy; nothing is left. Gives the seconds that it took."""
    started = time.monotonic()
    with pytest.raises(ResourceMissing) as raised:
        get(known, **settings)
    seconds = time.monotonic() - started
    for word in (known["test"].url, str(home / "resources"), *words):
        assert word in str(raised.value)
    nothing_is_left(known, home)
    return seconds


def nothing_is_left(known, home):
    assert downloads.installed("test", known) is None
    assert [path for path in home.rglob("*") if path.is_file() or path.name.startswith(".") or path.name == "thing"] == []


def test_what_arrives_is_whole_named_and_told(server, known, empty_home):
    told = []
    path = get(known, lambda *now: told.append((*now[:2], str(now[2]))))
    assert path == downloads.installed("test", known) == empty_home / "resources" / "nltk_data" / "things" / "thing"
    assert {str(file.relative_to(path.parent)): file.read_bytes() for file in path.rglob("*") if file.is_file()} == {
        name: data for name, data in FILES.items() if name.startswith("thing/")
    }
    size = len(server.body)
    assert (size, size, "a test thing: 0.5 of 0.5 MB") in told
    assert told[-1][2] == "unpacking a test thing"
    assert sorted(file.name for file in path.parent.iterdir()) == ["test.json", "thing"]
    note = json.loads((path.parent / "test.json").read_text())
    assert note.pop("day").count("-") == 2
    sizes = {name: len(data) for name, data in FILES.items() if name.startswith("thing/")}
    assert note == {"url": server.url, "sha256": hashlib.sha256(server.body).hexdigest(), "bytes": size, "members": sizes}


def test_what_is_installed_is_not_fetched_again(server, known, empty_home):
    assert get(known) == get(known)
    assert server.requests == 1


def test_a_single_file_is_kept_as_a_file(server, known, empty_home):
    server.body = zipped({"vectors.txt": b"word 0.1", "__MACOSX/._vectors.txt": b"x"}, zipfile.ZIP_DEFLATED)
    known["test"] = dataclasses.replace(known["test"], members=("vectors.txt",), folder="")
    assert get(known) == empty_home / "resources" / "vectors.txt"
    assert (empty_home / "resources" / "vectors.txt").read_bytes() == b"word 0.1"
    assert sorted(file.name for file in (empty_home / "resources").iterdir()) == ["test.json", "vectors.txt"]


@pytest.mark.parametrize(("answer", "words"), [("missing", ["HTTP 404"]), ("early_end", ["broke off, at 0.", "of 0.5 MB"])])
def test_a_server_that_fails(server, known, empty_home, answer, words):
    server.answer = getattr(server, answer)
    fails(known, empty_home, *words)


def test_nobody_answers(server, known, empty_home):
    server.stop()
    fails(known, empty_home, "no connection", "at 0.0 of", "ConnectionError")


@pytest.mark.parametrize("answer", ["silence", "half_then_silence", "trickle"])
def test_a_server_that_stalls_meets_the_time_limit(server, known, empty_home, answer):
    server.answer = getattr(server, answer)
    told = []
    taken = fails(known, empty_home, "limit of 0.25 s", "of 0.5 MB", seconds=0.25, progress=lambda *now: told.append(now))
    assert taken < 2
    assert 1 <= len(told) <= taken / downloads.TICK_SECONDS + 1


def test_what_does_not_end_is_refused(server, known, empty_home, monkeypatch):
    monkeypatch.setattr(downloads, "MOST_BYTES", 1_000_000)
    server.answer = server.endless
    assert fails(known, empty_home, "limit of 10 s or 0.001 GB") < 5


NO_WHOLE_ZIP = {
    "a page": b"<html>a page, no archive</html>",
    "nothing": b"",
    "cut off": zipped(FILES)[:-100],
    "changed": zipped(FILES).replace(b"a" * 1000, b"b" * 1000),
    "shorter than it says": zipped(FILES).replace(struct.pack("<LL", 1000, 1000), struct.pack("<LL", 1000, 1001)),
    "of another compression": zipped(FILES, zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("kind", NO_WHOLE_ZIP)
def test_what_is_no_whole_zip_is_refused(server, known, empty_home, kind):
    server.body = NO_WHOLE_ZIP[kind]
    fails(known, empty_home, "not a whole zip file")


@pytest.mark.parametrize("name", ["../../../outside.txt", "thing/../../outside.txt", "{outside}"])
def test_no_member_leaves_the_folder(server, known, empty_home, tmp_path, name):
    name = name.format(outside=tmp_path / "outside.txt")
    server.body = zipped({**FILES, name: b"out"})
    fails(known, empty_home, "outside of its folder", "outside.txt")
    assert list(tmp_path.rglob("outside.txt")) == []


def test_a_bomb_is_refused(server, known, empty_home, monkeypatch):
    server.body = zipped({**FILES, "thing/large": bytes(5_000_000)}, zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(downloads, "MOST_BYTES", 5_000_000)
    fails(known, empty_home, "more than 0.005 GB unpacked")


def test_an_archive_of_something_else_is_refused(server, known, empty_home):
    server.body = zipped({"thing/a.txt": b"a", "thing_deep/b.bin": b"b"})
    fails(known, empty_home, "has no thing/deep/b.bin")


@pytest.mark.parametrize("answer", ["whole", "half_then_silence"])
def test_cancelled_midway(server, known, empty_home, answer):
    server.answer = getattr(server, answer)
    done = []

    def stop_once_something_came(now, _total, _text):
        done.append(now)
        if now:
            raise Cancelled("base.cancelled")

    started = time.monotonic()
    with pytest.raises(Cancelled):
        get(known, stop_once_something_came)
    assert time.monotonic() - started < 2
    nothing_is_left(known, empty_home)


class FullDisk(io.BytesIO):
    def write(self, _data):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("full", ["archive.zip", "b.bin"])
def test_a_full_disk(server, known, empty_home, monkeypatch, full):
    def open_or_full(path, mode):
        return FullDisk() if path.name == full else path.open(mode)

    monkeypatch.setattr(downloads, "open", open_or_full, raising=False)
    fails(known, empty_home, "No space left on device", "free some space", "ROBUSTPRUNE_HOME")


@pytest.mark.parametrize("damage", ["short", "gone", "no note", "note of others", "note is a list", "note is no json"])
def test_a_damaged_copy_is_not_installed_and_is_fetched_anew(server, known, empty_home, damage):
    path = get(known)
    note = path.parent / "test.json"
    if damage == "short":
        (path / "deep" / "b.bin").write_bytes(FILES["thing/deep/b.bin"][:-1])
    elif damage == "gone":
        (path / "a.txt").unlink()
    elif damage == "no note":
        note.unlink()
    else:
        note.write_text({"note of others": '{"members": {}}', "note is a list": "[]", "note is no json": "{"}[damage])
    assert downloads.installed("test", known) is None
    assert get(known) == path == downloads.installed("test", known)
    assert (path / "a.txt").read_bytes() == FILES["thing/a.txt"]
    assert server.requests == 2


def test_a_damaged_copy_stays_until_there_is_a_whole_one(server, known, empty_home):
    path = get(known)
    (path / "a.txt").unlink()
    server.answer = server.missing
    with pytest.raises(ResourceMissing):
        get(known)
    assert (path / "deep" / "b.bin").is_file()


def test_an_archive_put_there_by_hand_is_used(server, known, empty_home):
    archive = empty_home / "resources" / "thing.zip"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"no zip")
    with pytest.raises(ResourceMissing, match=rf"from {archive}: it is not a whole zip file"):
        get(known)
    archive.write_bytes(server.body)
    assert get(known) == downloads.installed("test", known)
    assert archive.is_file()
    assert server.requests == 0


def test_an_unknown_name(empty_home):
    for ask in (downloads.installed, lambda name: downloads.get(name, silent)):
        with pytest.raises(SpecError, match="counter-fitted, tagger, tagset, wordnet"):
            ask("glove")


def test_nltk_finds_what_was_installed(server, empty_home):
    import nltk

    for name in ("tagger", "tagset", "wordnet"):
        entry = downloads.DOWNLOADS[name]
        server.body = zipped(dict.fromkeys(entry.members, b"x"))
        known = {name: dataclasses.replace(entry, url=server.url)}
        path = downloads.get(name, silent, known=known)
        kind = "taggers" if name.startswith("tag") else "corpora"
        assert nltk.data.find(f"{kind}/{path.name}", [str(downloads.folder() / "nltk_data")]).path == str(path)
        assert entry.url.endswith(f"/packages/{kind}/{path.name}.zip")
