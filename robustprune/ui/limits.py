"""The limits for users of the app: folders they may read, length of texts, number of jobs. A shared server refuses their own models and data.

The server's owner sets the limits by environment variables, so nothing that a user types, links to or uploads can change them. The limits
do not apply to the command line, because its user controls the machine anyway.
"""

import os
from pathlib import Path

from huggingface_hub import constants

from robustprune.base import paths
from robustprune.base.errors import SpecError
from robustprune.models import adapters, sources
from robustprune.specs.attack import check_text

# The most characters of a path or a hub id.
LONGEST_NAME = 500
TRUE, FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def shared() -> bool:
    """True if ``$ROBUSTPRUNE_SHARED`` switches off users' own models and data, the hub, and downloads of whole models.

    Raises:
        SpecError: the variable is set to something that means neither yes nor no.
    """
    given = os.environ.get("ROBUSTPRUNE_SHARED", "").strip().lower()
    if given not in TRUE + FALSE:  # a typing error must not open a server that its owner meant to close
        raise SpecError("ui.shared_switch", given=given)
    return given in TRUE


def session_jobs() -> int:
    """The most jobs of one browser session or signed-in person that may wait or run, from ``$ROBUSTPRUNE_SESSION_JOBS``."""
    return _whole("ROBUSTPRUNE_SESSION_JOBS", 1)


def queue_length() -> int:
    """The most jobs of all sessions together that may wait or run, from ``$ROBUSTPRUNE_QUEUE``."""
    return _whole("ROBUSTPRUNE_QUEUE", 20)


def text_length() -> int:
    """The most characters of a text that a user types, from ``$ROBUSTPRUNE_TEXT_LENGTH``."""
    return _whole("ROBUSTPRUNE_TEXT_LENGTH", 4000)


def folders() -> tuple[Path, ...]:
    """The folders inside which a path that a user types may lie, with links resolved.

    ``$ROBUSTPRUNE_FOLDERS`` lists them, separated as in PATH. If it is not set, they are the home folder and the working folder of the
    user who started the app. The program's own folders and the hub's cache are always added.
    """
    given = [Path(one).expanduser() for one in os.environ.get("ROBUSTPRUNE_FOLDERS", "").split(os.pathsep) if one.strip()]
    known = (paths.home(), paths.data_dir(), paths.ASSETS, Path(constants.HF_HUB_CACHE))
    return tuple(one.resolve() for one in (*(given or (Path.home(), Path.cwd())), *known) if one)


def people() -> tuple[str, ...]:
    """The people who may sign in, from ``$ROBUSTPRUNE_PEOPLE``: e-mail addresses, or ``@school.example`` for everyone in a domain.

    If it is empty, everyone whom the identity provider knows may sign in.
    """
    return tuple(one.strip().lower() for one in os.environ.get("ROBUSTPRUNE_PEOPLE", "").split(",") if one.strip())


def may_enter(email: str | None, verified: bool) -> bool:
    """True if a person whom the provider signed in is one of ``people``, or ``people`` is empty. An unverified address does not count."""
    allowed = people()
    if not allowed:
        return True
    address = (email or "").strip().lower()
    _, at, domain = address.partition("@")
    return verified and bool(domain) and (address in allowed or at + domain in allowed)


def check_own() -> None:
    """Raises SpecError if users' own models and data are switched off."""
    if shared():
        raise SpecError("ui.shared_server")


def check_typed(text: str) -> str:
    """Returns the text that a user typed or linked to, stripped.

    Raises:
        SpecError: the text is longer than ``text_length``, or :func:`robustprune.specs.attack.check_text` refuses it.
    """
    if len(text) > text_length():
        raise SpecError("ui.text_too_long", count=len(text), most=text_length())
    return check_text(text)


def check_name(name: str) -> str:
    """Returns the model name that a user gave: a hub id, or a folder that lies inside ``folders`` with everything in it.

    Raises:
        SpecError: the path lies outside ``folders``, a link in the folder leads outside, or an ingredient of an average lies outside; or
            the name cannot be used as a path; or this server is shared.
        ModelError: the model's card cannot be read.
    """
    check_own()
    path = _check_place(name)
    if path and adapters.is_ours(path):  # the card of an average names its ingredients, which may lie in any folder
        for ingredient in adapters.card(path).get("ingredients", ()):
            if not sources.shipped(ingredient):
                _check_place(ingredient)
    return name


def _check_place(name: str) -> Path | None:
    """Returns the path that a name stands for, after checking that it lies inside ``folders`` with everything in it.

    Returns None if the name looks like a hub id. Whether the hub has that id shows only when the model is loaded.
    """
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
    except (OSError, RuntimeError) as error:  # OSError: too long or not allowed; RuntimeError: no home folder for ~user
        raise SpecError("ui.path_cannot_be_read", name=name, why=getattr(error, "strerror", None) or error) from error


def may_read(path: Path) -> bool:
    """True if a path, with its links resolved, lies in one of ``folders``."""
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
