"""Shape formats: which axis is which."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ai4med.common.shape_format import ShapeFormat


@pytest.mark.parametrize(
    ("text", "dims", "is_3d", "channel", "spatial"),
    [
        ("HW", 2, False, None, (0, 1)),
        ("CHW", 3, False, 0, (1, 2)),
        ("HWC", 3, False, 2, (0, 1)),
        ("DHW", 3, True, None, (0, 2)),
        ("CDHW", 4, True, 0, (1, 3)),
        ("DHWC", 4, True, 3, (0, 2)),
        ("NCDHW", 5, True, 1, (2, 4)),
    ],
)
def test_the_axes_of_a_format(text: str, dims: int, is_3d: bool, channel: int | None, spatial: tuple[int, int]) -> None:
    form = ShapeFormat(text)
    assert form.get_number_of_dims() == dims
    assert (form.is_3d(), form.is_2d()) == (is_3d, not is_3d)
    assert (form.is_channeled(), form.get_channel_axis()) == (channel is not None, channel)
    assert form.get_spatial_axis() == spatial
    assert form.is_batched() == text.startswith("N")


def test_formats_of_one_text_are_equal() -> None:
    assert ShapeFormat("dhw") == ShapeFormat("DHW") == "DHW"
    assert ShapeFormat(ShapeFormat("HW")) != ShapeFormat("DHW")
    assert len({ShapeFormat("HW"), ShapeFormat("hw")}) == 1
    assert (str(ShapeFormat("hw")), repr(ShapeFormat("hw"))) == ("HW", "ShapeFormat('HW')")


def test_other_letters_are_refused() -> None:
    with pytest.raises(ValueError, match="found 'XYZ', expected one of HW, CHW"):
        ShapeFormat("XYZ")
