"""The base of transforms."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.transformer import Transformer


class Same(Transformer):
    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        return transform_ctx


def test_a_transform_is_deterministic_unless_it_says_otherwise() -> None:
    assert Same().is_deterministic() is True


def test_a_transform_has_a_method_transform() -> None:
    with pytest.raises(TypeError, match="transform"):
        type("Empty", (Transformer,), {})()
