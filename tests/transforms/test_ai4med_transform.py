"""Custom transforms for v3: run unchanged, with dice from the run's seed, whatever the threads do."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ai4med.common.constants import ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat
from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.components.transforms.transformer import Transformer
from ai4med.utils.dtype_utils import str_to_dtype
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.target import Brought
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.ai4med_transform import Ai4medTransform
from vesalia.transforms.compose import Compose


class AddRandomConstant(MultiFieldTransformer):
    """The way v3's custom transforms are written: shared dice, an array changed in place, an image of it."""

    def __init__(self, fields: str | list[str], magnitude: float, dtype: str = "float32") -> None:
        MultiFieldTransformer.__init__(self, fields)
        self._magnitude, self._dtype = magnitude, str_to_dtype(dtype)

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        for field in self.fields:
            image = transform_ctx.get_image(field)
            data = image.get_data()
            data += self._magnitude * np.random.uniform(-1, 1) + random.uniform(-1, 1)  # noqa: NPY002 - as in v3
            transform_ctx.set_image(field, image.new_image(data.astype(self._dtype), image.get_shape_format()))
        return transform_ctx

    def is_deterministic(self) -> bool:
        return False


class Negate(MultiFieldTransformer):
    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        for field in self.fields:
            image = transform_ctx[field]
            image.set_data(-image.get_data(), image.get_shape_format())
        return transform_ctx


class NumpyLoader(MultiFieldTransformer):
    def __init__(self, fields: str | list[str], shape: str = "DHW", dtype: str = "float32") -> None:
        super().__init__(fields)
        self._shape, self._dtype = ShapeFormat(shape), str_to_dtype(dtype)

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        for field in self.fields:
            name = transform_ctx[field]
            data = np.load(name).astype(self._dtype)
            image = MedicalImage(data, self._shape)
            image.set_property(ImageProperty.ORIGINAL_SHAPE, data.shape)
            image.set_property(ImageProperty.FILENAME, name)
            transform_ctx.set_image(field, image)
        return transform_ctx


class Work(Transformer):
    """Any function of the context as a transform."""

    def __init__(self, work: Callable[[TransformContext], Any]) -> None:
        self._work = work

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        result: TransformContext = self._work(transform_ctx)
        return result


def adapted(made_of: type, *, throws_dice: bool = True, **arguments: Any) -> Ai4medTransform:
    return Ai4medTransform(Brought(made_of, made_of.__name__, Path(__file__), throws_dice=throws_dice), **arguments)


def run(transform: Ai4medTransform, sample: Sample, seed: int = 0) -> Sample:
    return transform(sample, torch.Generator().manual_seed(seed))


class TestRandom(TransformSuite):
    def make(self, dims: int) -> Ai4medTransform:
        return adapted(AddRandomConstant, fields="image", magnitude=3)


class TestDeterministic(TransformSuite):
    def make(self, dims: int) -> Ai4medTransform:
        return adapted(Negate, throws_dice=False, fields=["image"])


def test_the_name_and_the_determinism_are_those_of_the_custom_code() -> None:
    assert (TestRandom().make(3).called, TestRandom().make(3).deterministic) == ("AddRandomConstant", False)
    assert TestDeterministic().make(3).deterministic is True


def test_shared_dice_are_put_back() -> None:
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002 - what custom code for v3 draws from
    expected = (random.random(), np.random.rand())  # noqa: NPY002 - the same
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002 - the same
    run(TestRandom().make(3), example_sample((4, 4, 4)))
    with pytest.raises(DataError):
        run(adapted(Work, work=lambda _: 1 / 0), example_sample((4, 4, 4)))
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002 - the same


def test_threads_change_nothing() -> None:
    sample, transform = example_sample((6, 6, 6)), TestRandom().make(3)
    alone = [run(transform, sample, seed)["image"].data for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda seed: run(transform, sample, seed)["image"].data, range(40)))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))


def test_each_crop_of_a_batch_has_dice_of_its_own() -> None:
    crops = Volume(torch.zeros(5, 1, 4, 4, 4), channel="first", batched=True)
    done = run(TestRandom().make(3), Sample({"image": crops}))["image"]
    assert (done.batched, done.channel, done.data.shape) == (True, "first", crops.data.shape)
    assert len(done.data[:, 0, 0, 0, 0].unique()) == 5


def test_in_a_batch_every_crop_is_an_image_of_its_own_and_other_fields_stay() -> None:
    seen = []

    def work(context: TransformContext) -> TransformContext:
        image = context.get_image("image")
        seen.append((str(image.get_shape_format()), context["grade"].tolist()))
        context.set_image("double", image.new_image(image.get_data() * 2))
        return context

    crops = Volume(torch.ones(2, 1, 4, 4, 4), channel="first", batched=True)
    label, grade = Volume(crops.data.clone(), channel="first", batched=True), Volume(torch.ones(3), channel="first")
    before = Sample({"image": crops, "label": label, "grade": grade})
    after = run(adapted(Work, work=work), before)
    assert seen == [("CDHW", [1.0, 1.0, 1.0])] * 2
    assert after["label"] is label
    assert after["double"].data.shape == (2, 1, 4, 4, 4)
    assert (after["double"].source, after["double"].affine, after["double"].data[0, 0, 0, 0, 0].item()) == (
        None,
        None,
        2,
    )


def test_a_loader_reads_the_path_that_the_data_list_gave(tmp_path: Path) -> None:
    file = tmp_path / "case.npy"
    np.save(file, np.arange(24).reshape(2, 3, 4))
    before = Sample(name="case", files={"image": (file,)})
    volume = run(adapted(NumpyLoader, fields="image", throws_dice=False), before)["image"]
    assert (volume.channel, volume.spatial_shape, volume.data.dtype) == ("none", (2, 3, 4), torch.float32)
    assert volume.affine is not None  # 1 mm, so that it can be resampled and written
    assert np.array_equal(volume.affine, np.eye(4))
    assert volume.source is not None
    assert (volume.source.paths, volume.source.grid.shape) == ((file,), (2, 3, 4))


def test_an_error_tells_class_file_and_line() -> None:
    def work(context: TransformContext) -> TransformContext:
        raise ValueError(f"no {len(context)}")

    line = work.__code__.co_firstlineno + 1
    sample = Sample(example_sample((4, 4, 4)).fields, "case_1")
    with pytest.raises(DataError) as caught:
        Compose([adapted(Work, work=work)])(sample, torch.Generator())
    assert str(caught.value) == (
        "case_1: Work: found an error of its own code: ValueError: no 2 (transforms/test_ai4med_transform.py, "
        f"line {line}); check its arguments, these files and that line"
    )


def test_errors_of_ours_and_of_memory_stay_what_they_are() -> None:
    def ours(_: TransformContext) -> TransformContext:
        raise DataError("no such thing")

    def memory(_: TransformContext) -> TransformContext:
        raise MemoryError

    sample = example_sample((4, 4, 4))
    with pytest.raises(DataError, match=r"^no such thing$"):
        run(adapted(Work, work=ours), sample)
    with pytest.raises(MemoryError):
        run(adapted(Work, work=memory), sample)


def test_a_transform_must_give_back_the_context() -> None:
    with pytest.raises(DataError, match="found NoneType as the result of its transform, expected the context"):
        run(adapted(Work, work=lambda _: None), example_sample((4, 4, 4)))


@pytest.mark.parametrize("how", ["another shape", "no image"])
def test_crops_of_different_shapes_cannot_be_one_batch(how: str) -> None:
    seen: list[int] = []

    def work(context: TransformContext) -> TransformContext:
        image = context.get_image("image")
        seen.append(1)
        if how == "another shape":
            context.set_image("image", image.new_image(image.get_data()[:, len(seen) :]))
        elif len(seen) == 1:
            context["image"] = "a.npy"
        return context

    crops = Volume(torch.ones(2, 1, 4, 4, 4), channel="first", batched=True)
    with pytest.raises(DataError, match="expected one shape and type for all crops of a batch"):
        run(adapted(Work, work=work), Sample({"image": crops}))


def test_a_custom_crop_may_give_a_batch() -> None:
    def work(context: TransformContext) -> TransformContext:
        image = context.get_image("image")
        context.set_image("image", image.new_image(np.stack([image.get_data()] * 3), ShapeFormat("NCDHW")))
        return context

    after = run(adapted(Work, work=work), example_sample((4, 4, 4)))["image"]
    assert (after.batched, after.data.shape, after.affine) == (True, (3, 2, 4, 4, 4), None)


@pytest.mark.parametrize("name", ["image", "label"])
def test_fields_that_nobody_asked_for_are_not_copied(name: str) -> None:
    sample = example_sample((4, 4, 4))
    after = run(adapted(Work, work=lambda context: context), sample)
    assert after[name] is sample[name]
