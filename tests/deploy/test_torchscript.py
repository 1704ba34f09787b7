"""TorchScript: a file that runs without Vesalia."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import torch

from tests.deploy.conftest import Make
from tests.deploy.torchscript_file import outputs
from vesalia.deploy.torchscript import TorchScript


def test_one_file_that_gives_the_same(make: Make, tmp_path: Path) -> None:
    deployment = make()
    (path,) = TorchScript().write(deployment)
    assert path == tmp_path / "out" / "model.ts"
    images = torch.randn(1, 1, 12, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(outputs(path, images), deployment.loaded.model(images))
