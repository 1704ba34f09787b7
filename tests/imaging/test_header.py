"""NIfTI headers: what they say, and which are refused."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import DataError
from vesalia.imaging.header import HEADER_BYTES, NiftiHeader, check_length, parse_header
from vesalia.testing.transforms import oblique_affine

PATH = Path("a.nii")


def _header(
    shape: tuple[int, ...] = (4, 3, 2), dtype: Any = np.int16, kind: Any = nib.Nifti1Header, **values: Any
) -> bytes:
    header = kind()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    header.set_sform(oblique_affine(), code=1)
    for name, value in values.items():
        header[name] = value
    stream = io.BytesIO()
    header.write_to(stream)
    return stream.getvalue()


def _parse(**values: Any) -> NiftiHeader:
    return parse_header(PATH, _header(**values)[:HEADER_BYTES])


@pytest.mark.parametrize("kind", [nib.Nifti1Header, nib.Nifti2Header])
@pytest.mark.parametrize("order", ["<", ">"])
def test_reads_both_versions_and_byte_orders(kind: Any, order: str) -> None:
    header = kind(endianness=order)
    header.set_data_dtype(np.int16)
    header.set_data_shape((4, 3, 2))
    header.set_qform(np.diag([2.0, 2.0, 2.0, 1.0]), code=3)
    header.set_slope_inter(2, -5)
    header["magic"] = header.single_magic
    found = parse_header(PATH, header.binaryblock)
    assert (found.grid.shape, found.channels, found.dtype, found.byte_order) == ((4, 3, 2), 0, "int16", order)
    assert (found.sform_code, found.qform_code, found.slope, found.intercept) == (0, 3, 2.0, -5.0)
    assert np.allclose(found.grid.affine, np.diag([2.0, 2.0, 2.0, 1.0]))
    assert found.stored == np.dtype(f"{order}i2")
    assert found.voxels == 24


@pytest.mark.parametrize(
    ("shape", "spatial", "channels"),
    [
        ((4, 3), (4, 3), 0),
        ((4, 3, 1), (4, 3, 1), 0),
        ((4, 3, 2, 5), (4, 3, 2), 5),
        ((4, 3, 2, 1), (4, 3, 2), 1),
        ((4, 3, 2, 1, 3), (4, 3, 2), 3),
    ],
)
def test_shapes(shape: tuple[int, ...], spatial: tuple[int, ...], channels: int) -> None:
    header = _parse(shape=shape)
    assert (header.grid.shape, header.channels) == (spatial, channels)


def test_the_record_that_volumes_carry() -> None:
    source = _parse().source
    assert source.paths == (PATH,)
    assert (source.sform_code, source.qform_code, source.dtype) == (1, 0, "int16")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shape": (4, 3, 2, 2, 2)}, r"found an image of shape \(4, 3, 2, 2, 2\)"),
        ({"shape": (4,)}, "expected 2, 3 or 4 axes"),
        ({"dtype": np.complex64}, "found voxels stored as complex64"),
        ({"datatype": 128, "bitpix": 24}, "expected plain numbers"),
        ({"srow_x": 0}, "found an affine that does not place"),
        ({"srow_x": np.nan}, "found an affine that does not place"),
        ({"magic": b"ni1"}, "header without the NIfTI mark"),
        ({"datatype": 9999}, "damaged NIfTI header"),
        ({"sform_code": 0, "qform_code": 1, "quatern_b": 5}, "qform that is no rotation"),
        ({"scl_slope": 1, "scl_inter": np.nan}, "found the slope 1 with the intercept nan, .*; write the file again"),
        ({"scl_slope": 2, "scl_inter": np.inf}, "found the slope 2 with the intercept inf"),
    ],
)
def test_headers_that_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=rf"a.nii: .*{message}"):
        _parse(**values)


@given(st.binary(max_size=HEADER_BYTES))
def test_any_bytes_are_a_header_or_a_data_error(content: bytes) -> None:
    with pytest.raises(DataError, match=r"a.nii: found"):
        parse_header(PATH, content)


@given(st.integers(0, 347), st.integers(0, 255))
def test_a_header_with_one_byte_changed_is_read_or_refused(place: int, value: int) -> None:
    content = bytearray(_header())
    content[place] = value
    try:
        header = parse_header(PATH, bytes(content))
    except DataError:
        return
    assert np.isfinite(header.grid.affine).all()
    assert 2 <= len(header.grid.shape) <= 3


def test_length() -> None:
    header = _parse()
    check_length(header, 352 + 48)
    with pytest.raises(DataError, match=r"found 399 bytes, expected 400 .*cut short"):
        check_length(header, 399)
