"""What optimizers share: decays that make sense."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.components.optimizers.base import check_decay
from vesalia.errors import ConfigError


def test_decays_below_one() -> None:
    check_decay(beta1=0.0, beta2=0.999)


@pytest.mark.parametrize("decay", [1.0, -0.1, float("nan")])
def test_other_decays_are_named(decay: float) -> None:
    with pytest.raises(ConfigError, match="beta2: found"):
        check_decay(beta1=0.9, beta2=decay)
