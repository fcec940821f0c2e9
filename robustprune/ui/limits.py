"""What the people who use the app may reach: which folders, how long a text, how many jobs; on a shared server nothing of their own.

The server's owner decides by environment variables, so that nothing a person types, links to or uploads can change it. The command line
is its user's own and is not bound by any of this.
"""

import os
from pathlib import Path

from huggingface_hub import constants

from robustprune.base import paths
from robustprune.base.errors import SpecError
from robustprune.models import adapters, sources
from robustprune.specs.attack import check_text

# Characters of a path or a hub id.
LONGEST_NAME = 500
TRUE, FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def shared() -> bool:
    """``$ROBUSTPRUNE_SHARED``: models and data of people's own, the hub, and whole models to take away are switched off.

    Raises:
        SpecError: it is set to something that is neither yes nor no.
    """
    given = os.environ.get("ROBUSTPRUNE_SHARED", "").strip().lower()
    if given not in TRUE + FALSE:  # a typing error must not open what its writer meant to close
        raise SpecError("ui.shared_switch", given=given)
    return given in TRUE


def session_jobs() -> int:
    """How many jobs of one browser session may wait or run, ``$ROBUSTPRUNE_SESSION_JOBS``."""
    return _whole("ROBUSTPRUNE_SESSION_JOBS", 1)


def queue_length() -> int:
    """How many jobs of all sessions together may wait or run, ``$ROBUSTPRUNE_QUEUE``."""
    return _whole("ROBUSTPRUNE_QUEUE", 20)


def text_length() -> int:
    """The most characters of a text that somebody types, ``$ROBUSTPRUNE_TEXT_LENGTH``."""
    return _whole("ROBUSTPRUNE_TEXT_LENGTH", 4000)


def folders() -> tuple[Path, ...]:
    """The folders inside which a path that is typed into the app may lie, links resolved.

    ``$ROBUSTPRUNE_FOLDERS``, separated as in PATH; where it is not set, the home and the working folder of whoever started the app. Beside
    them always the program's own folders, and the hub's cache.
    """
    given = [Path(one).expanduser() for one in os.environ.get("ROBUSTPRUNE_FOLDERS", "").split(os.pathsep) if one.strip()]
    known = (paths.home(), paths.data_dir(), paths.ASSETS, Path(constants.HF_HUB_CACHE))
    return tuple(one.resolve() for one in (*(given or (Path.home(), Path.cwd())), *known) if one)


def people() -> tuple[str, ...]:
    """Who may sign in, ``$ROBUSTPRUNE_PEOPLE``: addresses, or ``@school.example`` for all of a domain; empty: whoever the provider knows."""
    return tuple(one.strip().lower() for one in os.environ.get("ROBUSTPRUNE_PEOPLE", "").split(",") if one.strip())


def may_enter(email: str | None, verified: bool) -> bool:
    """Whether a person whom the provider signed in is one of ``people``. An address that the provider has not verified proves nothing."""
    allowed = people()
    if not allowed:
        return True
    address = (email or "").strip().lower()
    _, at, domain = address.partition("@")
    return verified and bool(domain) and (address in allowed or at + domain in allowed)


def check_own() -> None:
    """Raises SpecError where people's own models and data are switched off."""
    if shared():
        raise SpecError("ui.shared_server")


def check_typed(text: str) -> str:
    """A text that somebody typed or linked to, stripped.

    Raises:
        SpecError: it is longer than ``text_length``, or no text to look at (``spec.check_text``).
    """
    if len(text) > text_length():
        raise SpecError("ui.text_too_long", count=len(text), most=text_length())
    return check_text(text)


def check_name(name: str) -> str:
    """A model that somebody names: a hub id, or a folder that lies, with all that is in it, inside ``folders``.

    Raises:
        SpecError: a path outside, a folder with a link that leads outside, an average of models outside; or this server is shared.
        ModelError: its card cannot be read.
    """
    check_own()
    path = _check_place(name)
    if path and adapters.is_ours(path):  # an average names its ingredients, which may lie anywhere
        for ingredient in adapters.card(path).get("ingredients", ()):
            if not sources.shipped(ingredient):
                _check_place(ingredient)
    return name


def _check_place(name: str) -> Path | None:
    """The path that a name is, inside ``folders`` with all that is in it; None for a name of the hub, of which loading says if it is one."""
    if "\0" in name:
        raise SpecError("ui.path_with_zero")
    if name.startswith((sources.MEAN, sources.RUN, sources.BASELINE)):
        raise SpecError("ui.name_of_stored", name=name)
    try:
        path = Path(name).expanduser()
        if not (path.is_absolute() or name.startswith((".", "~")) or path.exists()):
            return None
        _check_inside(path, name)
        for one in path.iterdir() if path.is_dir() else ():
            _check_inside(one, name)
        return path
    except (OSError, RuntimeError) as error:  # too long, not allowed; nobody's home
        raise SpecError("ui.path_cannot_be_read", name=name, why=getattr(error, "strerror", None) or error) from error


def may_read(path: Path) -> bool:
    """Whether a path, its links resolved, lies in one of ``folders``."""
    place = path.resolve()
    return any(place == folder or folder in place.parents for folder in folders())


def _check_inside(path: Path, name: str) -> None:
    if not may_read(path):
        raise SpecError("ui.path_outside", name=name, allowed=", ".join(map(str, folders())))


def _whole(name: str, usual: int) -> int:
    given = os.environ.get(name, "").strip()
    if not given:
        return usual
    if not given.isdecimal() or int(given) < 1:
        raise SpecError("ui.number_setting", name=name, given=given)
    return int(given)
