"""The one place that imports TextAttack, and keeps what its import does to a process away from the rest of it.

On import TextAttack wants NLTK's stop words, downloads corpora, writes environment variables and configures a logger that prints.
Here it gets scikit-learn's stop words, finds nothing to download, and leaves the environment as it was.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

_lock = threading.Lock()


def textattack() -> ModuleType:
    """The TextAttack library; the first call takes some seconds."""
    with _lock:
        with _undisturbed():
            import textattack as library
            import textattack.attack_recipes
            import textattack.models.wrappers
        for name in ("textattack.shared.utils.install", "textattack"):
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.setLevel(logging.WARNING)
    return library


@contextmanager
def _undisturbed() -> Iterator[None]:
    import nltk
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    before, download, disabled = dict(os.environ), nltk.download, logging.root.manager.disable
    if not _has_stop_words():
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


def _has_stop_words() -> bool:
    import nltk

    try:
        nltk.data.find("corpora/stopwords")
    except LookupError:
        return False
    return True
