"""Settings, sweep files and traces that are made to do harm: refused with a sentence, at once."""

import pytest

from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.specs.sweep import SweepSpec
from robustprune.specs.train import TrainSpec
from tests.trust.hostile import specs
from tests.trust.hostile.data import draw


@pytest.mark.parametrize("name", specs.SWEEPS)
@pytest.mark.timeout(60)
def test_a_sweep_file_that_does_harm_is_refused(name):
    specs.refused_or_made(SweepSpec.parse)(specs.SWEEPS[name])


@pytest.mark.parametrize("cls", [PruneSpec, AttackSpec, TrainSpec])
def test_settings_drawn_by_chance_are_a_spec_or_a_sentence(cls):
    draw(specs.refused_or_made(cls.from_json), specs.of_fields(cls), examples=100)


@pytest.mark.parametrize("part", range(4))
def test_a_trace_that_was_changed_is_refused_or_can_be_shown(part):
    for number in range(part * 100, part * 100 + 100):
        specs.check_trace(number)
