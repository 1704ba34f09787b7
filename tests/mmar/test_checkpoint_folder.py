"""Where weights are: ``--set``, then the environment, then ``models``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.errors import ConfigError
from vesalia.mmar.archive import ArchiveFolder, open_archive
from vesalia.mmar.checkpoint_folder import checkpoint_folder

ENVIRONMENT = "config/environment.json"


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveFolder:
    (tmp_path / "config").mkdir()
    return open_archive(tmp_path)


def write(archive: ArchiveFolder, text: str) -> None:
    (archive.root / ENVIRONMENT).write_text(text)


def test_without_an_environment_it_is_models(archive: ArchiveFolder) -> None:
    assert checkpoint_folder(archive, environment=ENVIRONMENT) == archive.models


def test_set_wins_over_the_environment(archive: ArchiveFolder) -> None:
    write(archive, '{"MMAR_CKPT_DIR": "models/{RUN}", "RUN": "one"}')
    assert checkpoint_folder(archive, environment=ENVIRONMENT) == archive.root / "models/one"
    assert checkpoint_folder(archive, environment=ENVIRONMENT, overrides=["RUN=two"]) == archive.root / "models/two"
    assert checkpoint_folder(archive, environment=ENVIRONMENT, overrides=["MMAR_CKPT_DIR=/a"]) == Path("/a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "expected a JSON object"),
        ("{", "environment.json"),
        ('{"MMAR_CKPT_DIR": "../models"}', "leaves the archive"),
        ('{"MMAR_CKPT_DIR": "{NOWHERE}"}', "NOWHERE"),
    ],
)
def test_faults_are_told(archive: ArchiveFolder, text: str, said: str) -> None:
    write(archive, text)
    with pytest.raises(ConfigError, match=said):
        checkpoint_folder(archive, environment=ENVIRONMENT)


def test_an_override_that_is_none(archive: ArchiveFolder) -> None:
    with pytest.raises(ConfigError, match="NAME=value"):
        checkpoint_folder(archive, environment=ENVIRONMENT, overrides=["nonsense"])
