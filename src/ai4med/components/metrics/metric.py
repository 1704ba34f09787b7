"""The base of metrics under another module path of v3; see :mod:`ai4med.components.metric`."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ai4med.components.metric import Metric

__all__ = ["Metric"]
