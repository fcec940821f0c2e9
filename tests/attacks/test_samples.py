"""Attacks on samples: what has ended is never lost and never done twice, and one bad text does not cost the others theirs."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from robustprune import lab
from robustprune.attacks import samples
from robustprune.attacks.engine.attacker import Attacker
from robustprune.attacks.traces import journal
from robustprune.base.errors import Cancelled, DataError, ModelError, ResourceMissing, SpecError, StoreError
from robustprune.lab import attacks
from robustprune.specs.attack import AttackSpec

ROOT = Path(__file__).resolve().parents[2]
SPEC = AttackSpec("deepwordbug", query_budget=60)
TEXTS = (
    "a gripping and beautifully acted film", "dull from start to finish", "a warm , funny , honest comedy", "it never finds its way",
    "the best film of the year", "an awful mess of a script",
)  # fmt: skip


@pytest.fixture
def dataset(tmp_path, empty_home):
    """A data set of six texts; and a store that nothing was put into yet."""
    return write(tmp_path / "texts", TEXTS)


def write(folder, texts, labels=None):
    labels = labels or [1 - i % 2 for i in range(len(texts))]
    folder.mkdir()
    (folder / "validation.tsv").write_text(
        "text\tlabel\n" + "".join(f'"{text}"\t{label}\n' for text, label in zip(texts, labels, strict=True)), encoding="utf-8"
    )
    return str(folder)


@pytest.fixture
def attacked(monkeypatch):
    """The texts that attackers were really given."""
    given, original = [], Attacker.attack

    def attack(self, text, *arguments):
        given.append(text)
        return original(self, text, *arguments)

    monkeypatch.setattr(Attacker, "attack", attack)
    return given


def attack(dataset, spec=SPEC, models=("sst2-demo",), **keywords):
    return lab.attack_texts(models, dataset, 100, spec, **keywords)


def told(results):
    return [(one.text, one.outcome, one.perturbed, one.queries) for one in results]


def test_a_finished_run_comes_back_at_once_with_its_traces(dataset, attacked, tmp_path):
    (first,) = attack(dataset, out=tmp_path / "first.jsonl")
    assert len(attacked) == len(TEXTS) == first.scores.examples
    (second,) = attack(dataset, out=tmp_path / "second.jsonl")
    assert len(attacked) == len(TEXTS)
    assert second.results == first.results
    assert second.scores == first.scores
    assert (tmp_path / "second.jsonl").read_bytes() == (tmp_path / "first.jsonl").read_bytes()
    traces = list(journal.read(tmp_path / "first.jsonl"))
    assert [trace.example for trace in traces] == list(range(len(TEXTS)))
    assert all((one.similarity is not None) == (one.text != one.perturbed) for one in first.results)
    assert first.scores.similarity_mean < 1
    assert lab.find_scores("sst2-demo", 100, SPEC) is None  # those are of the demo texts


def test_after_a_cancel_the_next_call_goes_on_where_it_stopped(dataset, attacked, empty_home, tmp_path):
    import threading

    cancel = threading.Event()

    def progress(done, _total, _text, _partial=None):
        if done >= 3:
            cancel.set()

    with pytest.raises(Cancelled):
        attack(dataset, progress=progress, cancel=cancel)
    (kept,) = (empty_home / "journals").glob("*.jsonl")
    before = len(list(journal.read(kept)))
    assert 2 <= before < len(TEXTS)
    attacked.clear()
    (result,) = attack(dataset, out=tmp_path / "all.jsonl")
    assert len(attacked) == len(TEXTS) - before
    assert result.scores.examples == len(TEXTS)
    assert len(list(journal.read(tmp_path / "all.jsonl"))) == len(TEXTS)
    assert not kept.exists()


def test_two_models_side_by_side_have_each_its_own_results(dataset, attacked, empty_home):
    other = lab.prune(lab_spec())
    alone = attack(dataset)
    together = attack(dataset, models=("sst2-demo", other.ref))
    assert told(together[0].results) == told(alone[0].results)
    assert {one.model for one in together} == {"sst2-demo", other.ref}
    assert sum(text in TEXTS for text in attacked) == 2 * len(TEXTS)  # the dense model was not attacked again
    transfer = lab.transfer(together)
    assert {(cell.source, cell.target) for cell in transfer.cells} == {(a, b) for a in ("sst2-demo", other.ref) for b in ("sst2-demo", other.ref)}
    assert all(cell.fooled == cell.texts for cell in transfer.cells if cell.source == cell.target)


def lab_spec():
    from robustprune.specs.prune import PruneSpec

    return PruneSpec("sst2-demo", method="magnitude", adaptive="none", sparsity=0.4, calibration=16)


def test_bad_texts_are_told_and_the_others_attacked(tmp_path, empty_home, attacked):
    texts = ("word " * 5000, *TEXTS[:2], "?! ...", "half a sentence <SPLIT> the other half", "caf\u00e9 \U0001f600 , <script>alert(1)</script> good")
    (result,) = attack(write(tmp_path / "odd", [text.strip() for text in texts]))
    assert result.scores.failed == 3
    assert result.scores.examples == 3
    assert not result.scores.complete
    reasons = " ".join(result.failed.values())
    assert "5,000 words" in reasons
    assert "no words" in reasons
    assert "<SPLIT>" in reasons
    attacked.clear()
    (again,) = attack(str(tmp_path / "odd"))
    assert (again.failed, attacked) == (result.failed, [])


def test_a_text_that_breaks_the_library_costs_only_itself(dataset, monkeypatch):
    original = Attacker._recorded

    def recorded(self, classifier, attack, text, *arguments):
        if text == TEXTS[2]:
            raise IndexError("list index out of range")
        return original(self, classifier, attack, text, *arguments)

    monkeypatch.setattr(Attacker, "_recorded", recorded)
    (result,) = attack(dataset)
    assert result.scores.examples == len(TEXTS) - 1
    assert "IndexError" in next(iter(result.failed.values()))


def test_where_no_text_can_be_attacked_the_reason_is_raised(dataset, monkeypatch):
    def broken(self, *arguments):
        raise ModelError("base.verbatim", text="The model 'x' answers with NaN; its weights are broken.")

    monkeypatch.setattr(Attacker, "_recorded", broken)
    with pytest.raises(ModelError, match="NaN"):
        attack(dataset)


def test_stopped_texts_are_left_out_told_and_tried_again(dataset, monkeypatch, attacked):
    spec, slow = AttackSpec("deepwordbug", query_budget=60, seconds=30), TEXTS[1]
    original = Attacker._recorded

    def recorded(self, classifier, attack, text, *arguments):
        if text == slow:
            watch, self._watch = self._watch, lambda trace: trace is not None and setattr(self, "_deadline", 0.0)
            try:
                return original(self, classifier, attack, text, *arguments)
            finally:
                self._watch = watch
        return original(self, classifier, attack, text, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Attacker, "_recorded", recorded)
        (result,) = attack(dataset, spec)
    assert (result.scores.stopped, result.scores.examples, result.scores.complete) == (1, len(TEXTS) - 1, False)
    attacked.clear()
    (again,) = attack(dataset, spec)
    assert attacked == [slow]
    assert again.scores.complete


def test_a_full_disk_ends_the_traces_but_not_the_attack(dataset, monkeypatch, tmp_path, empty_home):
    original, written = journal.TraceFile.append_line, []

    def append_line(self, text):
        written.append(text)
        if len(written) > 3:
            raise StoreError("base.verbatim", text="Traces cannot be written: No space left on device.")
        original(self, text)

    monkeypatch.setattr(journal.TraceFile, "append_line", append_line)
    (result,) = attack(dataset, out=tmp_path / "named.jsonl")
    assert result.scores.examples == len(TEXTS)
    assert any("No space" in trouble for trouble in result.troubles)
    kept = list(journal.read(tmp_path / "named.jsonl"))
    assert 0 < len(kept) < len(TEXTS)


def test_a_device_without_room_is_told_in_the_end(dataset):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (result,) = attack(dataset, out=Path("/dev/full"))
    assert result.scores.examples == len(TEXTS)
    assert "/dev/full" in result.troubles[0]


def test_a_folder_that_is_not_there_is_told_before_anything_is_attacked(dataset, attacked, tmp_path):
    with pytest.raises(StoreError, match="nowhere"):
        attack(dataset, out=tmp_path / "nowhere" / "traces.jsonl")
    assert attacked == []


def test_labels_that_the_model_does_not_know_are_refused(tmp_path, empty_home):
    with pytest.raises(DataError):
        attack(write(tmp_path / "labels", TEXTS, [0, 1, 2, 3, 0, 1]))


def test_models_of_different_classes_are_not_compared(dataset):
    with pytest.raises(SpecError, match="different classes"):
        attack(dataset, models=("sst2-demo", "ag_news-demo"))
    with pytest.raises(SpecError, match="different classes"):
        lab.attack_side_by_side(["sst2-demo", "ag_news-demo"], TEXTS[0], 1, SPEC)


def test_a_file_that_traces_are_to_go_to_is_not_emptied_before_there_are_any(dataset, tmp_path, monkeypatch):
    out = tmp_path / "traces.jsonl"
    out.write_text("dear", encoding="utf-8")
    with pytest.raises(ResourceMissing):
        attack(dataset, AttackSpec("bae"), out=out)
    monkeypatch.setattr(Attacker, "_recorded", lambda *_: (_ for _ in ()).throw(ModelError("base.verbatim", text="NaN")))
    with pytest.raises(ModelError):
        attack(dataset, out=out)
    assert out.read_text(encoding="utf-8") == "dear"
    with pytest.raises(SpecError, match="written over"):
        attack(str(Path(dataset) / "validation.tsv"), out=Path(dataset) / "validation.tsv")


def test_another_process_at_the_same_texts_is_waited_for(dataset, empty_home):
    """Its results are used; whoever waits hears of it, and can cancel."""
    from filelock import FileLock

    sources = [lab.find_model("sst2-demo")]
    texts = attacks.accuracy.texts_for(sources[0], dataset, 100, 0)
    key = samples.archive.scores_key(sources[0].digest, texts, SPEC)
    (empty_home / "journals").mkdir(parents=True)
    other, heard = FileLock(empty_home / "journals" / f"{key}.jsonl.lock", thread_local=False), []

    def progress(done, total, doing, partial=None):
        heard.append(text := str(doing))
        if text.startswith("waiting for another process"):
            other.release()

    other.acquire()
    lab.attack_texts(["sst2-demo"], dataset, 100, SPEC, progress)
    assert heard[0].startswith("waiting for another process that attacks sst2-demo")
    cancel = threading.Event()
    cancel.set()
    with other, pytest.raises(Cancelled):
        lab.attack_texts(["sst2-demo"], dataset, 100, SPEC, cancel=cancel)


def test_a_killed_command_goes_on_where_it_stopped(empty_home, tmp_path):
    command = [sys.executable, "-m", "robustprune", "attack", "--model", "sst2-demo", "--recipe", "deepwordbug", "--dataset", "demo-reviews", "--json"]
    command += ["--examples", "40"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ, cwd=ROOT)
    end = time.monotonic() + 120
    found = []
    while time.monotonic() < end and not (found and found[0].read_bytes().count(b"\n") >= 3):
        found = list((empty_home / "journals").glob("*.jsonl"))
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = found[0].read_bytes().count(b"\n")
    assert 3 <= before < 40
    done = subprocess.run([*command, "--trace", str(tmp_path / "t.jsonl")], capture_output=True, text=True, timeout=240, env=os.environ, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    result, lines = json.loads(done.stdout), (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    assert result["examples"] == len(lines) == 40
    assert done.stderr.count("text ") < 2 * (40 - before) + 10  # told once a text, and while loading: those before were not attacked again
    assert {"acc", "acc_low", "acc_high", "aua", "asr", "queries_mean", "words_changed_mean", "seconds", "skipped", "held", "flipped", "stopped"} <= set(result)
