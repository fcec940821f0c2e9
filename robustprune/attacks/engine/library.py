"""The only module that imports TextAttack. It shields the rest of the process from the side effects of that import.

On import, TextAttack reads NLTK's stop words, downloads corpora, sets environment variables and configures a logger that prints.
Here it gets scikit-learn's stop words if NLTK's are not on this machine, its downloads are disabled, and the environment is restored.

TextAttack has no way to cancel an attack or to limit its time. One solution is a separate process that can be killed; it would load
the models and the library again (about 2 GB and 10 s on two cores). This module takes the other solution: it calls ``check`` from a
function that TextAttack calls all the time. Every new text and every new word goes through ``words_from_text``. That function is
replaced by one that caches its results (which are exact; this saves most of the library's own time) and calls ``check``. Victims and
sentence encoders also call ``check`` before every batch.
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

# The cache is small because an attack only returns to the texts that it made last. This many texts of 250 words take 85 MB.
REMEMBERED_TEXTS = 5_000
SECONDS_BETWEEN_LOOKS = 0.02
CURLY = "\u2019"

_lock = threading.Lock()
_watch = threading.local()


def textattack() -> ModuleType:
    """Returns the TextAttack library. The first call takes some seconds."""
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
    """While this context is open, TextAttack calls ``check`` in this thread every few hundredths of a second. ``check`` may raise."""
    _watch.check, _watch.due = check, 0.0
    try:
        yield
    finally:
        del _watch.check


@contextmanager
def stock() -> Iterator[None]:
    """While this context is open, ``words_from_text`` is TextAttack's own, for comparisons. Only one thread at a time may use it."""
    library = textattack()
    ours = library.shared.utils.strings.words_from_text
    _put_words(library, ours.installed)
    try:
        yield
    finally:
        _put_words(library, ours)


def forget() -> None:
    """Clears the cache of words, so that every measurement starts in the same state."""
    textattack().shared.utils.strings.words_from_text.remembered.cache_clear()


def _watch_words(library: ModuleType) -> None:
    installed = library.shared.utils.strings.words_from_text
    remembered = lru_cache(REMEMBERED_TEXTS)(lambda text: tuple(_split(text, installed)))

    def words_from_text(text: str) -> list[str]:
        check = getattr(_watch, "check", None)
        if check and (now := time.monotonic()) >= _watch.due:
            _watch.due = now + SECONDS_BETWEEN_LOOKS
            check()
        return list(remembered(text))

    words_from_text.remembered, words_from_text.installed = remembered, installed
    _put_words(library, words_from_text)


def _split(text: str, installed: Callable[[str], list[str]]) -> list[str]:
    """The words of a text. The library would split a word at a curly apostrophe, but not at a straight one."""
    if CURLY not in text:
        return installed(text)
    straight, words, position = text.replace(CURLY, "'"), [], 0
    for word in installed(straight):
        start = straight.index(word, position)
        position = start + len(word)
        words.append(text[start:position])
    return words


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
    logging.disable(logging.INFO)  # TextAttack logs the downloads that are disabled here
    try:
        yield
    finally:
        nltk.download = download
        logging.disable(disabled)
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
