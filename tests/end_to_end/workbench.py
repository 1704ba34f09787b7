"""What the end-to-end tests stand on: a tiny data set with its archive, and the command line tried on it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Answer as Said
from tests.threads import wait_for_compilers
from vesalia.cli.main import main
from vesalia.datatools.new_archive import new_archive
from vesalia.datatools.synthetic import synthesize
from vesalia.errors import Fault

__all__ = [
    "ENVIRONMENT",
    "LIST",
    "TRAIN",
    "VALIDATION",
    "Answer",
    "Bench",
    "build_bench",
    "in_process",
    "process_environment",
    "vesalia",
]

TRAIN = "config/config_train.json"
VALIDATION = "config/config_validation.json"
ENVIRONMENT = "config/environment.json"
LIST = "config/dataset.json"

_CROP = [8, 8, 8]

Command = Callable[[Sequence[str]], object]
"""Takes the arguments, and leaves by :class:`SystemExit`."""


@dataclass(frozen=True)
class Bench:
    """A folder with ``data`` and ``archive`` in it, made for one test."""

    root: Path

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def models(self) -> Path:
        return self.archive / "models"

    def image(self, number: int) -> Path:
        """Cases 1 to 4 are for training, 5 and 6 for validation."""
        return self.data / "imagesTr" / f"abdomen_{number:03d}.nii.gz"

    def label(self, number: int) -> Path:
        return self.data / "labelsTr" / f"abdomen_{number:03d}.nii.gz"

    def read(self, file: str) -> Any:
        return json.loads((self.archive / file).read_text())

    def write(self, file: str, content: Any) -> None:
        (self.archive / file).write_text(json.dumps(content, indent=2))

    def copy(self, root: Path) -> Bench:
        return Bench(shutil.copytree(self.root, root))

    def tree(self) -> dict[str, str]:
        """Every path below the root, with what is in it."""
        return {
            path.relative_to(self.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else ""
            for path in sorted(self.root.rglob("*"))
        }


def build_bench(root: Path) -> Bench:
    """Data and archive as the commands make them, with a network and crops that take no time."""
    made = Bench(root)
    dataset = synthesize(made.data, cases=6, size=24, seed=3)
    new_archive(made.archive, data=dataset)
    environment = made.read(ENVIRONMENT)
    made.write(ENVIRONMENT, {**environment, "DATA_ROOT": "../data"})  # so that a copy of both stands on its own
    config = made.read(TRAIN)
    config.update(epochs=2, num_training_epoch_per_valid=1, use_amp=False)
    config["train"]["model"]["args"].update(nf_enc="4,8", nf_dec="8,8,8,4,4")
    crop = next(step for step in config["train"]["pre_transforms"] if step["name"] == "FastCropByPosNegRatio")
    crop["args"]["size"] = _CROP
    config["train"]["image_pipeline"]["args"]["output_crop_size"] = _CROP
    made.write(TRAIN, config)
    return made


@dataclass(frozen=True)
class Answer(Said):
    """What a command said, with its faults put into words."""

    @property
    def told(self) -> str:
        """All that the JSON object says is wrong, in words."""
        said = self.data
        faults = [str(Fault(**fault)) for fault in said.get("faults", [])]
        return "\n".join([said.get("message", ""), *faults])


def in_process(*arguments: object, command: Command = main) -> Answer:
    """Run the command line here: as in a process of its own, without the seconds that one takes to start."""
    out, err = io.StringIO(), io.StringIO()
    with (
        _logging_kept(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        command([str(argument) for argument in arguments])
    wait_for_compilers()
    code = left.value.code
    return Answer(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _logging_kept() -> Iterator[None]:
    """A command sets up logging for its process; here other tests follow."""
    log = logging.getLogger("vesalia")
    handlers, level = log.handlers, log.level
    try:
        yield
    finally:
        log.handlers = handlers
        log.setLevel(level)


def process_environment(**more: str) -> dict[str, str]:
    """For processes of their own: one thread each, as the tests share the machine."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHON": sys.executable, **more}


def vesalia(*arguments: object, timeout: float = 120) -> Answer:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "vesalia", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, check=False, env=process_environment()
    )
    return Answer(done.returncode, done.stdout, done.stderr)
