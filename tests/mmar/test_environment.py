"""Values come from ``--set``, the environment and the config, in this order; paths are made absolute."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.environment import Variable, gather
from vesalia.mmar.findings import Findings

LAYER = st.dictionaries(st.sampled_from("ABC"), st.integers(), max_size=3)


def variables(
    root: Path, *, config: Any = None, environment: Any = None, overrides: Any = None, findings: Findings | None = None
) -> dict[str, Variable]:
    return gather(
        ArchiveFolder(root),
        findings or Findings("config.json"),
        config=config or {},
        environment=environment or {},
        environment_file="environment.json",
        overrides=overrides or {},
    )


def faults(root: Path, **layers: Any) -> list[str]:
    findings = Findings("config.json")
    variables(root, findings=findings, **layers)
    return [str(fault) for fault in findings.faults]


@given(LAYER, LAYER, LAYER)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_precedence(tmp_path: Path, config: dict[str, int], environment: dict[str, int], sets: dict[str, int]) -> None:
    found = variables(tmp_path, config=config, environment=environment, overrides=sets)
    assert {name: found[name].value for name in found if name in "ABC"} == {**config, **environment, **sets}
    for name in sets:
        assert (found[name].origin, found[name].file) == ("set", "--set")


def test_defaults_and_the_root_are_variables(tmp_path: Path) -> None:
    found = variables(tmp_path)
    assert {name: variable.value for name, variable in found.items()} == {
        "MMAR_ROOT": str(tmp_path),
        "MMAR_CKPT_DIR": str(tmp_path / "models"),
        "MMAR_EVAL_OUTPUT_PATH": str(tmp_path / "eval"),
        "PRETRAIN_WEIGHTS_FILE": "",
    }


def test_only_scalars_are_variables(tmp_path: Path) -> None:
    found = variables(tmp_path, config={"train": {}, "list": [], "epochs": 3, "none": None})
    assert (found["epochs"].value, found["none"].value) == (3, None)
    assert not {"train", "list"} & set(found)


def test_paths_of_files_start_at_the_root(tmp_path: Path) -> None:
    environment = {"DATA_ROOT": "../data", "DATASET_JSON": "/abs/d.json", "MMAR_CKPT_DIR": "models/a", "MMAR_CKPT": ""}
    found = variables(tmp_path / "mmar", environment=environment)
    assert found["DATA_ROOT"].value == str(tmp_path / "data")
    assert found["DATASET_JSON"].value == "/abs/d.json"
    assert found["MMAR_CKPT_DIR"].value == str(tmp_path / "mmar" / "models" / "a")
    assert found["MMAR_CKPT"].value == ""


def test_paths_of_the_command_line_start_here_if_they_are_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, root = tmp_path / "here", tmp_path / "mmar"
    (here / "data").mkdir(parents=True)
    (here / "best.safetensors").touch()
    monkeypatch.chdir(here)
    found = variables(root, overrides={"DATA_ROOT": "data", "DATASET_JSON": "none.json", "MMAR_CKPT": "best.ckpt"})
    assert found["DATA_ROOT"].value == str(here / "data")
    assert found["DATASET_JSON"].value == str(root / "none.json")
    assert found["MMAR_CKPT"].value == str(here / "best.ckpt")
    found = variables(root, overrides={"MMAR_CKPT": "models/model.ckpt", "DATA_ROOT": 7, "MMAR_CKPT_DIR": "../out"})
    assert found["MMAR_CKPT"].value == str(root / "models" / "model.ckpt")
    assert found["DATA_ROOT"].value == str(root / "7")
    assert found["MMAR_CKPT_DIR"].value == str(tmp_path / "out")


def test_the_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert variables(tmp_path, environment={"DATA_ROOT": "~/x"})["DATA_ROOT"].value == str(tmp_path / "x")


def test_a_folder_to_write_to_does_not_leave_the_archive(tmp_path: Path) -> None:
    assert faults(tmp_path, environment={"MMAR_CKPT_DIR": "../../x", "MMAR_EVAL_OUTPUT_PATH": "/fine"}) == [
        (
            'environment.json: MMAR_CKPT_DIR: found "../../x", which leaves the archive, expected a folder inside the '
            'archive, or an absolute path; write "models"'
        )
    ]


def test_values_may_hold_variables(tmp_path: Path) -> None:
    found = variables(
        tmp_path,
        environment={"DATA_ROOT": "{BASE}/{SET}", "BASE": "/data", "COPY": "{N}"},
        overrides={"SET": "a", "N": 3},
    )
    assert found["DATA_ROOT"].value == "/data/a"
    assert found["COPY"].value == 3


def test_variables_in_values_must_be_set(tmp_path: Path) -> None:
    found = faults(tmp_path, environment={"A": "{B}", "B": "{NONE}"}, config={"x": "{ALSO_NONE}"})
    assert len(found) == 1
    assert found[0].startswith("environment.json: B: found the variable {NONE}, which is not set")


def test_a_circle_is_told_once_for_each_of_its_members(tmp_path: Path) -> None:
    found = faults(tmp_path, environment={"A": "{B}", "B": "x{A}", "C": "{A}", "D": "{D}"})
    assert found == [
        "environment.json: A: found variables that need each other (A -> B -> A), expected no circle; write a value",
        "environment.json: B: found variables that need each other (B -> A -> B), expected no circle; write a value",
        "environment.json: D: found variables that need each other (D -> D), expected no circle; write a value",
    ]


@pytest.mark.parametrize(
    ("task", "count"), [("segmentation", 0), ("", 0), ("annotation", 0), ("segmentaton", 1), (3, 1)]
)
def test_the_task_is_one_of_three(tmp_path: Path, task: object, count: int) -> None:
    assert len(faults(tmp_path, environment={"PROCESSING_TASK": task})) == count
