"""Optional parts: what the installation's record says, what is missing, the line that installs it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from importlib import metadata

import pytest

from vesalia.runtime.extras import Requirement, install_line, missing_of, required

LINES = [
    "numpy>=1.26",
    "rich",
    "pydicom>=3.0; extra == 'dicom'",
    'simpleitk>=2.4 ; extra == "dicom"',
    "tool[more]>=1,<9; python_version < '3.11' and extra == 'fast'",
    "",
]


def test_lines_of_the_record() -> None:
    assert required(lambda _: LINES) == [
        Requirement("numpy", "1.26"),
        Requirement("rich", ""),
        Requirement("pydicom", "3.0", "dicom"),
        Requirement("simpleitk", "2.4", "dicom"),
        Requirement("tool", "1", "fast"),
    ]


def test_without_an_installation_there_is_nothing() -> None:
    def absent(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    assert required(absent) == []
    assert required(lambda _: None) == []


def test_the_real_record_names_the_extras() -> None:
    assert {"dicom", "fast", "mlflow", "onnx"} <= {requirement.extra for requirement in required()}


@pytest.mark.parametrize(("version", "said"), [("3.0.1", ""), ("3.0", ""), ("2.10", "version 2.10, older than 3.0")])
def test_versions_are_compared_as_numbers(version: str, said: str) -> None:
    assert missing_of(Requirement("pydicom", "3.0", "dicom"), lambda _: version) == said


def test_what_is_not_there_is_said() -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    assert missing_of(Requirement("pydicom", "3.0", "dicom"), absent) == "not installed"
    assert missing_of(Requirement("rich", ""), lambda _: "1") == ""


def test_install_lines() -> None:
    assert install_line(Requirement("pydicom", "3.0", "dicom")) == "pip install 'vesalia[dicom]'"
    assert install_line(Requirement("numpy", "1.26")) == "pip install --upgrade 'numpy>=1.26'"
    assert install_line(Requirement("rich", "")) == "pip install --upgrade 'rich'"
