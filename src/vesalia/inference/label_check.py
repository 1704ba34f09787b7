"""Judging a label before predictions are judged by it: another place or an unknown class would spoil the scores."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable

from vesalia.errors import DataError
from vesalia.imaging.grid_faults import grid_fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.verify import IMAGE, LABEL, verify

__all__ = ["require_label"]


def require_label(sample: Sample, *, fields: Iterable[str], num_classes: int) -> None:
    """Require that a subject's label can be compared with a prediction on its image.

    Args:
        sample: The subject, its image and its label prepared.
        fields: The fields that metrics read as the truth; those with one channel are maps of class numbers.
        num_classes: Classes of the network, the background included; 1 leaves the numbers unjudged.

    Raises:
        DataError: The label's file does not lie on the image's grid, or has numbers that are no class.
    """
    image, label = sample.fields.get(IMAGE), sample.fields.get(LABEL)
    if image is not None and label is not None and image.source is not None and label.source is not None:
        fault = grid_fault(label.source.paths[0], label.source.grid, image=image.source.grid)
        if fault is not None:
            raise DataError(faults=[fault])
    for name in fields if num_classes > 1 else ():
        truth = sample.fields.get(name)
        if truth is not None and truth.as_batch().shape[1] == 1:
            verify(Sample({LABEL: truth}, sample.name, sample.files), num_classes=num_classes)
