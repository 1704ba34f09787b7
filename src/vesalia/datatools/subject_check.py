"""What is wrong with one subject's files: headers first, voxels where they are to be read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vesalia.datatools.data_use import DataUse
from vesalia.datatools.file_faults import faults_of
from vesalia.datatools.picture_check import check_pictures
from vesalia.errors import DataError, Fault
from vesalia.imaging.geometry import Grid
from vesalia.imaging.grid_faults import grid_fault, spacing_words
from vesalia.imaging.gzipped import read_all
from vesalia.imaging.header import NiftiHeader, check_length
from vesalia.imaging.nifti import read_header, read_volume
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.label_vectors import vector_fault

__all__ = ["SubjectFindings", "check_subject"]

_SANE_MM = (0.02, 30.0)
_VALUES_SHOWN = 5
_GZIP = b"\x1f\x8b"
_Findings = tuple[Sequence[Fault], list[Fault]]
"""Faults and warnings."""


@dataclass(frozen=True, slots=True)
class SubjectFindings:
    """What was found out about one subject.

    Attributes:
        faults: What is wrong.
        warnings: What is odd and can be lived with.
        stored_voxels: Voxels of the image on its own grid, one channel; 0 where that is not known.
        resampled_shape: The image's shape after the transforms' resampling; empty where it is not known.
        whole_bytes: Bytes of a voxel of the image as whole numbers; 0 where it has fractions, or may have.
        channels: Channels of the image.
        files: How many files were looked at.
        labels_read: Whether the label's voxels were read.
    """

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    stored_voxels: int = 0
    resampled_shape: tuple[int, ...] = ()
    whole_bytes: int = 0
    channels: int = 1
    files: int = 0
    labels_read: bool = False


def check_subject(item: DataItem, use: DataUse, *, read_label: bool, read_image: bool) -> SubjectFindings:
    """Look at one subject's image and label.

    Args:
        item: The subject.
        use: What the plan asks of it.
        read_label: Whether to read the label's voxels.
        read_image: Whether to read the image's voxels; otherwise its header and its length.
    """
    faults: list[Fault] = []
    warnings: list[Fault] = []
    images, labels = item.files.get("image", ()), item.files.get("label", ())
    if use.label_format is not None:
        fault = vector_fault(item, use.label_format, where=f"{use.file}: {use.key}")
        faults += [] if fault is None else [fault]
    elif use.needs_label and not labels and "label" not in item.vectors:
        faults.append(_no_label(item, use))
    if use.loads_pictures and not use.loads_nifti:
        found = check_pictures(images, channels=use.image_channels, config=use.config)
        shape = use.resampled(Grid(found.shape, np.eye(4))) if found.shape else ()
        return SubjectFindings(
            (*faults, *found.faults),
            stored_voxels=int(np.prod(found.shape)) if found.shape else 0,
            resampled_shape=shape,
            channels=found.channels,
            files=len(images) + len(labels),
            labels_read="label" in item.vectors,
        )
    if not use.loads_nifti:
        return SubjectFindings(tuple(faults), files=len(images) + len(labels))
    image_headers = _headers(images, faults)
    label_headers = _headers(labels, faults)
    faults += _grid_faults(image_headers, label_headers)
    faults += _channel_faults(image_headers, label_headers, use)
    warnings += [_spacing_warning(header) for header in image_headers[:1] if not _is_sane(header)]
    findings = [_image_findings(header) if read_image else (_end_faults(header), []) for header in image_headers]
    findings += [
        _label_findings(header, use.num_classes) if read_label else (_end_faults(header), [])
        for header in label_headers
    ]
    for wrong, odd in findings:
        faults += wrong
        warnings += odd
    whole = len(image_headers) == len(images) and bool(images)
    return SubjectFindings(
        faults=tuple(faults),
        warnings=tuple(warnings),
        stored_voxels=int(np.prod(image_headers[0].grid.shape)) if whole else 0,
        resampled_shape=use.resampled(image_headers[0].grid) if whole else (),
        whole_bytes=_whole_bytes(image_headers) if whole else 0,
        channels=sum(max(1, header.channels) for header in image_headers) or 1,
        files=len(images) + len(labels),
        labels_read=read_label and bool(labels),
    )


def _whole_bytes(headers: Sequence[NiftiHeader]) -> int:
    """Bytes of a voxel where all files hold whole numbers of at most 16 bits, else 0."""
    kinds = [header.stored for header in headers]
    plain = all(header.slope == 1.0 and header.intercept % 1 == 0 for header in headers)
    fit = all(kind.kind in "iu" and kind.itemsize <= np.dtype(np.int16).itemsize for kind in kinds)
    return max(kind.itemsize for kind in kinds) if plain and fit else 0


def _no_label(item: DataItem, use: DataUse) -> Fault:
    write = '"label": "labelsTr/case.nii.gz" in each entry, or another data_list_key'
    return Fault(str(use.file), f"{use.key} ({item.name})", found="no label", expected="image and label", write=write)


def _headers(paths: Sequence[Path], faults: list[Fault]) -> list[NiftiHeader]:
    headers = []
    for path in paths:
        try:
            headers.append(read_header(path))
        except DataError as error:
            faults += faults_of(error, path)
    return headers


def _grid_faults(images: Sequence[NiftiHeader], labels: Sequence[NiftiHeader]) -> list[Fault]:
    """Further channels and labels that do not lie on the first image's grid."""
    if not images:
        return []
    found = [grid_fault(header.path, header.grid, image=images[0].grid) for header in (*images[1:], *labels)]
    return [fault for fault in found if fault is not None]


def _channel_faults(images: Sequence[NiftiHeader], labels: Sequence[NiftiHeader], use: DataUse) -> list[Fault]:
    faults = []
    channels = sum(max(1, header.channels) for header in images)
    if images and use.image_channels is not None and channels != use.image_channels:
        key = "output_image_channels"
        found = f"{channels} channels" + (" in a 4D file" if len(images) == 1 and images[0].channels else "")
        expected = f"{use.image_channels}, as {use.config} has in train.image_pipeline.args.{key}"
        write = f"{key}: {channels}, or a file with {use.image_channels}"
        faults.append(Fault(str(images[0].path), found=found, expected=expected, write=write))
    count = sum(max(1, header.channels) for header in labels)
    allowed = {1, use.label_channels, use.num_classes or 1}
    if labels and use.labels_by and not use.has_label_channels:
        return [*faults, *_reader_faults(labels[0].path, count, use)]
    if labels and not use.has_label_channels and count not in allowed:
        found = f"{count} channels in {'a 4D file' if len(labels) == 1 else f'{len(labels)} files'}"
        expected = "a 3D label map, one class number per voxel"
        faults.append(Fault(str(labels[0].path), found=found, expected=expected, write="a 3D label file"))
    return faults


def _reader_faults(path: Path, count: int, use: DataUse) -> list[Fault]:
    """A label with other channels than those count on who read it."""
    faults = []
    for wanted, reader in use.labels_by.items():
        if count != wanted:
            found = f"{count} channels" if count > 1 else "one channel"
            said = "a 3D label map, one class number per voxel" if wanted == 1 else f"{wanted} channels, one per class"
            flag = "is_one_hot_targets" if ".metrics" in reader else "is_onehot_targets"
            write = f"{flag}: {str(wanted == 1).lower()} there, or a label of that kind"
            faults.append(Fault(str(path), found=found, expected=f"{said}, as {reader} takes", write=write))
    return faults


def _is_sane(header: NiftiHeader) -> bool:
    low, high = _SANE_MM
    return all(low <= length <= high for length in header.grid.spacing_mm)


def _spacing_warning(header: NiftiHeader) -> Fault:
    low, high = _SANE_MM
    found, expected = f"voxels of {spacing_words(header.grid)}", f"edges of {low:g} to {high:g} mm"
    return Fault(str(header.path), found=found, expected=expected, write="the file with a header in mm")


def _end_faults(header: NiftiHeader) -> tuple[Fault, ...]:
    """Whether a file is as long as its header says, without decompressing it where its last bytes say so."""
    try:
        with header.path.open("rb") as stream:
            packed = stream.read(2) == _GZIP
            stream.seek(-4, 2)
            length = int.from_bytes(stream.read(4), "little")
        needed = header.offset + header.voxels * header.stored.itemsize
        if packed and length != needed % 2**32:
            check_length(header, len(read_all(header.path)))
    except DataError as error:
        return faults_of(error, header.path)
    except OSError as error:
        write = "a fresh copy of the file"
        return (Fault(str(header.path), found=f"no readable file ({error})", expected="a whole one", write=write),)
    return ()


def _image_findings(header: NiftiHeader) -> _Findings:
    try:
        data = read_volume(header.path).data
    except DataError as error:
        return faults_of(error, header.path), []
    low, high = data.min(), data.max()
    if low < high:
        return [], []
    found, write = f"the value {low:g} in every voxel", "the right file, or leave this subject out of the list"
    return [], [Fault(str(header.path), found=found, expected="an image of something", write=write)]


def _label_findings(header: NiftiHeader, num_classes: int | None) -> _Findings:
    """What is wrong or odd about a label's values."""
    try:
        values, counts = np.unique(read_volume(header.path).data.numpy(), return_counts=True)
    except DataError as error:
        return faults_of(error, header.path), []
    if not (values > 0).any() and not (values < 0).any():
        write = "nothing, if the subject has none; else the right file"
        return [], [Fault(str(header.path), found="no voxel above 0", expected="some foreground", write=write)]
    if num_classes is None:
        return [], []
    if num_classes == 1:
        wrong = (values < 0) | (values != values.round())
        expected = "whole numbers, 0 for the background"
    else:
        largest = 1 if header.channels > 1 else num_classes - 1
        wrong = (values < 0) | (values > largest) | (values != values.round())
        expected = f"the whole numbers 0 to {largest}"
    if not wrong.any():
        return [], []
    write = f"a label within the classes, or another num_classes of the model (now {num_classes})"
    said = _values(values[wrong], counts[wrong])
    return [Fault(str(header.path), found=said, expected=expected, write=write)], []


def _values(values: npt.NDArray[np.float32], counts: npt.NDArray[np.intp]) -> str:
    shown = [f"{value:g} ({count} voxels)" for value, count in zip(values.tolist(), counts.tolist(), strict=True)]
    more = len(shown) - _VALUES_SHOWN
    return "the label values " + ", ".join(shown[:_VALUES_SHOWN]) + (f" and {more} more" if more > 0 else "")
