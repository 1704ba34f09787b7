"""Compose: order, the part that can be cached, and errors that say where."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vesalia.errors import ConfigError, DataError, Fault, ResourceError
from vesalia.imaging.volume import Sample
from vesalia.testing.transforms import example_sample
from vesalia.transforms.base import Deterministic, Transform
from vesalia.transforms.compose import Compose
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio
from vesalia.transforms.intensity.normalize_nonzero_intensities import NormalizeNonzeroIntensities
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip


class Tag(Deterministic):
    def __init__(self, tag: str) -> None:
        self.tag = tag

    def transform(self, sample: Sample) -> Sample:
        return Sample(sample.fields, sample.name + self.tag, sample.files)


class Raises(Deterministic):
    def __init__(self, make: Callable[[], Exception]) -> None:
        self.make = make

    def transform(self, sample: Sample) -> Sample:
        raise self.make()


def _run(*steps: Transform[Any], sample: Sample | None = None) -> Sample:
    return Compose(steps)(sample or example_sample((4, 3)), torch.Generator().manual_seed(0))


def test_goes_in_order() -> None:
    assert _run(Tag("a"), Tag("b")).name == "subject0ab"


def test_no_steps_change_nothing() -> None:
    sample = example_sample((4, 3))
    assert _run(sample=sample) is sample
    assert Compose([]).deterministic


def test_splits_at_the_first_random_step() -> None:
    steps: list[Transform[Any]] = [Tag("a"), Tag("b"), RandomSpatialFlip("image"), Tag("c")]
    prefix, rest = Compose(steps).split_deterministic()
    assert [*prefix.transforms, *rest.transforms] == steps
    assert len(prefix.transforms) == 2
    assert prefix.deterministic
    assert not rest.deterministic


def test_all_deterministic_is_all_prefix() -> None:
    prefix, rest = Compose([Tag("a")]).split_deterministic()
    assert (len(prefix.transforms), len(rest.transforms)) == (1, 0)


def test_split_parts_do_what_the_whole_does() -> None:
    whole = Compose([NormalizeNonzeroIntensities("image"), RandomSpatialFlip(["image", "label"], probability=0.9)])
    prefix, rest = whole.split_deterministic()
    sample = example_sample((4, 3))
    one = whole(sample, torch.Generator().manual_seed(5))
    two = rest(prefix(sample, torch.Generator()), torch.Generator().manual_seed(5))
    assert torch.equal(one["image"].data, two["image"].data)


def test_prepares_every_step() -> None:
    crop = CropByPosNegRatio((2, 2), "image")
    prepared = Compose([Tag("a"), crop]).prepare(example_sample((4, 3))).prepared
    assert prepared.keys() == crop.prepare(example_sample((4, 3))).prepared.keys()
    assert prepared


def test_a_data_error_says_step_subject_and_files() -> None:
    fault = Fault("a.nii", found="nothing")
    sample = Sample(name="spleen_8", files={"image": (Path("a.nii"), Path("b.nii"))})
    with pytest.raises(DataError) as caught:
        _run(Raises(lambda: DataError("found nothing", faults=[fault])), sample=sample)
    assert caught.value.message == "spleen_8 (a.nii, b.nii): Raises: found nothing"
    assert caught.value.faults == (fault,)


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, KeyError, TypeError, ZeroDivisionError])
def test_a_foreign_error_becomes_a_data_error(kind: type[Exception]) -> None:
    with pytest.raises(DataError, match=f"subject0: Raises: found an error .{kind.__name__}") as caught:
        _run(Raises(lambda: kind("odd")))
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize("kind", [ResourceError, ConfigError])
def test_other_errors_of_ours_pass(kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^disk$"):
        _run(Raises(lambda: kind("disk")))


_SAID = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 7000 bytes"


@pytest.mark.parametrize(("error", "needed"), [(MemoryError(), r"\d+ bytes"), (RuntimeError(_SAID), "7 kB")])
def test_memory_that_runs_out_is_no_fault_of_the_data(
    error: Exception, needed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vesalia.runtime.machine.available_memory_bytes", lambda: 5000)
    said = rf"subject0: Raises: found too little memory for this subject \(needed {needed}, had 5 kB\), expected room"
    with pytest.raises(ResourceError, match=said):
        _run(Raises(lambda: error))


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(
        DataError, match=r"NormalizeNonzeroIntensities: .*found no field 'ct', expected one of: image, label"
    ):
        _run(NormalizeNonzeroIntensities("ct"))


def test_preparing_says_where_as_well() -> None:
    with pytest.raises(DataError, match="subject0: CropByPosNegRatio: "):
        Compose([CropByPosNegRatio((2, 2), "image", label_field="mask")]).prepare(example_sample((4, 3)))
