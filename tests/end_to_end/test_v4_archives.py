"""Archives of v4 from check to evaluation: each of the public kind trains, validates and saves."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.mmar.v4.archives import ARCHIVES, EVALUATE, SPLEEN, changed, make
from vesalia import Archive
from vesalia.errors import ConfigError


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHIVES)
def test_an_epoch_trains_validates_and_saves(tmp_path: Path, name: str) -> None:
    archive = Archive(make(tmp_path, name))
    report = archive.check()
    assert report.ok, report.faults
    assert "a config of Clara Train v4" in str(report.warnings[0])
    result = archive.train(device="cpu")
    assert (result.epochs, result.best_epoch) == (1, 1)
    assert result.best_model is not None
    assert result.best_model.is_file()
    assert result.last_model.is_file()


@pytest.mark.slow
def test_evaluation_judges_as_validation_did_and_writes(tmp_path: Path) -> None:
    archive = Archive(make(tmp_path, evaluate=EVALUATE, train=changed(SPLEEN, amp=False)))
    trained = archive.train(device="cpu")
    judged = archive.evaluate(device="cpu")
    assert judged.metrics["val_mean_dice"].overall.mean == pytest.approx(trained.best_metric, abs=1e-6)
    written = archive.infer(device="cpu")
    assert sorted(path.name for case in written.cases for path in case.files) == [
        "image4_model.nii.gz",
        "image5_model.nii.gz",
    ]


def test_arguments_that_monai_refuses_are_told_by_the_users_own_key_path(tmp_path: Path) -> None:
    wrong = {"name": "Spacingd", "args": {"keys": ["image", "label"], "pixdims": [1, 1, 1]}}
    config = changed(SPLEEN, train__pre_transforms__3=wrong, validate__pre_transforms=[])
    with pytest.raises(ConfigError) as caught:
        Archive(make(tmp_path, train=config)).check()
    assert caught.value.faults[0].key == "train.pre_transforms[3].args.pixdims"
    assert "pixdim (did you mean this?)" in str(caught.value)
