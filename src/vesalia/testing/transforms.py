"""What every transform must do: inherit :class:`TransformSuite`, say how yours is made, and it is tested."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields, is_dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import pytest
import torch

from vesalia.imaging.geometry import Affine
from vesalia.imaging.volume import ChannelAxis, Sample, Volume
from vesalia.testing.claims import claim
from vesalia.transforms.base import Invertible, Transform
from vesalia.transforms.compose import Compose
from vesalia.transforms.fusion.chain import FusedChain
from vesalia.transforms.fusion.work import Fusible

__all__ = ["TransformSuite", "cubic_sample", "example_sample", "oblique_affine", "row"]

SHAPES = ((7, 6), (8, 6, 5))
INVERSE_SHAPES = ((13, 12), (12, 11, 13))
_SEEDS = range(8)
_Parameters = TypeVar("_Parameters")


def oblique_affine(*, seed: int = 0) -> Affine:
    """An affine with unequal spacings, a rotation and an offset."""
    random = np.random.default_rng(seed)
    rotation = np.linalg.qr(random.normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3] = rotation * np.array([1.5, 0.8, 2.0])
    affine[:3, 3] = random.normal(size=3) * 50
    return affine


def example_sample(shape: tuple[int, ...], *, seed: int = 0) -> Sample:
    """A subject with an image of two channels and a label of three classes, both channels first."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(2, *shape, generator=generator) + 0.5
    label = torch.randint(0, 3, (1, *shape), generator=generator).to(torch.uint8)
    affine = oblique_affine(seed=seed)
    volumes = {name: Volume(data, affine, "first") for name, data in (("image", image), ("label", label))}
    return Sample(volumes, name=f"subject{seed}")


def cubic_sample(shape: tuple[int, ...], *, seed: int = 0) -> Sample:
    """An example sample whose voxels have edges of one length, so that a batch, which knows none, can be like it."""
    sample = example_sample(shape, seed=seed)
    affine = np.linalg.qr(oblique_affine(seed=seed)[:3, :3])[0]
    placed = np.eye(4)
    placed[:3, :3] = affine * 1.2
    return sample.with_fields(**{name: replace(volume, affine=placed) for name, volume in _items(sample)})


def row(parameters: _Parameters, index: int) -> _Parameters:
    """The parameters of one member of a batch: every tensor cut down to one row."""
    if not is_dataclass(parameters) or isinstance(parameters, type):
        return parameters
    values: dict[str, Any] = {each.name: getattr(parameters, each.name) for each in fields(parameters)}
    rows = {name: v[index : index + 1] for name, v in values.items() if isinstance(v, torch.Tensor) and v.ndim}
    return replace(parameters, **rows)


class TransformSuite(ABC):
    """Tests of a transform on channels-first samples, in 2D and 3D.

    Attributes:
        changes_places: Whether voxels may move or vanish; if not, shape and affine must stay.
        follows_affine: Whether the affine afterwards says where each voxel lies.
        makes_batch: Whether one volume becomes a batch of crops.
        takes_batch: Whether a batch of crops may come in.
        same_geometry: Whether image and label move alike, to the voxel.
        undoes_itself: Whether the same parameters a second time give back what there was.
        inverts: Whether the transform is ``Invertible``, and its inverse puts voxels back where they were.
        inverse_error_voxels: How far from where it was a voxel may lie after there and back.
        any_layout: Whether channels last give what channels first give.
    """

    changes_places: ClassVar[bool] = False
    follows_affine: ClassVar[bool] = True
    makes_batch: ClassVar[bool] = False
    takes_batch: ClassVar[bool] = True
    same_geometry: ClassVar[bool] = True
    undoes_itself: ClassVar[bool] = False
    inverts: ClassVar[bool] = False
    inverse_error_voxels: ClassVar[float] = 0.01
    any_layout: ClassVar[bool] = True

    @abstractmethod
    def make(self, dims: int) -> Transform[Any]:
        """The transform under test, for images of ``dims`` axes; random ones should nearly always act."""

    def sample(self, shape: tuple[int, ...], *, seed: int = 0) -> Sample:
        """What it is tested on."""
        return example_sample(shape, seed=seed)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The spatial shape it should make of ``shape``."""
        return shape

    def dtype_after(self, field: str, dtype: torch.dtype) -> torch.dtype:
        """The type it should make of ``dtype``."""
        return dtype

    def channel_after(self, channel: ChannelAxis) -> ChannelAxis:
        """The place it should make of a channel axis."""
        return channel

    def changed(self, dims: int) -> tuple[str, ...]:
        """The fields that change."""
        return tuple(getattr(self.make(dims), "fields", ()))

    def run(self, sample: Sample, *, seed: int = 0) -> Sample:
        """The transform's result by the dice of ``seed``."""
        transform = self.make(len(sample["image"].spatial_shape))
        return transform(sample, torch.Generator().manual_seed(seed))

    @pytest.mark.parametrize("shape", SHAPES)
    def test_gives_the_right_shape_and_type(self, shape: tuple[int, ...]) -> None:
        """Spatial shape, channels, type, and layout of the result."""
        before = self.sample(shape)
        after = self.run(before)
        for name in self.changed(len(shape)):
            old, new = before[name], after[name]
            wanted = self.shape_after(shape)
            claim(new.spatial_shape == wanted, f"{name}: found shape {new.spatial_shape}, expected {wanted}")
            kind = self.dtype_after(name, old.data.dtype)
            claim(new.data.dtype == kind, f"{name}: found {new.data.dtype}, expected {kind}")
            channel = self.channel_after(old.channel)
            claim(new.channel == channel, f"{name}: found channel {new.channel!r}, expected {channel!r}")
            batched = old.batched or self.makes_batch
            claim(new.batched == batched, f"{name}: found batched {new.batched}, expected {batched}")

    @pytest.mark.parametrize("shape", SHAPES)
    def test_leaves_its_input_alone(self, shape: tuple[int, ...]) -> None:
        """Neither the tensors nor the affines of the input change, nor do fields that are not listed."""
        before = self.sample(shape)
        copies = {name: (v.data.clone(), None if v.affine is None else v.affine.copy()) for name, v in _items(before)}
        after = self.run(before)
        for name, volume in _items(before):
            data, affine = copies[name]
            claim(torch.equal(volume.data, data), f"{name}: found the input changed in place, expected it untouched")
            claim(affine is None or np.array_equal(volume.placed, affine), f"{name}: found its affine changed in place")
            if name not in self.changed(len(shape)):
                claim(after[name] is volume, f"{name}: found it replaced, expected only the listed fields to change")

    @pytest.mark.parametrize("shape", SHAPES)
    def test_depends_on_its_generator_alone(self, shape: tuple[int, ...]) -> None:
        """The same seed gives the same bits; a random transform gives something else for some other seed."""
        sample = self.sample(shape)
        first, again = self.run(sample), self.run(sample)
        torch.manual_seed(12345)
        others = [self.run(sample, seed=seed) for seed in _SEEDS]
        claim(_equal(first, again), "found two results for one seed, expected the same bits")
        claim(_equal(first, others[0]), "found a result that depends on torch's global seed")
        varies = not all(_equal(first, other) for other in others)
        random = not self.make(len(shape)).deterministic
        claim(varies == random, f"found results that vary: {varies}, expected {random}")

    @pytest.mark.parametrize("shape", SHAPES)
    def test_batch_equals_one_by_one(self, shape: tuple[int, ...]) -> None:
        """A batch gives what its members give alone with the same parameters."""
        if not self.takes_batch:
            pytest.skip("this transform takes whole volumes, no batches")
        singles = [self.sample(shape, seed=seed) for seed in range(3)]
        transform = self.make(len(shape))
        together = _stacked(singles)
        parameters = transform.draw(together, torch.Generator().manual_seed(1))
        done = transform.apply(together, parameters)
        for index, single in enumerate(singles):
            alone = transform.apply(single, row(parameters, index))
            for name in self.changed(len(shape)):
                member = done[name].as_batch()[index]
                claim(_near(member, alone[name].as_batch()[0]), f"{name}: found member {index} to differ from it alone")

    @pytest.mark.parametrize("shape", SHAPES)
    def test_each_crop_is_its_own_row(self, shape: tuple[int, ...]) -> None:
        """A batch of crops holds what each row of the parameters gives alone."""
        if not self.makes_batch:
            pytest.skip("this transform makes no batch")
        sample, transform = self.sample(shape), self.make(len(shape))
        parameters = transform.draw(sample, torch.Generator().manual_seed(1))
        done = transform.apply(sample, parameters)
        for name in self.changed(len(shape)):
            for index, crop in enumerate(done[name].as_batch()):
                alone = transform.apply(sample, row(parameters, index))[name].as_batch()[0]
                claim(torch.equal(crop, alone), f"{name}: found crop {index} to differ from its own row")

    @pytest.mark.parametrize("shape", SHAPES)
    def test_moves_image_and_label_alike(self, shape: tuple[int, ...]) -> None:
        """An image that shows its own label still shows it afterwards."""
        if not self.changes_places or not self.same_geometry or set(self.changed(len(shape))) != {"image", "label"}:
            pytest.skip("this transform does not move an image and its label by whole voxels")
        sample = self.sample(shape)
        shown = replace(sample["image"], data=sample["label"].data.float())
        for seed in _SEEDS:
            after = self.run(sample.with_fields(image=shown), seed=seed)
            claim(torch.equal(after["image"].data, after["label"].data.float()), "found image and label to lie apart")

    @pytest.mark.parametrize("shape", SHAPES)
    def test_affine_says_where_voxels_lie(self, shape: tuple[int, ...]) -> None:
        """An image of its own millimetres still says where each voxel lies, by the affine it has afterwards."""
        if self.makes_batch or not self.follows_affine or "image" not in self.changed(len(shape)):
            pytest.skip("this transform gives no affine that could be asked")
        sample = self.sample(shape)
        before = sample["image"]
        shown = replace(before, data=_millimetres(before))
        for seed in _SEEDS:
            after = self.run(sample.with_fields(image=shown), seed=seed)["image"]
            if self.changes_places:
                _claim_places(after)
            else:
                claim(np.array_equal(after.placed, before.placed), "found another affine, expected voxels to stay")

    @pytest.mark.parametrize("shape", SHAPES)
    def test_undoes_itself(self, shape: tuple[int, ...]) -> None:
        """The same parameters once more give back what there was."""
        if not self.undoes_itself:
            pytest.skip("this transform is not its own inverse")
        sample, transform = self.sample(shape), self.make(len(shape))
        parameters = transform.draw(sample, torch.Generator().manual_seed(3))
        back = transform.apply(transform.apply(sample, parameters), parameters)
        for name, volume in _items(sample):
            claim(torch.equal(back[name].data, volume.data), f"{name}: found other voxels after there and back")
            claim(np.allclose(back[name].placed, volume.placed), f"{name}: found another affine after there and back")

    @pytest.mark.parametrize("shape", INVERSE_SHAPES)
    def test_inverse_puts_voxels_back(self, shape: tuple[int, ...]) -> None:
        """There and back, shape, affine, layout and type are what they were, and voxels lie where they lay or are 0."""
        transform = self.make(len(shape))
        claim(isinstance(transform, Invertible) == self.inverts, f"found inverts {self.inverts}, expected what it is")
        if not isinstance(transform, Invertible):
            pytest.skip("this transform has no inverse")
        before, names, there = self._traced(shape), self.changed(len(shape)), 0
        for seed in _SEEDS:
            parameters = transform.draw(before, torch.Generator().manual_seed(seed))
            done = transform.apply(before, parameters)
            done = done.with_fields(image=_marked_border(done["image"])) if "image" in names else done
            back = transform.invert(done, parameters, like=before)
            for name in names:
                _claim_grid(back[name], before[name], name)
                there += _claim_traces(back[name], before[name], self.inverse_error_voxels)
        claim(there, "found nothing that came back, expected some voxels")

    @pytest.mark.parametrize("shape", INVERSE_SHAPES)
    def test_inverse_of_a_batch_equals_one_by_one(self, shape: tuple[int, ...]) -> None:
        """A batch is put back as its members are alone."""
        transform = self.make(len(shape))
        if not self.takes_batch or not isinstance(transform, Invertible):
            pytest.skip("this transform takes no batches, or has no inverse")
        singles = [self.sample(shape, seed=seed) for seed in range(3)]
        together = _stacked(singles)
        parameters = transform.draw(together, torch.Generator().manual_seed(1))
        done = transform.invert(transform.apply(together, parameters), parameters, like=together)
        for index, single in enumerate(singles):
            own = row(parameters, index)
            alone = transform.invert(transform.apply(single, own), own, like=single)
            for name in self.changed(len(shape)):
                member = done[name].as_batch()[index]
                claim(_near(member, alone[name].as_batch()[0]), f"{name}: found member {index} to differ from it alone")

    @pytest.mark.parametrize("shape", SHAPES)
    def test_channels_last_give_the_same(self, shape: tuple[int, ...]) -> None:
        """What comes with channels last goes through the same change, and stays so."""
        if not self.any_layout:
            pytest.skip("this transform asks for a layout or sets one")
        first = self.sample(shape)
        last = {n: replace(v, data=v.data.movedim(0, -1).contiguous(), channel="last") for n, v in _items(first)}
        transform = self.make(len(shape))
        parameters = transform.draw(first, torch.Generator().manual_seed(1))
        done, other = transform.apply(first, parameters), transform.apply(replace(first, fields=last), parameters)
        for name in self.changed(len(shape)):
            claim(other[name].channel == "last", f"{name}: found channels {other[name].channel!r}, expected them last")
            claim(_near(done[name].as_batch(), other[name].as_batch()), f"{name}: found channels last to differ")

    def _traced(self, shape: tuple[int, ...]) -> Sample:
        """A sample whose image says in mm, and whose label in voxels of the first axis, where each voxel lay."""
        sample = self.sample(shape)
        steps = torch.arange(shape[0]).sub(1).clamp(min=0)  # two layers of background
        label = steps.view(-1, *[1] * (len(shape) - 1)).expand(1, *shape).clone()
        image = replace(sample["image"], data=_millimetres(sample["image"]))
        return sample.with_fields(image=image, label=replace(sample["label"], data=label.to(torch.uint8)))

    @pytest.mark.parametrize("shape", SHAPES)
    def test_fused_equals_alone(self, shape: tuple[int, ...]) -> None:
        """Put off and done with its neighbours, it gives what it gives alone with the same dice."""
        transform = self.make(len(shape))
        if not (isinstance(transform, Fusible) and transform.fusible):
            pytest.skip("this transform is never put off")
        samples = [self.sample(shape), _stacked([self.sample(shape, seed=seed) for seed in range(3)])]
        for sample in samples if self.takes_batch else samples[:1]:
            for seed in _SEEDS:
                alone = transform(sample, torch.Generator().manual_seed(seed))
                fused = FusedChain(Compose([transform]))(sample, torch.Generator().manual_seed(seed))
                for name in self.changed(len(shape)):
                    one, other = alone[name], fused[name]
                    claim(one.data.dtype == other.data.dtype, f"{name}: found {other.data.dtype} once fused")
                    claim(_near(one.as_batch(), other.as_batch()), f"{name}: found other values once fused")
                    claim(np.allclose(one.placed, other.placed), f"{name}: found another affine once fused")

    @pytest.mark.gpu
    @pytest.mark.parametrize("shape", SHAPES)
    def test_gpu_equals_cpu(self, shape: tuple[int, ...]) -> None:
        """The same parameters give the same result on an NVIDIA GPU."""
        if not torch.cuda.is_available():
            pytest.skip("there is no NVIDIA GPU here to compare with the CPU")
        sample, transform = self.sample(shape), self.make(len(shape))
        parameters = transform.draw(sample, torch.Generator().manual_seed(1))
        there = Sample({name: replace(v, data=v.data.cuda()) for name, v in _items(sample)}, sample.name, sample.files)
        here, there = transform.apply(sample, parameters), transform.apply(there, parameters)
        for name in self.changed(len(shape)):
            claim(there[name].data.is_cuda, f"{name}: found the result on the CPU, expected it where the input was")
            claim(_near(here[name].data, there[name].data.cpu()), f"{name}: found GPU and CPU to differ")


def _items(sample: Sample) -> list[tuple[str, Volume]]:
    return list(sample.fields.items())


def _near(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one.double(), other.double(), rtol=1e-4, atol=1e-4)


def _equal(one: Sample, other: Sample) -> bool:
    return all(torch.equal(volume.data, other[name].data) for name, volume in _items(one))


def _stacked(samples: list[Sample]) -> Sample:
    names = samples[0].fields
    data = {name: torch.cat([sample[name].as_batch() for sample in samples]) for name in names}
    return Sample({name: Volume(each, channel="first", batched=True) for name, each in data.items()}, name="batch")


def _indices(shape: tuple[int, ...]) -> torch.Tensor:
    """``[dims, *shape]`` voxel indices."""
    axes = [torch.arange(size, dtype=torch.float64) for size in shape]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))


def _places(volume: Volume) -> torch.Tensor:
    """``[3, *spatial]`` the millimetres of each voxel's centre."""
    dims = len(volume.spatial_shape)
    affine = torch.from_numpy(volume.placed)
    offset = affine[:3, 3].view(3, *[1] * dims)
    return torch.einsum("wd,d...->w...", affine[:3, :dims], _indices(volume.spatial_shape)) + offset


def _millimetres(volume: Volume) -> torch.Tensor:
    """``[5, *spatial]``: x, y and z of each voxel, 1 away from the border (whose value reaches out), and 1."""
    ones = torch.ones(1, *volume.spatial_shape)
    away = torch.zeros_like(ones)
    inner = (slice(None), *(slice(1, -1) for _ in volume.spatial_shape))
    away[inner] = 1
    return torch.cat([_places(volume), away, ones]).to(volume.data.dtype)


def _claim_places(volume: Volume) -> None:
    """Voxels that were read away from the border lie where they say."""
    data, wanted = volume.as_batch()[0].double(), _places(volume)
    covered = (data[3] - 1).abs() < 1e-4
    claim(bool(covered.any()), "found no voxel left to judge places by, expected some")
    error = (data[:3] - wanted).abs().amax(dim=0)[covered].max()
    claim(error < 0.01, f"found voxels {error:.3f} mm from where the affine says, expected less than 0.01 mm")


def _claim_grid(back: Volume, before: Volume, name: str) -> None:
    """A volume that was put back has the shape, the affine, the layout and the type it had."""
    shapes = back.data.shape, before.data.shape
    claim(
        shapes[0] == shapes[1], f"{name}: found shape {tuple(shapes[0])} after there and back, not {tuple(shapes[1])}"
    )
    claim((back.channel, back.batched) == (before.channel, before.batched), f"{name}: found another layout")
    claim(np.array_equal(back.placed, before.placed), f"{name}: found another affine after there and back")
    claim(back.data.dtype == before.data.dtype, f"{name}: found {back.data.dtype}, expected {before.data.dtype}")


def _marked_border(volume: Volume) -> Volume:
    """``volume`` with 0 at its border in the fourth channel: what is read there was not read between voxels."""
    data = volume.as_batch().clone()
    inner = (slice(None), slice(3, 4), *(slice(1, -1) for _ in volume.spatial_shape))
    kept = data[inner].clone()
    data[:, 3] = 0
    data[inner] = kept
    return volume.from_batch(data)


def _claim_traces(back: Volume, before: Volume, error_voxels: float) -> int:
    """Away from the border, voxels that came back say they lie where they do; what did not come back is 0."""
    found, wanted = back.as_batch()[0].double(), before.as_batch()[0].double()
    if len(found) == 5:  # millimetres, and two channels of ones
        gone, there = found[4] == 0, (found[3] - 1).abs() < 1e-4
        claim(bool((found[:, gone] == 0).all()), "found values where nothing came back, expected 0")
        error = (found - wanted)[:3].norm(dim=0)[there] / min(before.spacing_mm)
        allowed = error_voxels
    else:  # whole numbers, read by the nearest voxel twice
        there = found > 0
        error, allowed = (found - wanted).abs()[there], 1.0 + error_voxels
    worst = float(error.max()) if len(error) else 0.0
    claim(worst <= allowed, f"found voxels {worst:.3f} voxels off after there and back, expected up to {allowed}")
    return len(error)
