"""The rule by which fields become classes: what each kind of field is read as."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.metrics.class_rule import ClassMaps, ClassMasks, ClassRule

LABEL = torch.tensor([[[0, 1, 2]]])
SOFT = torch.tensor([[[0.4, 0.3, 0.3]], [[0.3, 0.4, 0.3]], [[0.3, 0.3, 0.4]]])


def test_softmax_over_three_classes_is_a_map() -> None:
    read = ClassRule().read(SOFT, LABEL)
    assert isinstance(read, ClassMaps)
    assert read.predicted.tolist() == [[0, 1, 2]]
    assert read.classes == 3
    assert [each.tolist() for each in read.of_class(2)] == [[[False, False, True]]] * 2


def test_onehot_labels_and_other_thresholds_are_masks() -> None:
    onehot = torch.nn.functional.one_hot(LABEL[0], 3).movedim(-1, 0)
    read = ClassRule(is_one_hot_targets=True).read(SOFT, onehot)
    assert isinstance(read, ClassMasks)
    assert torch.equal(read.predicted, read.wanted)
    assert read.classes == 3
    low = ClassRule(logit_thresh=0.2).read(SOFT, LABEL)
    assert isinstance(low, ClassMasks)
    assert low.predicted.all()


def test_a_map_of_class_numbers_is_a_map() -> None:
    read = ClassRule(num_classes=3).read(LABEL.float(), LABEL)
    assert isinstance(read, ClassMaps)
    assert torch.equal(read.predicted, read.wanted)


def test_one_channel_is_a_mask() -> None:
    read = ClassRule().read(torch.tensor([[[0.5, 0.6, 0.1]]]), LABEL)
    assert isinstance(read, ClassMasks)
    assert [each.tolist() for each in read.of_class(0)] == [[[False, True, False]], [[False, True, True]]]
