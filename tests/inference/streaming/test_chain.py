"""Which post-transforms are done window by window, and on which grid."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.inference.streaming.chain import StreamedChain, streamed_chain
from vesalia.transforms.label.split_based_on_label import SplitBasedOnLabel
from vesalia.transforms.post.argmax_across_channels import ArgmaxAcrossChannels
from vesalia.transforms.post.copy_properties import CopyProperties
from vesalia.transforms.post.keep_largest_cc import KeepLargestCC
from vesalia.transforms.post.threshold_values import ThresholdValues
from vesalia.transforms.spatial.restore_original_shape import RestoreOriginalShape

DECIDE = ArgmaxAcrossChannels("model")
MASKS = ThresholdValues("model", threshold=0.3)
RESTORE = RestoreOriginalShape("model", src_field="image")
NEAREST = RestoreOriginalShape("model", src_field="image", is_label=True)
COPY = CopyProperties("model", from_field="image")
LARGEST = KeepLargestCC("model")
SPLIT = SplitBasedOnLabel("model", label_names=["a", "b"])


class OtherDecision(ArgmaxAcrossChannels):
    """Somebody's own."""


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([DECIDE], StreamedChain(None, None, ())),
        ([DECIDE, NEAREST, LARGEST, SPLIT], StreamedChain(None, None, (NEAREST, LARGEST, SPLIT))),
        ([MASKS, LARGEST], StreamedChain(0.3, None, (LARGEST,))),
        ([RESTORE, DECIDE, LARGEST], StreamedChain(None, "image", (LARGEST,))),
        ([COPY, DECIDE, SPLIT], StreamedChain(None, None, (COPY, SPLIT))),
        ([RESTORE, COPY, MASKS], StreamedChain(0.3, "image", (COPY,))),
        ([], None),
        ([RESTORE], None),
        ([LARGEST, DECIDE], None),
        ([NEAREST, DECIDE], None),
        ([RESTORE, RESTORE, DECIDE], None),
        ([COPY, RESTORE, DECIDE], None),
        ([ArgmaxAcrossChannels("model,label")], None),
        ([ArgmaxAcrossChannels("label")], None),
        ([OtherDecision("model")], None),
        ([RestoreOriginalShape("label", src_field="image"), DECIDE], None),
    ],
)
def test_what_is_done_window_by_window(steps: list[Any], expected: StreamedChain | None) -> None:
    assert streamed_chain(steps) == expected


def sample(file: Grid | None, affine: Any) -> Sample:
    source = None if file is None else Source((), file)
    return Sample({"image": Volume(torch.zeros(1, 4, 5, 6), affine, "first", source=source)})


def test_the_grid_is_that_of_the_file() -> None:
    chain, own = StreamedChain(None, "image", ()), Grid((4, 5, 6), np.eye(4))
    assert chain.target(sample(own, np.eye(4))) is not None
    finer = chain.target(sample(Grid((8, 5, 6), np.diag([0.5, 1, 1, 1])), np.eye(4)))
    assert finer is not None
    assert finer.steps is not None
    assert [step.source_axis for step in finer.steps] == [0, 1, 2]


def test_a_grid_that_is_out_of_reach() -> None:
    chain = StreamedChain(None, "image", ())
    oblique = np.eye(4)
    oblique[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    assert chain.target(sample(Grid((8, 8, 6), oblique), np.eye(4))) is None
    assert chain.target(sample(None, np.eye(4))) is None
    assert chain.target(sample(Grid((8, 8, 6), np.eye(4)), None)) is None
    assert chain.target(sample(Grid((8, 8), np.eye(4)), np.eye(4))) is None
    assert StreamedChain(None, "elsewhere", ()).target(sample(None, np.eye(4))) is None


def test_without_restoring_it_is_that_of_the_image() -> None:
    target = StreamedChain(None, None, ()).target(sample(None, np.eye(4)))
    assert target is not None
    assert (target.grid.shape, target.steps) == ((4, 5, 6), None)
