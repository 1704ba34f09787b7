"""The context: a mapping, with words for images."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from ai4med.common.medical_image import MedicalImage
from ai4med.common.transform_ctx import TransformContext


def test_it_is_a_mapping() -> None:
    context = TransformContext()
    context["image"] = "a.npy"
    context["gone"] = 1
    del context["gone"]
    assert dict(context) == {"image": "a.npy"}
    assert (len(context), "image" in context, context.get("label")) == (1, True, None)


def test_it_keeps_what_it_is_given() -> None:
    elements: dict[str, object] = {}
    TransformContext(elements)["image"] = 1
    assert elements == {"image": 1}


def test_images_by_name() -> None:
    context, image = TransformContext(), MedicalImage(np.zeros((2, 2)), "HW")
    context.set_image("image", image)
    assert context.get_image("image") is image


def test_a_field_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(KeyError, match="found no field 'lable', expected one of: label"):
        TransformContext({"label": 1})["lable"]
    with pytest.raises(KeyError, match="expected one of: none"):
        TransformContext()["image"]


def test_a_field_that_is_not_loaded_yet_is_no_image() -> None:
    with pytest.raises(TypeError, match=r"found 'a\.npy' in field 'image', expected an image; load the field first"):
        TransformContext({"image": "a.npy"}).get_image("image")
