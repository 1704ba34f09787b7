"""A transform of several fields."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class Same(MultiFieldTransformer):
    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        return transform_ctx


@pytest.mark.parametrize("fields", ["image,label", "image, label", ["image", "label"], ("image", "label")])
def test_fields_are_read_as_configs_write_them(fields: str | list[str]) -> None:
    assert Same(fields).fields == ["image", "label"]
