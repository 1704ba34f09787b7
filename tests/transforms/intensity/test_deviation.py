"""The quick deviation against NumPy's."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from vesalia.transforms.intensity.deviation import deviation


@pytest.mark.parametrize("offset", [0.0, 5.0, -1000.0])
def test_it_is_the_standard_deviation(offset: float) -> None:
    batch = torch.randn(2, 3, 20, 20, 20, generator=torch.Generator().manual_seed(0)) * 40 + offset
    wanted = batch.double().numpy().std(axis=(2, 3, 4))
    assert np.allclose(deviation(batch).numpy(), wanted, rtol=1e-3)


def test_one_value_everywhere_has_none() -> None:
    assert deviation(torch.full((1, 1, 4, 4), 0.1)).item() < 1e-3
