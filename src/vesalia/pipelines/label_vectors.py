"""Labels that are numbers, not files: ``"label": [0, 1]`` of a classification data list, judged against its format.

Needs no torch.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.errors import DataError, Fault
from vesalia.pipelines.datalist import FAULTS_SHOWN, DataItem, DataList

__all__ = ["LABEL_FORMAT", "require_vectors", "vector_fault"]

LABEL_FORMAT = "output_label_format"
"""The argument of a pipeline that says what each number of a label is: 1 a binary label, n one of n classes."""


def vector_fault(item: DataItem, label_format: Sequence[int], *, where: str) -> Fault | None:
    """What is wrong with an item's label as a vector of this format; None where nothing is.

    Args:
        item: The item.
        label_format: One number per label: 1 for a binary label (0 to 1), n for a class number from 0 to n - 1.
        where: The data list and its key, for the message.
    """
    vector = item.vectors.get("label")
    example = str([0] * len(label_format))
    key = f"{item.name}.label"
    if vector is None:
        found = "a file" if "label" in item.files else "no label"
        expected = f"{len(label_format)} numbers, as {LABEL_FORMAT} {list(label_format)} says"
        return Fault(where, key, found=found, expected=expected, write=f'"label": {example}')
    if len(vector) != len(label_format):
        found, expected = f"{len(vector)} numbers", f"{len(label_format)}, as {LABEL_FORMAT} {list(label_format)} says"
        write = f'"label": {example}, or an {LABEL_FORMAT} with {len(vector)} numbers'
        return Fault(where, key, found=found, expected=expected, write=write)
    for place, (number, width) in enumerate(zip(vector, label_format, strict=True)):
        fits = 0 <= number <= 1 if width == 1 else number in range(width)
        if not fits:
            expected = "0 or 1 (or a probability)" if width == 1 else f"a whole number from 0 to {width - 1}"
            write = f"a number within the format, or another {LABEL_FORMAT} (now {list(label_format)})"
            return Fault(where, f"{key}[{place}]", found=f"{number:g}", expected=expected, write=write)
    return None


def require_vectors(listed: DataList, label_format: Sequence[int] | None) -> None:
    """Require that every label of a list has the format; without a format nothing is judged.

    Raises:
        DataError: Labels that do not fit, all of them at once, the first 10 in full.
    """
    if label_format is None:
        return
    where = f"{listed.file}: {listed.key}"
    found = [vector_fault(item, label_format, where=where) for item in listed.items]
    faults = [fault for fault in found if fault is not None]
    if faults:
        more = len(faults) - FAULTS_SHOWN
        rest = f", here are the first {FAULTS_SHOWN}, and {more} more" if more > 0 else ""
        raise DataError(f"{where}: {len(faults)} labels do not fit{rest}", faults=faults[:FAULTS_SHOWN])
