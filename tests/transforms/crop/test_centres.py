"""Crop centres: their shares, their spread, and the list that is made once."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.crop.centres import PosNegCentres

ONE = (1, 1, 1)


def _sample(label: torch.Tensor) -> Sample:
    return Sample({"label": Volume(label.unsqueeze(0), channel="first")})


def _draw(label: torch.Tensor, count: int, *, pos: float = 1, neg: float = 1, seed: int = 0) -> torch.Tensor:
    """Centres, which are the starts of windows of one voxel."""
    centres = PosNegCentres("label", pos=pos, neg=neg)
    return centres.draw(_sample(label), torch.Generator().manual_seed(seed), count=count, size=ONE[: label.ndim]).starts


def _label() -> torch.Tensor:
    label = torch.zeros(4, 3, 2, dtype=torch.uint8)
    label[1, 1, 0], label[3, 2, 1], label[0, 0, 0] = 1, 2, 1
    return label


@pytest.mark.parametrize(("pos", "neg", "share"), [(1, 1, 0.5), (3, 1, 0.75), (1, 0, 1.0), (0, 1, 0.0)])
def test_shares(pos: float, neg: float, share: float) -> None:
    label = _label()
    found = label[tuple(_draw(label, 2000, pos=pos, neg=neg).T)] > 0
    assert abs(found.float().mean() - share) < 0.04


def test_every_voxel_of_a_kind_is_as_likely_as_the_others() -> None:
    label = _label()
    counts = torch.zeros_like(label, dtype=torch.float32)
    counts.index_put_(tuple(_draw(label, 30_000).T), torch.ones(30_000), accumulate=True)
    assert (counts[label > 0] / 30_000 - 0.5 / 3).abs().max() < 0.01
    assert (counts[label == 0] / 30_000 - 0.5 / 21).abs().max() < 0.005


@given(st.integers(0, 2**24 - 1), st.integers(0, 1000))
def test_kinds_are_right_for_any_label(bits: int, seed: int) -> None:
    """Foreground centres lie on foreground and background centres on background, where there are any."""
    label = torch.tensor([bits >> place & 1 for place in range(24)], dtype=torch.uint8).view(4, 3, 2)
    positive, negative = _draw(label, 5, neg=0, seed=seed), _draw(label, 5, pos=0, seed=seed)
    assert (label[tuple(positive.T)] == 1).all() or not label.any()
    assert (label[tuple(negative.T)] == 0).all() or label.all()


def test_one_voxel_volumes() -> None:
    assert _draw(torch.zeros(1, 1), 3).tolist() == [[0, 0]] * 3
    assert _draw(torch.ones(1, 1), 3).tolist() == [[0, 0]] * 3


def test_any_channel_counts() -> None:
    label = torch.zeros(2, 4, 4)
    label[0, 1, 2] = label[1, 3, 3] = 1
    sample = Sample({"label": Volume(label, channel="first")})
    centres = PosNegCentres("label", pos=1, neg=0)
    starts = centres.draw(sample, torch.Generator().manual_seed(0), count=40, size=(1, 1)).starts
    assert {tuple(row) for row in starts.tolist()} == {(1, 2), (3, 3)}


def test_prepared_and_unprepared_draw_the_same() -> None:
    sample, centres = _sample(_label()), PosNegCentres("label", pos=1, neg=1)
    prepared = centres.prepare(sample)
    assert prepared.prepared
    assert not sample.prepared
    one, two = (centres.draw(s, torch.Generator().manual_seed(1), count=9, size=ONE).starts for s in (sample, prepared))
    assert torch.equal(one, two)


def test_listed_once() -> None:
    centres = PosNegCentres("label", pos=1, neg=1)
    prepared = centres.prepare(_sample(_label()))
    assert centres.prepare(prepared) is prepared


def test_a_list_of_another_label_is_not_used() -> None:
    """A transform between preparing and cropping moved the foreground."""
    centres = PosNegCentres("label", pos=1, neg=0)
    prepared = centres.prepare(_sample(_label()))
    other = torch.zeros(4, 3, 2)
    other[2, 2, 0] = 1
    moved = prepared.with_fields(label=Volume(other.unsqueeze(0), channel="first"))
    assert centres.draw(moved, torch.Generator(), count=3, size=ONE).starts.tolist() == [[2, 2, 0]] * 3


@pytest.mark.parametrize(("pos", "neg"), [(0, 0), (-1, 2)])
def test_shares_that_are_none(pos: float, neg: float) -> None:
    with pytest.raises(ConfigError, match="pos, neg: found"):
        PosNegCentres("label", pos=pos, neg=neg)
