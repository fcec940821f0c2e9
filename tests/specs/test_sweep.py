"""Sweep files: what they ask for, and that whatever is wrong is named before anything runs."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robustprune.base.errors import SpecError
from robustprune.specs.sweep import MAX_BYTES, SweepSpec

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "assets" / "sweeps").glob("*.yaml"))
LEAST = "starts: [sst2-soup]\nsparsities: [0.5]\n"


def parse(more="", least=LEAST):
    return SweepSpec.parse(least + more, "my.yaml")


def prunings(spec):
    return spec.prunings(spec.starts[0], spec.datasets[0])


def test_the_runs_are_the_product_of_the_lists():
    spec = parse("methods: [admm, wanda]\ncalibrations: [64, 128]\nseeds: [0, 1, 2]\npatterns: ['2:4']\n")
    found = prunings(spec)
    assert spec.size == len(found) == len(set(found)) == 2 * 2 * 2 * 3
    assert {(one.method, one.adaptive) for one in found} == {("admm", "full"), ("wanda", "hessian")}
    assert {one.asked for one in found} == {"50%", "2:4"}


def test_settings_that_come_to_the_same_run_are_run_once():
    spec = parse("adaptive: [published, full]\n")
    assert (spec.size, len(prunings(spec))) == (2, 1)


def test_one_value_by_itself_is_a_list_of_one():
    assert SweepSpec.parse("starts: sst2-soup\nsparsities: 0.5\n") == parse()


def test_every_attack_uses_what_is_on_any_machine_and_the_same_seed():
    spec = parse("attack: {recipes: [textfooler, deepwordbug], seed: 3}\n")
    assert {(attack.resources, attack.seed) for attack in spec.attack.specs} == {("built-in", 3)}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_can_be_read_and_attacks_by_synonyms_and_by_characters(path):
    spec = SweepSpec.read(path)
    assert spec.attack.recipes == ("textfooler", "deepwordbug")
    assert spec.size > 10
    assert prunings(spec)


def test_table_1_has_every_method_and_the_papers_sparsities():
    from robustprune.specs.methods import METHODS
    from robustprune.specs.train import BASELINE_NAMES

    spec = SweepSpec.read(next(path for path in SHIPPED if path.stem == "table1"))
    assert (set(spec.methods), set(spec.baselines), spec.sparsities) == (set(METHODS), set(BASELINE_NAMES), (0.3, 0.5, 0.875))
    assert {path.stem for path in SHIPPED} == {f"{name}{size}" for name in ("table1", "figure3", "figure4") for size in ("", "-small")}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sparsitys: [0.3]", ("'sparsitys'", "Did you mean 'sparsities'")),
        ("attack: {recipe: [textfooler]}", ("'recipe'", "Did you mean 'recipes'")),
        ("attack: textfooler", ("my.yaml, attack", "str")),
        ("methods: []", ("methods", "empty")),
        ("seeds: []", ("seeds", "empty")),
        ("patterns: []", ("patterns", "empty")),
        ("methods: [magic]", ("'magic'", "admm")),
        ("adaptive: [half]", ("'half'", "published")),
        ("sparsities: [0.5]", ("sparsities", "twice")),
        ("seeds: [1, 1]", ("seeds", "twice")),
        ("seeds: [-1]", ("-1", "seed")),
        ("seeds: [true]", ("True",)),
        ("seeds: [[1]]", ("[1]", "only names and numbers")),
        ("calibrations: [3]", ("3", "16")),
        ("patterns: ['4:2']", ("'4:2'",)),
        ("baselines: [magic]", ("'magic'", "imp")),
        ("attack: {recipes: [magic]}", ("'magic'", "textfooler")),
        ("attack: {examples: 0}", ("0", "texts")),
        ("keep_weights: perhaps", ("'perhaps'", "true or false")),
        ("rows: many", ("'many'",)),
        ("seeds: [0, 1", ("my.yaml, line", "not YAML")),
        ("seeds: *unknown", ("not YAML",)),
        ("seeds: !!python/object/apply:os.system [ls]", ("not YAML",)),
        ("\tseeds: [0]", ("my.yaml, line 3",)),
    ],
)
def test_what_is_wrong_is_named(text, named):
    with pytest.raises(SpecError) as raised:
        parse(text)
    for part in named:
        assert part in str(raised.value)


@pytest.mark.parametrize("text", ["", "- a", "just words", "starts: [sst2-soup]", "sparsities: [0.5]", "starts: []\nsparsities: [0.5]"])
def test_a_file_that_asks_for_nothing_says_what_is_needed(text):
    with pytest.raises(SpecError):
        SweepSpec.parse(text)


def test_a_sparsity_in_per_cent_is_refused_by_name():
    with pytest.raises(SpecError, match="50"):
        SweepSpec.parse("starts: [sst2-soup]\nsparsities: [50]\n")


def test_a_million_runs_are_refused_at_once_with_the_lists_that_make_them():
    with pytest.raises(SpecError, match=r"1,000,000 runs.*1000 calibrations, 1000 seeds.*10,000"):
        parse(f"calibrations: {list(range(16, 1016))}\nseeds: {list(range(1000))}\n")


def test_a_file_that_is_no_file_is_told(tmp_path):
    with pytest.raises(SpecError, match="no sweep file"):
        SweepSpec.read(tmp_path / "nothing.yaml")
    with pytest.raises(SpecError, match="cannot be read"):
        SweepSpec.read(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("starts: [é]".encode("latin-1"))
    with pytest.raises(SpecError, match="UTF-8"):
        SweepSpec.read(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(SpecError, match="bytes"):
        SweepSpec.read(tmp_path / "large.yaml")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from([field.name for field in fields(SweepSpec)])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(FIELDS, PLAIN, max_size=4))
def test_whatever_a_file_holds_it_is_a_sweep_or_a_sentence(value):
    import yaml

    try:
        SweepSpec.parse(yaml.safe_dump({"starts": ["sst2-soup"], "sparsities": [0.5], **value}))
    except SpecError as error:
        assert str(error)


@given(st.text(max_size=60))
def test_whatever_text_it_is_too(text):
    try:
        SweepSpec.parse(text)
    except SpecError as error:
        assert str(error)
