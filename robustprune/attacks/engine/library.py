"""The one place that imports TextAttack, and keeps what its import does to a process away from the rest of it.

On import TextAttack wants NLTK's stop words, downloads corpora, writes environment variables and configures a logger that prints.
Here it gets scikit-learn's stop words, finds nothing to download, and leaves the environment as it was.

TextAttack can neither be cancelled nor limited in time. Two ways were open: a process of its own that can be killed, which would
load models and library once more (some 2 GB and 10 s on two cores), or a look at ``check`` wherever it passes. It passes one
function all the time: every text that it makes, and every word it puts into one, goes through ``words_from_text``. That function is
replaced by one that remembers (which is exact, and saves most of the library's own time) and looks at the check as it goes.
Victims and encoders look at it before every batch.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from types import ModuleType, SimpleNamespace

from robustprune.attacks.engine import chance
from robustprune.attacks.resources.names import has_stop_words
from robustprune.base.progress import Check

# An attack comes back only to the texts that it made last. So many of 250 words take 85 MB.
REMEMBERED_TEXTS = 5_000
SECONDS_BETWEEN_LOOKS = 0.02

_lock = threading.Lock()
_watch = threading.local()


def textattack() -> ModuleType:
    """The TextAttack library; the first call takes some seconds."""
    with _lock:
        return _imported()


@cache
def _imported() -> ModuleType:
    with _undisturbed():
        import textattack as library
        import textattack.attack_recipes
        import textattack.models.wrappers
    for name in ("textattack.shared.utils.install", "textattack", "jieba"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.WARNING)
    _watch_words(library)
    chance.install()
    return library


@contextmanager
def watched(check: Check) -> Iterator[None]:
    """While this is open, TextAttack calls ``check`` from this thread every few hundredths of a second; it may raise."""
    _watch.check, _watch.due = check, 0.0
    try:
        yield
    finally:
        del _watch.check


@contextmanager
def stock() -> Iterator[None]:
    """While this is open, TextAttack is as it was installed, for comparing with it. One thread at a time."""
    library = textattack()
    ours = library.shared.utils.strings.words_from_text
    _put_words(library, ours.installed)
    try:
        yield
    finally:
        _put_words(library, ours)


def forget() -> None:
    """Forgets all words, so that a measurement starts like the one before it."""
    textattack().shared.utils.strings.words_from_text.remembered.cache_clear()


def _watch_words(library: ModuleType) -> None:
    installed = library.shared.utils.strings.words_from_text
    remembered = lru_cache(REMEMBERED_TEXTS)(lambda text: tuple(installed(text)))

    def words_from_text(text: str) -> list[str]:
        check = getattr(_watch, "check", None)
        if check and (now := time.monotonic()) >= _watch.due:
            _watch.due = now + SECONDS_BETWEEN_LOOKS
            check()
        return list(remembered(text))

    words_from_text.remembered, words_from_text.installed = remembered, installed
    _put_words(library, words_from_text)


def _put_words(library: ModuleType, function: Callable[[str], list[str]]) -> None:
    for module in (library.shared.utils.strings, library.shared.utils, library.shared.attacked_text):
        module.words_from_text = function


@contextmanager
def _undisturbed() -> Iterator[None]:
    import nltk
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    before, download, disabled = dict(os.environ), nltk.download, logging.root.manager.disable
    if not has_stop_words():
        nltk.corpus.stopwords = SimpleNamespace(words=lambda language="english": sorted(ENGLISH_STOP_WORDS))
    nltk.download = lambda *args, **kwargs: False
    logging.disable(logging.INFO)  # it announces the downloads that are kept from it
    try:
        yield
    finally:
        nltk.download = download
        logging.disable(disabled)
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
