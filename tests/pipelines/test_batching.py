"""Batches: stacked, merged or made by the chain, and words where the three do not agree."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.pipelines.fakes import as_it_is, merge, sample
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.batching import Batcher

DICE = torch.Generator()


def crops(name: str, count: int = 3) -> Sample:
    fields = {
        field: Volume(torch.ones(count, 1, 4, 4, 4), channel="first", batched=True) for field in ("image", "label")
    }
    return Sample(fields, name=name)


def test_samples_are_stacked() -> None:
    samples = [sample(f"c{n}", image=torch.full((1, 2, 3, 4), float(n))) for n in range(3)]
    batch = Batcher(as_it_is)(samples, DICE)
    assert batch.fields["image"].shape == (3, 1, 2, 3, 4)
    assert batch.fields["image"][:, 0, 0, 0, 0].tolist() == [0, 1, 2]
    assert batch.names == ("c0", "c1", "c2")


@pytest.mark.parametrize(("channel", "shape"), [("none", (2, 3, 4)), ("last", (2, 3, 4, 1)), ("first", (1, 2, 3, 4))])
def test_every_layout_becomes_channels_first(channel: str, shape: tuple[int, ...]) -> None:
    volume = Volume(torch.arange(24.0).reshape(shape), channel=channel)  # type: ignore[arg-type]
    batch = Batcher(as_it_is)([Sample({"image": volume}, name="c")] * 2, DICE)
    assert batch.fields["image"].shape == (2, 1, 2, 3, 4)
    assert torch.equal(batch.fields["image"][1].flatten(), torch.arange(24.0))


def test_two_dimensions() -> None:
    batch = Batcher(as_it_is)([sample(image=torch.zeros(3, 8, 9))] * 2, DICE)
    assert batch.fields["image"].shape == (2, 3, 8, 9)


def test_batch_by_transform_v2() -> None:
    batch = Batcher(as_it_is, batched_by_transforms=True)([crops("a")], DICE)
    assert batch.fields["label"].shape == (3, 1, 4, 4, 4)
    assert batch.names == ("a", "a", "a")


def test_batch_by_transform_v3() -> None:
    batch = Batcher(merge)([crops("a"), crops("b")], DICE)
    assert batch.fields["image"].shape == (6, 1, 4, 4, 4)
    assert batch.names == ("a", "a", "a", "b", "b", "b")


def test_forgotten_merge_is_said_so() -> None:
    with pytest.raises(ConfigError, match=r"found \[2, 3, 1, 4, 4, 4\], 6 axes, expected 5 axes.*MergeBatchDims"):
        Batcher(as_it_is)([crops("a"), crops("b")], DICE)


def test_merge_of_what_is_merged_is_said_so() -> None:
    with pytest.raises(ConfigError, match=r"expected 5 axes; MergeBatchDims met data that has one batch axis only"):
        Batcher(merge, batched_by_transforms=True)([crops("a")], DICE)
    with pytest.raises(ConfigError, match="no MergeBatchDims"):
        Batcher(merge)([sample(image=torch.zeros(1, 4, 4, 4))], DICE)


def test_no_crop_makes_the_batch_that_is_promised() -> None:
    with pytest.raises(ConfigError, match=r"batched_by_transforms: found true, and a chain that gives one image"):
        Batcher(as_it_is, batched_by_transforms=True)([sample(image=torch.zeros(1, 4, 4, 4))], DICE)


def test_shapes_that_differ_name_both_subjects() -> None:
    samples = [sample("a", image=torch.zeros(1, 4, 4, 4)), sample("b", image=torch.zeros(1, 4, 4, 5))]
    with pytest.raises(DataError, match=r"\[1, 4, 4, 4\] in a and \[1, 4, 4, 5\] in b.*crop.*output_batch_size: 1"):
        Batcher(as_it_is)(samples, DICE)
    with pytest.raises(DataError, match="one shape"):
        Batcher(merge)([crops("a"), crops("b", count=2)], DICE)


def test_fields_that_differ_name_the_subject() -> None:
    one = sample("a", image=torch.zeros(1, 4, 4, 4), label=torch.zeros(1, 4, 4, 4))
    with pytest.raises(DataError, match=r"^b: found the fields image, and image, label in a"):
        Batcher(as_it_is)([one, sample("b", image=torch.zeros(1, 4, 4, 4))], DICE)


def test_a_chain_that_loads_nothing() -> None:
    with pytest.raises(ConfigError, match=r"no transform that loads a field of a, .*LoadNifti"):
        Batcher(as_it_is)([Sample(name="a")], DICE)


def test_number_formats() -> None:
    now = sample(image=torch.zeros(1, 2, 2, 2, dtype=torch.int16), label=torch.zeros(1, 2, 2, 2, dtype=torch.uint8))
    batch = Batcher(as_it_is, image_dtype=torch.float16)([now], DICE)
    assert (batch.fields["image"].dtype, batch.fields["label"].dtype) == (torch.float16, torch.uint8)


def test_samples_stay_as_they_are() -> None:
    now = sample(image=torch.zeros(1, 2, 2, 2))
    before = now["image"].data.clone()

    def scribble(whole: Sample, generator: torch.Generator) -> Sample:
        data = whole["image"].data.add_(torch.rand(1, generator=generator))
        return whole.with_fields(image=replace(whole["image"], data=data))

    Batcher(scribble)([now, now], torch.Generator())
    assert torch.equal(now["image"].data, before)


def vector(*numbers: float) -> Volume:
    return Volume(torch.tensor(numbers), channel="first")


def test_label_vectors_are_stacked_beside_images() -> None:
    rows = [sample(f"c{n}", image=torch.zeros(1, 8, 9)).with_fields(label=vector(n, 1)) for n in range(3)]
    batch = Batcher(as_it_is)(rows, DICE)
    assert batch.fields["image"].shape == (3, 1, 8, 9)
    assert batch.fields["label"].tolist() == [[0, 1], [1, 1], [2, 1]]


def labelled_crops(name: str, number: float) -> Sample:
    return Sample({"image": crops(name)["image"], "label": vector(number)}, name=name)


def test_the_crops_of_an_image_have_its_label_each() -> None:
    by_transforms = Batcher(as_it_is, batched_by_transforms=True)([labelled_crops("a", 1)], DICE)
    merged = Batcher(merge)([labelled_crops("a", 1), labelled_crops("b", 2)], DICE)
    assert by_transforms.fields["label"].tolist() == [[1]] * 3
    assert merged.fields["label"].tolist() == [[1]] * 3 + [[2]] * 3
    assert merged.names == ("a", "a", "a", "b", "b", "b")


def test_vectors_of_differing_length_name_both_subjects() -> None:
    one, other = (sample(name, image=torch.zeros(1, 8, 9)) for name in ("one", "other"))
    with pytest.raises(DataError, match=r"found \[1\] in one and \[2\] in other"):
        Batcher(as_it_is)([one.with_fields(label=vector(0)), other.with_fields(label=vector(0, 1))], DICE)


def test_a_label_vector_alone_is_nothing_loaded() -> None:
    with pytest.raises(ConfigError, match="no transform that loads a field of a"):
        Batcher(as_it_is)([Sample({"label": vector(1)}, name="a")], DICE)
