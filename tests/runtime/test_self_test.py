"""The quick test of convolutions: right here, and able to see what is wrong."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vesalia.runtime import self_test
from vesalia.runtime.self_test import formats_of, try_formats

CPU = torch.device("cpu")


def test_this_processor_is_right() -> None:
    tried = try_formats(CPU, size=6)
    assert [each.format for each in tried] == ["float32", "bfloat16"]
    assert all(each.ok for each in tried)
    assert tried[0].used
    assert tried[0].seconds > 0


def test_a_wrong_convolution_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        exact = F.conv3d(image, kernel, padding=1)
        return exact if image.dtype == torch.float64 else exact * 1.5

    monkeypatch.setattr(self_test, "_cases", lambda: (wrong,))
    plain = try_formats(CPU, size=6)[0]
    assert not plain.ok
    assert plain.error == pytest.approx(1.25, rel=0.01)  # gradients of the square: 1.5 * 1.5


def test_nan_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        exact = F.conv3d(image, kernel)
        return exact if image.dtype == torch.float64 else exact * torch.nan

    monkeypatch.setattr(self_test, "_cases", lambda: (nothing,))
    assert try_formats(CPU, size=6)[0].error == float("inf")


def test_an_operation_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        message = "conv3d is not implemented here\nand more"
        raise NotImplementedError(message)

    monkeypatch.setattr(self_test, "_cases", lambda: (missing,))
    tried = try_formats(CPU, size=6)[0]
    assert (tried.ok, tried.trouble) == (False, "conv3d is not implemented here")


def test_half_precision_is_tried_on_accelerators_only() -> None:
    assert formats_of(torch.device("cuda")) == ["float32", "bfloat16", "float16"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU here")
def test_this_gpu_is_right() -> None:
    tried = try_formats(torch.device("cuda"), size=16)
    assert [each.format for each in tried if each.ok] == ["float32", "bfloat16", "float16"]
