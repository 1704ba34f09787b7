"""Records beside predictions: what they say, when they are there, and what they keep apart."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vesalia.components.writers.base import Writer
from vesalia.errors import DataError, ResourceError
from vesalia.imaging.volume import Sample
from vesalia.inference.predictions import RECORD_FILE, Predictions
from vesalia.mmar.plan import EvaluatePlan
from vesalia.pipelines.datalist import DataItem


class Note(Writer):
    """Writes the subject's name."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken

    def path(self, subject: str, folder: Path) -> Path:
        return folder / f"{subject}.txt"

    def write(self, sample: Sample, folder: Path) -> Path:
        path = self.path(sample.name, folder)
        folder.mkdir(exist_ok=True)
        path.write_text(sample.name)
        if self.broken:
            raise ResourceError("full")
        return path


@pytest.fixture
def item(tmp_path: Path) -> DataItem:
    image, label = tmp_path / "scan.nii", tmp_path / "label.nii"
    image.write_text("image")
    label.write_text("label")
    return DataItem("scan", {"image": (image,), "label": (label,)}, {})


def of(plan: EvaluatePlan, *, weights: str = "a", broken: bool = False) -> Predictions:
    return Predictions.by(plan, writers=[Note(broken=broken)], weights_sha256=weights)


def written(predictions: Predictions, item: DataItem) -> tuple[Path, ...]:
    return predictions.write(Sample(name=item.name, files=item.files), predictions.record(item.files))


def test_what_was_written_is_known_again(plan: EvaluatePlan, item: DataItem) -> None:
    assert not of(plan).hold(item)
    (path,) = written(of(plan), item)
    assert path == plan.output_dir / "scan.txt"
    record = json.loads((plan.output_dir / "scan" / RECORD_FILE).read_text())
    status = item.files["image"][0].stat()
    assert record["weights_sha256"] == "a"
    assert record["files"] == {
        "image": [{"path": str(item.files["image"][0]), "bytes": 5, "mtime_ns": status.st_mtime_ns}]
    }
    assert of(plan).hold(item)


def test_judging_makes_the_same_predictions(plan: EvaluatePlan, item: DataItem) -> None:
    written(of(plan), item)
    raw = {**plan.raw, "do_validation": False, "output_infer_result": True, "val_metrics": [], "DATA_LIST_KEY": "test"}
    assert of(replace(plan, raw=raw)).hold(item)


def remove_files(plan: EvaluatePlan, item: DataItem) -> None:  # noqa: ARG001
    (plan.output_dir / "scan.txt").unlink()


def change_image(plan: EvaluatePlan, item: DataItem) -> None:  # noqa: ARG001
    item.files["image"][0].write_text("another image")


def touch_image(plan: EvaluatePlan, item: DataItem) -> None:  # noqa: ARG001
    os.utime(item.files["image"][0], ns=(5, 5))


def remove_image(plan: EvaluatePlan, item: DataItem) -> None:  # noqa: ARG001
    item.files["image"][0].unlink()


def write_nonsense(plan: EvaluatePlan, item: DataItem) -> None:  # noqa: ARG001
    (plan.output_dir / "scan" / RECORD_FILE).write_text("[1,")


def write_others(plan: EvaluatePlan, item: DataItem) -> None:
    written(of(plan, weights="b"), item)


@pytest.mark.parametrize(
    "change", [remove_files, change_image, touch_image, remove_image, write_nonsense, write_others]
)
def test_what_is_not_the_same_is_not_kept(
    plan: EvaluatePlan, item: DataItem, change: Callable[[EvaluatePlan, DataItem], Any]
) -> None:
    written(of(plan), item)
    change(plan, item)
    assert not of(plan).hold(item)


def test_another_config_or_image_is_told_apart(plan: EvaluatePlan, item: DataItem, tmp_path: Path) -> None:
    written(of(plan), item)
    assert not of(replace(plan, raw={**plan.raw, "batch_size": 2})).hold(item)
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / "scan.nii"
    other.hardlink_to(item.files["image"][0])
    assert not of(plan).hold(replace(item, files={"image": (other,)}))


def test_a_label_takes_no_part(plan: EvaluatePlan, item: DataItem) -> None:
    written(of(plan), item)
    item.files["label"][0].unlink()
    assert of(plan).hold(item)
    assert of(plan).hold(replace(item, files={"image": item.files["image"]}))


def test_an_old_record_does_not_speak_of_new_files(plan: EvaluatePlan, item: DataItem) -> None:
    written(of(plan), item)
    with pytest.raises(ResourceError):
        written(of(plan, weights="b", broken=True), item)
    assert (plan.output_dir / "scan.txt").is_file()
    assert not of(plan).hold(item)
    assert not of(plan, weights="b").hold(item)


def test_without_writers_nothing_is_written(plan: EvaluatePlan, item: DataItem) -> None:
    predictions = Predictions.by(plan, writers=[], weights_sha256="a")
    assert written(predictions, item) == ()
    assert not plan.output_dir.exists()


def test_an_image_that_went_away_is_a_data_error(plan: EvaluatePlan, item: DataItem) -> None:
    item.files["image"][0].unlink()
    with pytest.raises(DataError, match=r"scan.nii: found no readable file"):
        of(plan).record(item.files)


def test_a_folder_that_cannot_be_written_is_told(plan: EvaluatePlan, item: DataItem) -> None:
    plan.output_dir.mkdir()
    (plan.output_dir / "scan").touch()
    with pytest.raises(ResourceError, match=RECORD_FILE):
        written(of(plan), item)


@pytest.mark.parametrize("name", ["..", "../scan", "/scan"])
def test_a_name_never_leads_out_of_the_folder(plan: EvaluatePlan, item: DataItem, name: str) -> None:
    with pytest.raises(DataError, match="leads out of its folder"):
        written(of(plan), replace(item, name=name))
    assert not plan.output_dir.exists()
