"""Sweeps as they run: nothing twice, failures told, interrupted and gone on with; and workers in other processes, one of them killed."""

import os
import signal
import threading
from dataclasses import replace

import pytest

from robustprune import lab, studies
from robustprune.base import stores
from robustprune.base.errors import Cancelled, ClusterError, ModelError, StoreError
from robustprune.lab import attacks, runs
from robustprune.studies import cluster, versions
from robustprune.studies.cluster import Workers
from tests.clusters import scheduler, wait_for_workers, worker

ONE = Workers(1, 2, 4 * 2**30)


def sweep(spec, **keywords):
    return studies.sweep(studies.plan_sweep(spec), ONE, **keywords)


def test_a_sweep_runs_all_stores_all_and_the_next_one_nothing(small_sweep, small_start, small_texts, empty_home):
    told = []
    result = sweep(small_sweep, progress=lambda done, total, text, partial: told.append((done, total)))
    assert (result.planned, result.done, result.skipped, result.failed) == (5, 5, 0, [])
    assert told[-1] == (5, 5)
    rows = studies.sweep_results(small_sweep)
    assert sorted(rows["kind"]) == ["dense", *["pruned"] * 4]
    assert sorted(zip(rows["sparsity"], rows["seed"].fillna(-1), strict=True)) == [(0.0, -1), (0.3, 0), (0.3, 1), (0.6, 0), (0.6, 1)]
    assert rows["texts"].nunique() == 1, "all models are attacked on the same texts"
    assert rows[["accuracy", "aua", "acc", "asr_low", "attack_seconds"]].notna().all(axis=None)
    for row in rows.to_dict("records"):
        scores = lab.find_scores(row["model"], 4, small_sweep.attack.specs[0], small_texts)
        assert (row["aua"], row["acc"], row["examples"]) == (scores["aua"], scores["acc"], 4)
        assert row["accuracy"] == lab.evaluate(row["model"], small_texts, runs.EVALUATION_EXAMPLES).accuracy
    pruned = [run for run in lab.all_runs() if run.spec.model == small_start]
    assert [run.model_dir for run in pruned] == [None] * 4, "weights are dropped once a run was attacked"
    again = sweep(small_sweep, progress=lambda *_: pytest.fail("something was run again"))
    assert (again.done, again.skipped) == (0, 5)


def test_weights_are_kept_where_they_are_asked_for_or_were_there_before(small_sweep, small_start, small_texts, empty_home):
    few = replace(small_sweep, sparsities=(0.3,), seeds=(0,))
    kept = lab.prune(few.prunings(small_start, small_texts)[0])
    sweep(few)
    assert lab.find_run(kept.spec).model_dir is not None
    sweep(replace(few, seeds=(1,), keep_weights=True))
    assert all(run.model_dir for run in lab.all_runs() if run.spec.model == small_start)


def test_one_that_fails_is_told_at_the_end_and_stops_no_other(small_sweep, empty_home, monkeypatch):
    original = runs.prune

    def prune(store, spec, *others):
        if spec.seed == 1 and spec.sparsity == 0.3:
            raise ModelError("base.verbatim", text="This one cannot be.")
        if spec.seed == 1:
            raise ZeroDivisionError("nobody foresaw this")
        return original(store, spec, *others)

    monkeypatch.setattr(runs, "prune", prune)
    result = sweep(small_sweep)
    assert (result.planned, result.done) == (5, 3)
    assert {outcome.error for outcome in result.failed} == {"This one cannot be.", "ZeroDivisionError: nobody foresaw this"}
    assert all("seed 1" in outcome.name for outcome in result.failed)
    assert result.to_json()["failed"] == len(result.to_json()["failures"]) == 2
    monkeypatch.setattr(runs, "prune", original)
    again = sweep(small_sweep)
    assert (again.done, again.skipped) == (2, 3)


def test_one_that_is_cancelled_keeps_what_is_finished_and_goes_on(small_sweep, empty_home):
    spec, cancel = replace(small_sweep, seeds=tuple(range(8))), threading.Event()

    def progress(done, total, text, partial):
        if done >= 1:
            cancel.set()

    with pytest.raises(Cancelled, match="to continue"):
        sweep(spec, progress=progress, cancel=cancel)
    plan = studies.plan_sweep(spec)
    assert 1 <= len(plan.done) < 17
    assert studies.sweep(plan, ONE).done == len(plan.left)


def test_an_interrupted_attack_leaves_its_run_to_be_attacked(small_sweep, small_start, small_texts, empty_home):
    spec = small_sweep.prunings(small_start, small_texts)[0]
    lab.prune(spec)
    assert len(studies.plan_sweep(small_sweep).done) == 0
    attacks.attack_texts([lab.find_run(spec).ref], small_texts, 4, small_sweep.attack.specs[0])
    assert len(studies.plan_sweep(small_sweep).done) == 1


def test_a_plan_names_what_is_not_to_be_had_before_anything_runs(small_sweep, empty_home):
    with pytest.raises(ModelError, match="no-such-model"):
        studies.plan_sweep(replace(small_sweep, starts=("no-such-model",)))
    with pytest.raises(ModelError, match="No head ships"):
        studies.plan_sweep(replace(small_sweep, baselines=("imp",)))


def test_the_estimate_grows_with_what_is_left_and_shrinks_with_workers(small_sweep, empty_home):
    plan, measured = studies.plan_sweep(small_sweep), studies.results()
    more = studies.plan_sweep(replace(small_sweep, seeds=(0, 1, 2, 3)))
    assert more.seconds(measured, 1) > plan.seconds(measured, 1) > 0
    assert plan.seconds(measured, 5) == pytest.approx(plan.seconds(measured, 1) / 5)


def test_workers_fit_the_machine(monkeypatch):
    import distributed.system

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(distributed.system, "MEMORY_LIMIT", 64 * 2**30)
    assert studies.sweep_workers() == Workers(8, 1, 8 * 2**30)
    assert studies.sweep_workers(2) == Workers(2, 4, 32 * 2**30)
    monkeypatch.setattr(distributed.system, "MEMORY_LIMIT", 9 * 2**30)
    assert studies.sweep_workers() == Workers(2, 4, 9 * 2**29)


# A cluster of somebody's own


def test_a_worker_that_is_killed_costs_what_it_was_at_and_no_more(small_sweep, empty_home):
    spec, made = replace(small_sweep, seeds=tuple(range(6))), []
    with scheduler(empty_home) as address, worker(address, empty_home) as first, worker(address, empty_home):
        wait_for_workers(address, 2)

        def progress(done, total, text, partial):
            made.append(done)
            if done >= 3 and first.poll() is None:
                first.send_signal(signal.SIGKILL)

        result = studies.sweep(studies.plan_sweep(spec), scheduler=address, progress=progress)
    assert first.returncode == -signal.SIGKILL
    assert (result.planned, result.done, result.failed) == (13, 13, [])
    assert len({outcome.worker for outcome in result.outcomes}) == 2, "both did something"
    assert len(studies.plan_sweep(spec).left) == 0


def test_workers_that_do_not_see_the_store_or_run_other_code_are_refused(small_sweep, empty_home, tmp_path, monkeypatch):
    plan = studies.plan_sweep(small_sweep)
    with scheduler(empty_home) as address, worker(address, tmp_path / "another"):
        with pytest.raises(ClusterError, match="does not see this store"):
            studies.sweep(plan, scheduler=address)
        monkeypatch.setattr(versions, "code", lambda: "0123456789ab")
        with pytest.raises(ClusterError, match=r"robustprune's code .*, here it is 0123456789ab"):
            studies.sweep(plan, scheduler=address)
    assert len(studies.plan_sweep(small_sweep).done) == 0


def test_a_worker_of_another_version_that_joins_later_ends_the_sweep(small_sweep, empty_home, monkeypatch):
    monkeypatch.setattr(cluster, "check_workers", lambda client: None)
    monkeypatch.setattr(versions, "code", lambda: "0123456789ab")
    with scheduler(empty_home) as address, worker(address, empty_home), pytest.raises(ClusterError, match="another version"):
        studies.sweep(studies.plan_sweep(small_sweep), scheduler=address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://", "127.0.0.1"])
def test_a_scheduler_that_does_not_answer_is_named(address, small_sweep, empty_home, monkeypatch):
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(ClusterError, match="No scheduler answers") as raised:
        studies.sweep(studies.plan_sweep(small_sweep), scheduler=address)
    assert repr(address) in str(raised.value)


def test_a_store_that_cannot_be_written_to_is_told_before_anything_runs(small_sweep, empty_home, tmp_path, monkeypatch):
    plan = studies.plan_sweep(small_sweep)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ROBUSTPRUNE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreError, match="cannot be written to"):
        studies.sweep(plan, ONE, progress=lambda *_: pytest.fail("it began"))


def test_a_store_that_becomes_full_is_the_reason_of_what_fails_then(small_sweep, empty_home, monkeypatch):
    original = type(stores.store()).put

    def put(self, kind, key, document, fill=None):
        if kind == runs.KIND and document["spec"]["seed"] == 1:
            raise StoreError("base.verbatim", text="The store is full. Free some space.")
        return original(self, kind, key, document, fill)

    monkeypatch.setattr(type(stores.store()), "put", put)
    result = sweep(small_sweep)
    assert result.done == 3
    assert [outcome.error for outcome in result.failed] == ["The store is full. Free some space."] * 2
