"""The lab: asked twice it answers once, cancelled it keeps nothing, and what it exports is what it measured."""

import itertools
import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from robustprune import lab
from robustprune.base import stores
from robustprune.base.errors import Cancelled, DataError, ModelError, SpecError, StoreError
from robustprune.base.store import DOCUMENT
from robustprune.models import inference
from robustprune.models.architectures import linear_layers
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.texts import datasets, uploads
from tests.small_models import classifier


@pytest.fixture
def small(tmp_path):
    """A small saved two-class model, and a spec that prunes it on the demo reviews."""
    model, tokenizer = classifier(labels=2)
    folder = tmp_path / "small"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return PruneSpec(str(folder), "demo-reviews", sparsity=0.5, calibration=64)


def test_a_run_is_stored_and_comes_back(small, empty_home):
    run = lab.prune(small)
    assert run.report.sparsity == pytest.approx(0.5, abs=1e-3)
    told = []
    again = lab.prune(small, lambda *progress: told.append(progress))
    assert again == run
    assert not told
    assert lab.find_run(small) == run
    assert lab.find_run(PruneSpec(small.model, "demo-reviews", sparsity=0.6)) is None


def test_the_exported_folder_loads_by_itself_and_is_what_was_measured(small, empty_home, tmp_path):
    run = lab.prune(small)
    out = lab.export_model(run, tmp_path / "out")
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    texts = datasets.load("demo-reviews", "evaluation").sample(1000, 0)
    right = (inference.logits(model, tokenizer, texts.texts).argmax(-1) == torch.tensor(texts.labels)).float().mean()
    assert float(right) == pytest.approx(run.sparse.accuracy)
    weights = [layer.weight for _, layer in linear_layers(model)]
    assert sum(int((weight == 0).sum()) for weight in weights) == run.report.zeros
    assert {"README.md", "mask.safetensors", "robustprune.json", "model.safetensors", "config.json"} <= {path.name for path in out.iterdir()}
    with pytest.raises(ModelError, match="not empty"):
        lab.export_model(run, out)


def test_the_masks_are_those_of_the_model(small, empty_home):
    import numpy as np
    from safetensors.numpy import load_file

    run = lab.prune(small)
    masks = load_file(run.model_dir / "mask.safetensors")
    model = lab.load_model(run.ref).model
    for name, layer in linear_layers(model):
        kept = np.unpackbits(masks[name], axis=1)[:, : layer.in_features].astype(bool)
        assert (kept == (layer.weight != 0).numpy()).all(), name


@pytest.mark.parametrize("after", [0, 7, 12])
def test_cancel_keeps_nothing(small, empty_home, after):
    cancel, calls = threading.Event(), itertools.count()

    def progress(*_):
        if next(calls) >= after:
            cancel.set()

    with pytest.raises(Cancelled):
        lab.prune(small, progress, cancel)
    assert lab.find_run(small) is None
    assert not list((empty_home / "runs").glob("*"))
    assert lab.prune(small).report.sparsity == pytest.approx(0.5, abs=1e-3)


def test_a_damaged_run_is_made_anew(small, empty_home):
    run = lab.prune(small)
    (run.model_dir.parent / DOCUMENT).write_text("{")
    assert lab.find_run(small) is None
    assert lab.prune(small).report.zeros == run.report.zeros


def test_a_flipped_byte_in_the_weights_is_noticed_before_they_are_used(small, empty_home, caplog):
    run = lab.prune(small)
    path = run.model_dir / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    weights = lab.load_model(run.ref).model.state_dict()
    assert "set aside" in caplog.text
    content[-3] ^= 1
    assert path.read_bytes() == bytes(content)
    assert all(torch.isfinite(value).all() for value in weights.values())


def test_sparsity_zero_exports_the_dense_model(small, empty_home):
    run = lab.prune(PruneSpec(small.model, "demo-reviews", sparsity=0.0, calibration=64))
    dense, sparse = lab.load_model(small.model).model.state_dict(), lab.load_model(run.ref).model.state_dict()
    assert all(torch.equal(dense[key], sparse[key]) for key in dense)
    assert run.dense.accuracy == run.sparse.accuracy


def test_texts_that_do_not_fit_the_model_are_refused(small, empty_home):
    with pytest.raises(DataError, match="label 2"):
        lab.prune(PruneSpec(small.model, "demo-news", calibration=64))


def test_a_store_that_cannot_be_written_is_told(small, tmp_path, monkeypatch):
    (tmp_path / "home").write_text("no folder")
    monkeypatch.setenv("ROBUSTPRUNE_HOME", str(tmp_path / "home"))
    with pytest.raises(StoreError, match="cannot be written"):
        lab.prune(small)


def test_an_upload_is_kept_by_its_content_and_checked(empty_home):
    rows = "text\tlabel\n" + "".join(f"sentence number {i}\t{i % 2}\n" for i in range(40))
    name = uploads.keep("mine.tsv", rows.encode())
    assert uploads.keep("again.tsv", rows.encode()) == name
    assert len(datasets.load(name, "calibration")) == 32
    with pytest.raises(DataError, match=r"bad\.csv has no column 'text'"):
        uploads.keep("bad.csv", b"a,b\n1,2\n")
    assert len(list((empty_home / "uploads").iterdir())) == 1


def test_every_shipped_run_is_found_by_its_own_spec(empty_home):
    runs = [run for run in lab.all_runs() if run.shipped]
    assert len(runs) >= 10
    for run in runs:
        assert lab.find_run(run.spec).digest == run.digest


def test_attention_of_the_showcase_sentence_ships(empty_home):
    from robustprune.analysis.attention import PAPER_SENTENCE

    maps = lab.find_attention("sst2-demo", PAPER_SENTENCE)
    assert maps.values.shape[:2] == (6, 12)
    assert maps.values.sum(-1) == pytest.approx(1, abs=1e-2)


def test_attention_rows_sum_to_one():
    maps = lab.attention("sst2-demo", "A short sentence of our own.")
    assert maps.values.sum(-1) == pytest.approx(1, abs=1e-2)


def test_importing_the_lab_loads_neither_torch_nor_textattack():
    code = "import sys, robustprune.lab; sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'textattack', 'streamlit')))"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, timeout=60).returncode == 0


def test_a_compressed_model_is_a_model_and_nearly_the_same(small, empty_home, tmp_path):
    run = lab.prune(small)
    sizes = lab.compress(run.ref, tmp_path / "small-file")
    assert (tmp_path / "small-file" / "compressed.safetensors").stat().st_size == sizes.compressed_bytes < sizes.half_bytes < sizes.dense_bytes
    loaded, original = lab.load_model(str(tmp_path / "small-file")), lab.load_model(run.ref)
    assert loaded.source.dataset == original.source.dataset
    texts = datasets.load("demo-reviews", "evaluation").texts[:20]
    before, after = (inference.logits(one.model, one.tokenizer, texts) for one in (original, loaded))
    assert torch.allclose(before, after, atol=2e-2)
    for (_, one), (_, other) in zip(linear_layers(original.model), linear_layers(loaded.model), strict=True):
        assert torch.equal(one.weight != 0, other.weight != 0)
    assert lab.evaluate(str(tmp_path / "small-file"), examples=50).dataset == "demo-reviews"
    with pytest.raises(ModelError, match="not empty"):
        lab.compress(run.ref, tmp_path / "small-file")


def test_a_damaged_compressed_model_is_told(small, empty_home, tmp_path):
    lab.compress(lab.prune(small).ref, tmp_path / "c")
    file = tmp_path / "c" / "compressed.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cannot be read"):
        lab.load_model(str(tmp_path / "c"))


def test_speed_is_measured_for_every_form_in_turns(small, empty_home):
    run = lab.prune(small)
    told = []
    report, sizes = lab.measure_speed(run.ref, progress=lambda *progress: told.append(progress))
    assert [one.name for one in report.latencies] == ["dense", "sparse", "compressed", "sparse kernels"]
    assert all(one.median_ms > 0 for one in report.latencies)
    assert sizes.pruned_compressed_bytes < sizes.pruned_dense_bytes / 2
    assert sizes.pruned_dense_bytes == run.report.dense_bytes
    assert sizes.pruned_compressed_bytes == pytest.approx(run.report.compressed_bytes, rel=1e-4)  # float16 rounds a few more to zero
    assert told[-1][0] == told[-1][1]


def test_speed_is_not_compared_between_models_that_read_other_tokens(small, empty_home, tmp_path):
    other, tokenizer = classifier(labels=2, vocab_size=30600)
    other.save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    with pytest.raises(SpecError, match="vocabularies"):
        lab.measure_speed(lab.prune(small).ref, dense=str(tmp_path / "other"))


def test_a_model_without_a_card_is_measured_on_texts_that_are_named(small, empty_home):
    report, _ = lab.measure_speed(small.model, dataset="demo-reviews")
    assert [one.name for one in report.latencies] == ["sparse", "compressed", "sparse kernels"]


def test_cancel_stops_measuring_speed(small, empty_home):
    run, cancel = lab.prune(small), threading.Event()
    with pytest.raises(Cancelled):
        lab.measure_speed(run.ref, progress=lambda done, *_: cancel.set() if done else None, cancel=cancel)


@pytest.mark.parametrize("device", ["gpu", "cuda:7", ""])
def test_an_unknown_device_is_refused(small, empty_home, device):
    with pytest.raises(SpecError, match="allowed are: auto, cpu, cuda"):
        lab.prune(small, device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_refused_where_there_is_none(small, empty_home):
    with pytest.raises(SpecError, match="no CUDA device"):
        lab.prune(small, device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_gpu_gives_what_the_cpu_gives(small, empty_home, tmp_path, monkeypatch):
    on_cpu = lab.prune(small, device="cpu")
    monkeypatch.setenv("ROBUSTPRUNE_HOME", str(tmp_path / "other"))
    on_gpu = lab.prune(small, device="cuda")
    for one, other in zip(on_cpu.report.layers, on_gpu.report.layers, strict=True):
        assert other.total == pytest.approx(one.total, rel=0.05, abs=1e-4)


def test_the_card_says_how_the_model_was_made(small, empty_home):
    runs = {
        "2:4: so many": lab.prune(replace(small, pattern="2:4")),
        "80.0% of block.0": lab.prune(replace(small, layer_sparsities={"block.0": 0.8})),
        "spread so that their errors add up to least": lab.prune(replace(small, allocation="error")),
        "chosen on held-out texts": lab.prune(replace(small, ridge="auto")),
    }
    for words, run in runs.items():
        assert words in (run.model_dir / "README.md").read_text()


def test_an_attack_that_has_to_prune_first_shows_no_layers_where_its_trace_is_shown(small, empty_home):
    """The attack page draws what is known so far as a trace; a pruning that goes before tells of layers."""
    from robustprune.attacks.traces.trace import AttackTrace
    from robustprune.lab import runs as lab_runs

    run, told = lab.prune(small), []
    lab_runs.drop_weights(stores.store(), run.digest)
    lab.attack_side_by_side([small.model, run.ref], "a dull and long film", 1, AttackSpec("deepwordbug"), lambda *progress: told.append(progress))
    assert any("layer" in str(text) for _, _, text, _ in told)  # it was pruned on the way
    partials = [partial for *_, partial in told if partial is not None]
    assert partials and all(isinstance(partial, AttackTrace) for partial in partials)


def test_an_attack_keeps_the_trace_of_the_first_model_while_the_next_ones_weights_are_made(small, empty_home):
    from robustprune.lab import runs as lab_runs

    run, cancel, text, spec = lab.prune(small), threading.Event(), "a dull and long film", AttackSpec("deepwordbug")
    lab_runs.drop_weights(stores.store(), run.digest)

    def stop_in_the_layers(_done, _total, doing, _partial):
        if "layer" in str(doing):
            cancel.set()

    with pytest.raises(Cancelled):
        lab.attack_side_by_side([small.model, run.ref], text, 1, spec, stop_in_the_layers, cancel)
    kept = lab.find_attack(small.model, text, 1, spec)
    assert kept and lab.find_attack(run.ref, text, 1, spec) is None
    first, second = lab.attack_side_by_side([small.model, run.ref], text, 1, spec)
    assert first == kept
    assert second.victim["digest"] == run.digest
