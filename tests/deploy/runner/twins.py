"""The same subject for torch and for the runner, and whether both came out alike."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from vesalia.deploy.runner import volume as arrays
from vesalia.deploy.runner.steps import STEPS, made
from vesalia.imaging.axis_order import Reorientation
from vesalia.imaging.geometry import Affine, Grid
from vesalia.imaging.volume import ChannelAxis, Sample, Source, Volume
from vesalia.registry.registry import find, load
from vesalia.runtime.seeds import generator
from vesalia.transforms.base import Transform

__all__ = ["alike", "as_arrays", "check", "placed", "volumes"]

DTYPES = ("float32", "uint8", "int16", "float64", "int32")


@st.composite
def placed(draw: st.DrawFn, shape: tuple[int, ...], *, oblique: bool = False) -> Affine:
    """An affine: spacings, any order and direction of the axes, and perhaps a slant."""
    spacing = [draw(st.floats(0.3, 4.0)) for _ in range(3)]
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = [draw(st.floats(-50, 50)) for _ in range(3)]
    if len(shape) == 3:
        order = draw(st.permutations(range(3)))
        flips = tuple(axis for axis in range(3) if draw(st.booleans()))
        affine = Reorientation(tuple(order), flips).affine(affine, shape)
    if oblique:
        angle = draw(st.floats(0.05, 0.6))
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        affine = turn @ affine
    return affine


@st.composite
def volumes(
    draw: st.DrawFn,
    *,
    dims: int | None = None,
    dtypes: tuple[str, ...] = DTYPES,
    layouts: tuple[ChannelAxis, ...] = ("none", "first", "last"),
    least_channels: int = 1,
    sourced: bool = False,
) -> Volume:
    """A volume of any shape, type, layout and place."""
    count = dims or draw(st.sampled_from([2, 3]))
    shape = tuple(draw(st.integers(1, 9)) for _ in range(count))
    layout = draw(st.sampled_from(layouts))
    channels = 1 if layout == "none" else draw(st.integers(least_channels, least_channels + 2))
    dtype = draw(st.sampled_from(dtypes))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    low = 0 if dtype == "uint8" else -30
    values = random.uniform(low, 30, (channels, *shape)).astype(dtype)
    values[random.random(values.shape) < 0.2] = 0
    affine = draw(placed(shape))
    source = Source((Path("image.nii"),), Grid(shape, affine)) if sourced else None
    empty = Volume(torch.zeros(shape), affine, source=source)
    base = {"none": empty, "first": Volume(torch.zeros(1, *shape), affine, "first", source=source)}
    base["last"] = Volume(torch.zeros(*shape, 1), affine, "last", source=source)
    return base[layout].from_batch(torch.from_numpy(values)[None])


def as_arrays(sample: Sample) -> arrays.Sample:
    """The runner's twin of a sample."""
    fields = {
        name: arrays.Volume(volume.data.numpy().copy(), volume.affine, volume.channel, volume.source)
        for name, volume in sample.fields.items()
    }
    return arrays.Sample(fields, sample.name, sample.files)


def alike(wanted: Sample, found: arrays.Sample, *, atol: float = 0.0) -> None:
    """Require that both samples hold the same, values up to ``atol``."""
    assert found.fields.keys() == wanted.fields.keys()
    for name, volume in wanted.fields.items():
        other = found[name]
        assert other.data.dtype.name == str(volume.data.dtype).removeprefix("torch.")
        assert other.channel == volume.channel
        assert other.spatial_shape == volume.spatial_shape
        np.testing.assert_allclose(other.data, volume.data.numpy(), rtol=atol, atol=atol)
        assert (other.affine is None) == (volume.affine is None)
        if volume.affine is not None and other.affine is not None:
            np.testing.assert_array_equal(other.affine, volume.affine)
        assert other.source is volume.source


def check(name: str, args: Mapping[str, Any], sample: Sample, *, atol: float = 0.0) -> None:
    """Send a sample through a component and through the runner's step of its name; both must come out alike."""
    target = find("transform", name)
    assert target is not None
    component: Transform[Any] = load(target)(**args)
    before = as_arrays(sample)
    kept = {field: volume.data.copy() for field, volume in before.fields.items()}
    found = made(STEPS, {"name": name, "args": args}, where="plan")(before)
    alike(component(sample, generator(0, name)), found, atol=atol)
    for field, data in kept.items():
        np.testing.assert_array_equal(before[field].data, data)
