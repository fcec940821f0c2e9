"""Folders with models that are damaged, or made to do harm: each must be refused with a sentence, run nothing, and ask for little memory."""

import base64
import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import torch
from safetensors.torch import load_file, save_file

from robustprune import lab
from robustprune.base import hashing
from robustprune.base.errors import RobustPruneError
from robustprune.models import sources
from robustprune.ui import limits
from tests import small_models
from tests.trust.faults.damage import halved
from tests.trust.table import Row

WEIGHTS = "model.safetensors"
MOST_MEMORY = 500e6


class _Bomb:
    """A pickle that leaves a mark where somebody loads it."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self._mark),)


def _settings(folder: Path, name: str, **changes: object) -> None:
    (folder / name).write_text(json.dumps({**json.loads((folder / name).read_text()), **changes}))


def _config(folder: Path, **changes: object) -> None:
    _settings(folder, "config.json", **changes)


def _weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def _pickled(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Bomb(folder.parent / "mark")))


def _index(folder: Path, name: str) -> None:
    tensors = load_file(folder / WEIGHTS)
    save_file(dict(list(tensors.items())[1:]), folder / "model-00001-of-00002.safetensors", metadata={"format": "pt"})
    (folder / WEIGHTS).unlink()
    places = dict.fromkeys(tensors, "model-00001-of-00002.safetensors") | {next(iter(tensors)): name}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def _pickle_by_index(folder: Path) -> None:
    (folder / "part.bin").write_bytes(pickle.dumps(_Bomb(folder.parent / "mark")))
    _index(folder, "part.bin")


def _own_code(folder: Path) -> None:
    (folder / "mine.py").write_text(f"import os; os.mkdir({str(folder.parent / 'mark')!r})")
    _config(folder, auto_map={"AutoConfig": "mine.Config", "AutoModelForSequenceClassification": "mine.Model"})


def _own_tokenizer(folder: Path) -> None:
    (folder / "mine.py").write_text(f"import os; os.mkdir({str(folder.parent / 'mark')!r})")
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({"auto_map": {"AutoTokenizer": ["mine.Tokenizer", None]}, "tokenizer_class": "Tokenizer"}))


def _adapter_elsewhere(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/etc", "peft_type": "LORA", "task_type": "SEQ_CLS"}))


def _card(folder: Path, about: dict) -> None:
    (folder / "card.json").write_text(json.dumps({"labels": ["a", "b"], "dataset": "sst2", **about}))


def _pickled_adapter(folder: Path) -> None:
    _adapter_elsewhere(folder)
    (folder / "adapter_model.bin").write_bytes(pickle.dumps(_Bomb(folder.parent / "mark")))
    _card(folder, {"sha256": {}})


def _card_outside(folder: Path) -> None:
    _adapter_elsewhere(folder)
    _card(folder, {"sha256": {"../../../../etc/hostname": "0" * 64}})


def _header(folder: Path, size: int) -> None:
    """A file that says that its header has so many bytes, and is as long (but for what no disk holds: it is sparse)."""
    with open(folder / WEIGHTS, "wb") as file:
        file.write(struct.pack("<Q", size) + b"{")
        file.truncate(min(size, 1 << 30))


def write_header(path: Path, header: object, tensors: bytes = b"") -> None:
    """A file of safetensors with that header."""
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + tensors)


def _nan(tensors: dict[str, torch.Tensor]) -> None:
    next(iter(tensors.values())).view(-1)[0] = float("nan")


def _narrower(tensors: dict[str, torch.Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("query.weight"))
    tensors[name] = tensors[name][:, ::2].contiguous()


def _missing(tensors: dict[str, torch.Tensor]) -> None:
    del tensors[next(name for name in tensors if name.startswith("classifier"))]


def _large_words(folder: Path) -> None:
    path = folder / "tokenizer.json"
    value = json.loads(path.read_text())
    plain = dict.fromkeys(("special", "single_word", "lstrip", "rstrip", "normalized"), False)
    value["added_tokens"].append({"id": 40_000, "content": "filmfilmfilm", **plain})
    path.write_text(json.dumps(value))


def _elsewhere(folder: Path, file: str, settings: str, key: str, name: str | None = None) -> None:
    """A copy of a file lies outside of the folder, and settings lead to it by that key; ``name``: as one of a list, under that name."""
    place = folder.parent / "elsewhere" / (name or file)
    place.parent.mkdir()
    shutil.copyfile(folder / file, place)
    _settings(folder, settings, **{key: [f"../elsewhere/{name}"] if name else f"../elsewhere/{file}"})


def _tokenizer_elsewhere(folder: Path) -> None:
    """By its special words, whose settings come last where the tokenizer's own name none."""
    _elsewhere(folder, "tokenizer.json", "special_tokens_map.json", "tokenizer_file")
    _settings(folder, "special_tokens_map.json", tokenizer_file=str(folder.parent / "elsewhere" / "tokenizer.json"))
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "added_tokens_decoder"}))


def _words_elsewhere(folder: Path) -> None:
    """Words that lie outside of the folder, as the tokenizer's settings say, and none inside."""
    (folder / "vocab.txt").rename(folder.parent / "elsewhere.txt")
    (folder / "tokenizer.json").unlink()
    _settings(folder, "tokenizer_config.json", vocab_file=str(folder.parent / "elsewhere.txt"))


def _large(folder: Path, name: str) -> None:
    """A file of ten gigabytes that begins as it should (and is sparse: no disk need hold it)."""
    with open(folder / name, "r+b") as file:
        file.truncate(10_000_000_000)


def _words(folder: Path, **changes: object) -> None:
    _settings(folder, "tokenizer.json", **changes)


def _normalizers(folder: Path, steps: list[dict]) -> None:
    _words(folder, normalizer={"type": "Sequence", "normalizers": steps})


def _replace(pattern: dict, content: str) -> dict:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _nested(folder: Path) -> None:
    step = _replace({"String": "a"}, "aa")
    for _ in range(300):
        step = {"type": "Sequence", "normalizers": [step, _replace({"String": "a"}, "aa")]}
    _words(folder, normalizer=step)


def _long_table(folder: Path) -> None:
    table = struct.pack("<I", 4) + b"\0" * 4 + b"a" * 1_000_000 + b"\0"
    _normalizers(folder, [{"type": "Precompiled", "precompiled_charsmap": base64.b64encode(table).decode()}] * 2)


def _panics(folder: Path) -> None:
    """Its pattern tries more ways than its reader allows, which ends in a panic."""
    pattern = {"type": "Split", "pattern": {"Regex": r"((\w|\s|.)+)+(?!.)(?<!.)"}, "behavior": "Isolated", "invert": False}
    _words(folder, pre_tokenizer=pattern)


def _ours(folder: Path, labels: list[str] | None = None, **settings: object) -> None:
    """An adapter with a card of this program's, whose files are as the card says, but for these settings."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sources.INGREDIENTS / "sst2-plain-1", folder)
    _settings(folder, "adapter_config.json", **settings)
    about = json.loads((folder / "card.json").read_text())
    about["sha256"]["adapter_config.json"] = hashing.of_file(folder / "adapter_config.json")
    (folder / "card.json").write_text(json.dumps({**about, "labels": labels or about["labels"]}))


def _pipe(folder: Path, name: str) -> None:
    """In the place of a file, what nobody ever writes to: whoever reads it waits for ever."""
    (folder / name).unlink()
    os.mkfifo(folder / name)


def _folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()


def _link(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("/etc/hostname")


# What is done to a folder with a small model that is fine.
HARM: dict[str, Callable[[Path], None]] = {
    "pickled weights": _pickled,
    "pickled weights in an index": _pickle_by_index,
    "an index that leads outside": lambda folder: _index(folder, "../elsewhere.safetensors"),
    "an index that names an absolute path": lambda folder: _index(folder, "/etc/passwd"),
    "an index that is none": lambda folder: (folder / "model.safetensors.index.json").write_text("[[]]"),
    "code of its own": _own_code,
    "a tokenizer with code of its own": _own_tokenizer,
    "an adapter to a model elsewhere": _adapter_elsewhere,
    "a pickled adapter": _pickled_adapter,
    "a card that names a file outside": _card_outside,
    "a card that names models outside": lambda folder: _card(folder, {"sha256": {}, "ingredients": ["/etc", "../../.."]}),
    "a card that is no card": lambda folder: (folder / "card.json").write_text("[1]"),
    "a link that leads outside": _link,
    "a header of 10 GB": lambda folder: _header(folder, 10_000_000_000),
    "a header of 2^63 bytes": lambda folder: _header(folder, (1 << 63) + 5),
    "a header that overlaps": lambda folder: write_header(folder / WEIGHTS, {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 1 << 40]}}),
    "a header with a negative shape": lambda folder: write_header(folder / WEIGHTS, {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}),
    "no bytes": lambda folder: (folder / WEIGHTS).write_bytes(b""),
    "weights cut in half": lambda folder: halved(folder / WEIGHTS),
    "weights with NaN": lambda folder: _weights(folder, _nan),
    "weights of another shape": lambda folder: _weights(folder, _narrower),
    "weights that are missing": lambda folder: _weights(folder, _missing),
    "a million layers": lambda folder: _config(folder, num_hidden_layers=1_000_000),
    "a width of a million": lambda folder: _config(folder, hidden_size=1_000_000, num_attention_heads=1_000),
    "ten billion words": lambda folder: _config(folder, vocab_size=10_000_000_000),
    "heads that do not fit": lambda folder: _config(folder, num_attention_heads=7),
    "a config of wrong types": lambda folder: _config(folder, hidden_size="large", num_hidden_layers=None),
    "a config that is none": lambda folder: (folder / "config.json").write_text("[]"),
    "a config that is deep": lambda folder: (folder / "config.json").write_text("[" * 100_000),
    "a config cut in half": lambda folder: halved(folder / "config.json"),
    "another architecture": lambda folder: _config(folder, model_type="gpt2"),
    "classes with numbers that are none": lambda folder: _config(folder, id2label={"²": "a", "³": "b"}),
    "classes that are lists": lambda folder: _config(folder, id2label={"0": ["a"], "1": {}}),
    "classes with a name of a megabyte": lambda folder: _config(folder, id2label={"0": "a" * 1_000_000, "1": "b"}),
    "a tokenizer with words that the model lacks": _large_words,
    "weights that lie elsewhere": lambda folder: _elsewhere(folder, WEIGHTS, "config.json", "transformers_weights"),
    "a config for other versions": lambda folder: _config(folder, configuration_files=["config.4.0.json"]),
    "words that lie elsewhere": _words_elsewhere,
    "a tokenizer that lies elsewhere": _tokenizer_elsewhere,
    "a tokenizer for other versions that lies elsewhere": lambda folder: _elsewhere(
        folder, "tokenizer.json", "tokenizer_config.json", "fast_tokenizer_files", "tokenizer.4.0.json"
    ),
    "a tokenizer with arguments without names": lambda folder: _settings(folder, "tokenizer_config.json", init_inputs=[str(folder / "vocab.txt")]),
    "a tokenizer of 10 GB": lambda folder: _large(folder, "tokenizer.json"),
    "a config of 10 GB": lambda folder: _large(folder, "config.json"),
    "words of 10 GB": lambda folder: _large(folder, "vocab.txt"),
    "a pipe for a config": lambda folder: _pipe(folder, "config.json"),
    "a pipe for weights": lambda folder: _pipe(folder, WEIGHTS),
    "a folder for a config": lambda folder: _folder(folder, "config.json"),
    "a folder for weights": lambda folder: _folder(folder, WEIGHTS),
    "a tokenizer that makes ten characters of one, ten times": lambda folder: _normalizers(folder, [_replace({"String": "a"}, "a" * 10)] * 10),
    "a tokenizer that puts a character beside every one, forty times": lambda folder: _normalizers(folder, [_replace({"Regex": ""}, "a")] * 40),
    "a tokenizer with a hundred thousand such steps": lambda folder: _normalizers(folder, [_replace({"String": "a"}, "aaaaaaaaaa")] * 100_000),
    "a tokenizer of steps within steps": _nested,
    "a tokenizer with a table of long texts": _long_table,
    "a tokenizer of a kind with files of its own": lambda folder: _settings(
        folder, "tokenizer_config.json", tokenizer_class="MarianTokenizer", source_spm="/etc/passwd", target_spm="/etc/passwd", vocab="/etc/passwd"
    ),
    "a tokenizer of that kind by the model's settings": lambda folder: _config(folder, tokenizer_class="MarianTokenizer"),
    "a tokenizer with arguments for another library": lambda folder: _settings(folder, "tokenizer_config.json", sp_model_kwargs={"model_file": "/etc/passwd"}),
    "a tokenizer that gives up on every text": _panics,
    "a tokenizer cut in half": lambda folder: halved(folder / "tokenizer.json"),
    "a tokenizer that is none": lambda folder: (folder / "tokenizer.json").write_text('{"model": {"type": "BPE"}}'),
    "an average of a model elsewhere by an average's name": lambda folder: _card(folder, {"sha256": {}, "ingredients": ["mean:/etc"]}),
    "an average of somebody's home": lambda folder: _card(folder, {"sha256": {}, "ingredients": ["~root/model"]}),
    "an average of itself": lambda folder: _card(folder, {"sha256": {}, "ingredients": [str(folder)]}),
    "an adapter by a pattern that takes for ever": lambda folder: _ours(folder, target_modules="([a-z.0-9_]+)*!"),
    "an adapter of a rank of millions": lambda folder: _ours(folder, r=4_000_000),
    "an adapter of another kind": lambda folder: _ours(folder, peft_type="MULTITASK_PROMPT_TUNING", prompt_tuning_init_state_dict_path="/etc/passwd"),
    "an adapter with more settings": lambda folder: _ours(folder, layer_replication=[[0, 1_000_000]]),
    "an adapter with a million classes": lambda folder: _ours(folder, ["a"] * 1_000_000),
    "a data set that is no name": lambda folder: (folder / "robustprune.json").write_text('{"dataset": {"a": 1}}'),
}


def made(home: Path) -> Path:
    """A folder with a small model that is fine."""
    folder = home / "fine"
    return folder if folder.is_dir() else small_models.saved(folder, labels=2)


def check(home: Path, name: str) -> None:
    """Does the harm to a copy of the model and brings it as the app does. Raises AssertionError unless it is refused as it should be."""
    folder = home / name.replace(" ", "-") / "model"
    shutil.copytree(made(home), folder)
    HARM[name](folder)
    before = psutil.Process().memory_info().rss
    try:
        lab.bring_model(limits.check_name(str(folder)))
    except RobustPruneError as error:
        assert len(str(error)) < 2_000, "the sentence is a book"
    else:
        raise AssertionError("it was taken")
    assert not (folder.parent / "mark").exists(), "its code was run"
    grown = psutil.Process().memory_info().rss - before
    assert grown < MOST_MEMORY, f"it took {grown / 1e6:.0f} MB"


def rows(home: Path) -> Iterator[Row]:
    """All of it."""
    os.environ |= {"ROBUSTPRUNE_HOME": str(home / "store"), "ROBUSTPRUNE_FOLDERS": str(home)}
    row = Row("hostile model folders")
    with row.trying("one that is fine"):
        assert lab.bring_model(limits.check_name(str(made(home)))).labels
    with row.trying("an adapter that is fine"):
        _ours(home / "adapter")
        assert lab.bring_model(limits.check_name(str(home / "adapter"))).labels
    for name in HARM:
        with row.trying(name):
            check(home, name)
    assert len(lab.own_models()) == 2, "a hostile model is remembered"
    yield row
