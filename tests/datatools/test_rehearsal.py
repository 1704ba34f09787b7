"""What is wrong with components, and with patterns of frozen parameters, is told before data is read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny_archive import make_archive, make_data
from vesalia.datatools.rehearsal import rehearse_plan
from vesalia.errors import ConfigError
from vesalia.mmar.validate import plan_evaluation, plan_training


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A sound archive."""
    return make_archive(tmp_path / "archive", make_data(tmp_path / "data"))


def test_sound_plans_pass(archive: Path) -> None:
    rehearse_plan(plan_training(archive, overrides=["frozen_parameters=network.convInit.*"]))
    rehearse_plan(plan_evaluation(archive))


def test_a_pattern_that_matches_nothing_is_told_with_the_near_name(archive: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rehearse_plan(plan_training(archive, overrides=["frozen_parameters=network.convInt.*"]))
    (fault,) = caught.value.faults
    assert (fault.file, fault.key) == ("config/config_train.json", "frozen_parameters")
    assert fault.write == '"network.convInit.*" (did you mean this?)'
