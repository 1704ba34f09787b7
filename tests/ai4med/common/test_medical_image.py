"""Images: values, format, properties."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat


def test_a_new_image_keeps_the_properties_and_shares_none_of_them() -> None:
    first = MedicalImage(np.zeros((2, 3)), ShapeFormat("HW"))
    first.set_property("filename", "a.npy")
    second = first.new_image(np.ones((2, 3, 1)), ShapeFormat("HWC"))
    second.set_property("filename", "b.npy")
    assert (first.get_property("filename"), second.get_property("filename")) == ("a.npy", "b.npy")
    assert second.get_shape_format() == "HWC"
    assert first.new_image(np.ones((4, 4))).get_shape_format() == "HW"


def test_values_are_changed_and_properties_stay() -> None:
    image = MedicalImage([[1, 2]], "HW", properties={"affine": 1})
    image.set_data(np.zeros((1, 2, 2)), "CHW")
    assert image.get_data().shape == (1, 2, 2)
    image.set_data(np.ones((3, 2, 2)))
    assert (str(image.get_shape_format()), image.get_property("affine")) == ("CHW", 1)


def test_a_property_that_was_never_set() -> None:
    image = MedicalImage(np.zeros((2, 3)), "HW")
    assert image.get_property("affine") is None
    assert image.get_property("affine", 7) == 7


def test_values_must_fit_the_format() -> None:
    with pytest.raises(ValueError, match=r"found 2 axes \(\(2, 3\)\), expected 3 as the shape format DHW says"):
        MedicalImage(np.zeros((2, 3)), ShapeFormat("DHW"))
