"""The command line: one JSON object on standard output, one line on standard error when it fails, and the exit status."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_models import classifier

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "robustprune", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ, cwd=ROOT, **more
    )


def run(*arguments):
    process = start(*arguments)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    model, tokenizer = classifier(labels=2)
    folder = tmp_path_factory.mktemp("small")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_prune_then_evaluate_then_attack(small, tmp_path):
    status, out, err = run(
        "prune", "--model", small, "--dataset", "demo-reviews", "--sparsity", "0.5", "--calibration", "64", "--out", str(tmp_path / "m"), "--json"
    )
    assert status == 0, err
    pruned = json.loads(out)
    assert {"digest", "spec", "dataset", "calibration", "sparsity", "seconds", "layers", "model_dir"} <= set(pruned)
    assert {"name", "shape", "sparsity", "uncorrected", "inherited", "own", "total", "solver", "held_out", "damping", "seconds"} <= set(pruned["layers"][0])
    assert pruned["sparsity"] == pytest.approx(0.5, abs=1e-3)
    assert pruned["calibration"] == 64
    log = (Path(os.environ["ROBUSTPRUNE_HOME"]) / "logs" / "robustprune.log").read_text()
    assert f"{pruned['digest']} robustprune.base.logs: pruning done" in log and "pruning begins" not in err

    status, out, err = run("evaluate", "--model", pruned["model_dir"], "--examples", "50", "--json")
    assert status == 0, err
    evaluated = json.loads(out)
    assert {"model", "dataset", "examples", "accuracy"} <= set(evaluated)
    assert (evaluated["dataset"], evaluated["examples"]) == ("demo-reviews", 50)

    status, out, err = run("attack", "--model", pruned["model_dir"], "--text", "a good film", "--label", "1", "--trace", str(tmp_path / "t.jsonl"), "--json")
    assert status == 0, err
    attacked = json.loads(out)
    assert {"outcome", "queries", "swaps", "original", "perturbed", "probabilities", "resources"} <= set(attacked)
    assert json.loads((tmp_path / "t.jsonl").read_text())["perturbed"] == attacked["perturbed"]


def test_prune_by_pattern_then_compress_then_measure(small, tmp_path):
    status, out, err = run("prune", "--model", small, "--dataset", "demo-reviews", "--pattern", "2:4", "--method", "wanda", "--calibration", "64", "--json")
    assert status == 0, err
    pruned = json.loads(out)
    assert (pruned["sparsity"], pruned["spec"]["pattern"]) == (0.5, "2:4")

    status, out, err = run("compress", "--model", f"run:{pruned['digest']}", "--out", str(tmp_path / "c"), "--json")
    assert status == 0, err
    assert json.loads(out)["compressed_bytes"] == (tmp_path / "c" / "compressed.safetensors").stat().st_size

    status, out, err = run("speed", "--model", str(tmp_path / "c"), "--dense", small, "--json")
    assert status == 0, err
    assert [one["name"] for one in json.loads(out)["latencies"]] == ["dense", "sparse", "compressed", "sparse kernels"]


def test_bench_prune_gives_the_ratio_to_the_floor(small):
    status, out, err = run("bench", "prune", "--model", small, "--dataset", "demo-reviews", "--calibration", "32", "--method", "magnitude", "--json")
    assert status == 0, err
    told = json.loads(out)
    assert told["seconds_over_floor"] == pytest.approx(told["seconds"] / told["floor_seconds"])


def test_models_side_by_side_and_recipes_give_a_table_and_what_differs(small, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "validation.tsv").write_text("text\tlabel\na gripping film\t1\na dull and awful film\t0\n")
    arguments = ["attack", "--model", "sst2-demo", "--model", small, "--recipe", "deepwordbug", "--recipe", "input-reduction", "--dataset", str(folder)]
    status, out, err = run(*arguments, "--query-budget", "30", "--json")
    assert status == 0, err
    result = json.loads(out)
    assert [(one["model"], one["recipe"]) for one in result["runs"]] == [
        (model, recipe) for recipe in ("deepwordbug", "input-reduction") for model in ("sst2-demo", small)
    ]
    for one in result["comparisons"]:
        assert {"aua_difference", "only_first", "only_second", "p", "transfer"} <= set(one)
        assert len(one["transfer"]["cells"]) == 4
    status, out, err = run(*arguments, "--query-budget", "30")
    assert status == 0, err
    assert "McNemar" in out
    assert out.count("input-reduction") == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_attack_whose_trace_cannot_be_written_still_shows_its_result(small):
    status, out, err = run("attack", "--model", small, "--text", "a fine film", "--label", "1", "--query-budget", "5", "--trace", "/dev/full", "--json")
    assert status == 1
    assert json.loads(out)["original"] == "a fine film"
    assert "/dev/full" in err.strip().splitlines()[-1]


def test_recipes_and_resources_tell_what_is_missing_and_how_to_get_it():
    status, out, _ = run("recipes", "--json")
    assert status == 0
    by_name = {one["name"]: one for one in json.loads(out)["recipes"]}
    assert by_name["textfooler"]["can_run"]
    assert by_name["pwws"]["can_run"]
    assert not by_name["bae"]["can_run"]
    assert all(one["about"]["en"] and one["about"]["zh"] for one in by_name.values())
    status, out, _ = run("resources", "--json")
    assert status == 0
    assert {one["name"] for one in json.loads(out)["resources"]} == {"counter-fitted", "tagger", "tagset", "wordnet"}


def test_attack_on_a_sample_gives_scores_with_intervals(small):
    status, out, err = run("attack", "--model", small, "--dataset", "demo-reviews", "--examples", "3", "--json")
    assert status == 0, err
    scores = json.loads(out)
    assert {"examples", "skipped", "held", "flipped", "stopped", "queries_mean", "words_changed_mean", "seconds"} <= set(scores)
    assert all(f"{name}{end}" in scores for name in ("acc", "aua", "asr") for end in ("", "_low", "_high"))


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (["prune", "--model", "nope"], 1, "No model is called 'nope'"),
        (["prune", "--model", "sst2-demo", "--sparsity", "1.5"], 2, "sparsity is 1.5"),
        (["prune", "--model", "sst2-demo", "--sparsity", "half"], 2, "--sparsity"),
        (["prune", "--model", "sst2-demo", "--method", "magic"], 2, "'magic' is not known"),
        (["prune", "--model", "sst2-demo", "--pattern", "4:2"], 2, "'4:2' is not N:M"),
        (["prune", "--model", "sst2-demo", "--pattern", "5:7"], 2, "does not fit block.0.attention.self.query"),
        (["prune", "--model", "sst2-demo", "--layer-sparsity", "block.9=0.5"], 2, "no layer 'block.9'"),
        (["prune", "--model", "sst2-demo", "--layer-sparsity", "block.0"], 2, "sparsity of block.0 is ''"),
        (["prune", "--model", "sst2-demo", "--ridge", "best"], 2, "ridge is 'best'"),
        (["prune", "--model", "sst2-demo", "--method", "obs", "--scope", "layer"], 2, "has no scope 'layer'"),
        (["prune", "--model", "sst2-demo", "--sparsity", "0.5", "--device", "tpu"], 2, "'tpu' is not known"),
        (["compress", "--model", "sst2-demo", "--out", "tests"], 1, "not empty"),
        (["prune", "--model", "sst2-demo", "--dataset", "demo-news"], 1, "label 2"),
        (["evaluate", "--model", "sst2-demo", "--dataset", "missing.tsv"], 1, "no file 'missing.tsv'"),
        (["attack", "--model", "sst2-demo", "--text", "", "--label", "1"], 2, "text is empty"),
        (["attack", "--model", "sst2-demo", "--text", "?!", "--label", "1"], 2, "no letters"),
        (["attack", "--model", "sst2-demo", "--text", "word " * 10_000, "--label", "1"], 2, "10,000 words"),
        (["attack", "--model", "sst2-demo", "--text", "good"], 2, "Add --label"),
        (["attack", "--model", "sst2-demo", "--text", "good", "--label", "7"], 2, "no label 7"),
        (["attack", "--model", "sst2-demo", "--recipe", "bae", "--text", "good", "--label", "1"], 1, "--masked-lm"),
        (["bench", "believable", "--sheet", "folder"], 2, "--traces"),
        (["attack", "--model", "sst2-demo", "--recipe", "bae", "--text", "good", "--label", "1"], 1, "--masked-lm"),
        (["attack", "--model", "sst2-demo", "--recipe", "iga", "--word-budget", "1", "--text", "good", "--label", "1"], 2, "word budget"),
        (["attack", "--model", "sst2-demo", "--text", "good", "--label", "1", "--dataset", "sst2"], 2, "not both"),
        (["attack", "--model", "sst2-demo", "--label", "1"], 2, "belongs to a --text"),
        (["resources", "--get", "wordnet", "--seconds", "nan"], 2, "time limit"),
        (["attack", "--model", "sst2-demo", "--recipe", "bae", "--masked-lm", "/nowhere", "--text", "good", "--label", "1"], 1, "no such folder"),
        (["attack", "--model", "sst2-demo", "--seconds", "0", "--text", "good", "--label", "1"], 2, "time limit"),
        (["attack", "--model", "sst2-demo", "--synonyms", "/nowhere", "--text", "good", "--label", "1"], 1, "no file of synonyms"),
        (["resources", "--get", "magic"], 2, "counter-fitted"),
        (["attack", "--model", "sst2-demo", "--recipe", "magic", "--text", "good", "--label", "1"], 2, "'magic' is not known"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)  # fmt: skip
def test_wrong_input_is_told_in_a_sentence(arguments, status, why):
    code, out, err = run(*arguments)
    assert code == status
    assert why in " ".join(re.sub(r"[\u2500-\u257f]", " ", err).split())
    assert "Traceback" not in err
    assert out == ""


def test_an_interrupt_ends_with_130_and_keeps_nothing(small, empty_home):
    process = start("prune", "--model", "sst2-demo", "--sparsity", "0.51")
    for line in process.stderr:
        if "layer 2" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nothing half-done was kept" in err
    assert not list((empty_home / "runs").glob("*"))


def test_importing_the_package_loads_nothing_else():
    code = "import sys; before = set(sys.modules); import robustprune; print(sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.strip() == "['robustprune']"


def test_an_export_folder_that_is_not_empty_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("mine")
    status, _, err = run("prune", "--model", "sst2-demo", "--sparsity", "0.52", "--out", str(tmp_path))
    assert status == 1
    assert "not empty" in err
    assert "layer" not in err
