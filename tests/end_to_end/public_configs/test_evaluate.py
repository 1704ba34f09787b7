"""The public evaluation configs judge the models just trained, and infer with them, under v3's file names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.public_configs.archives import build, data_settings, public
from tests.end_to_end.public_configs.evaluations import EVALUATIONS, PublicEvaluation
from tests.end_to_end.public_configs.reduction import reduced, shrunk
from vesalia.api import Archive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, dataset: Callable[[str], Path]
) -> Callable[[PublicEvaluation], Path]:
    """The archive of an evaluation, trained once, with the evaluation's config in it."""
    made: dict[str, Path] = {}

    def give(evaluation: PublicEvaluation) -> Path:
        one = public(evaluation.model)
        if one.name not in made:
            root = build(tmp_path_factory.mktemp("trained") / "mmar", one, reduced(one))
            Archive(root).train(overrides=data_settings(dataset(one.data)), device="cpu", seed=1)
            made[one.name] = root
        config = json.dumps(shrunk(evaluation.config))
        (made[one.name] / "config" / "config_validation.json").write_text(config)
        return made[one.name]

    return give


@pytest.mark.parametrize("name", EVALUATIONS)
def test_check_passes_on_the_config_as_published(name: str, tmp_path: Path, dataset: Callable[[str], Path]) -> None:
    evaluation = EVALUATIONS[name]
    one = public(evaluation.model)
    root = build(tmp_path / "mmar", one)
    (root / "config" / "config_validation.json").write_text(json.dumps(evaluation.config))
    report = Archive(root).check(config="config/config_validation.json", overrides=data_settings(dataset(one.data)))
    assert report.faults == ()


@pytest.mark.parametrize("name", EVALUATIONS)
def test_judges(
    name: str,
    tmp_path: Path,
    trained: Callable[[PublicEvaluation], Path],
    dataset: Callable[[str], Path],
) -> None:
    evaluation = EVALUATIONS[name]
    settings = [*data_settings(dataset(public(evaluation.model).data)), f"MMAR_EVAL_OUTPUT_PATH={tmp_path}"]
    Archive(trained(evaluation)).evaluate(overrides=settings, device="cpu")
    for metric in evaluation.reports:
        raw = (tmp_path / f"{metric}_raw_results.txt").read_text()
        assert "image_4" in raw or "flair_4" in raw
        assert (tmp_path / f"{metric}_summary_results.txt").is_file()


@pytest.mark.parametrize("name", EVALUATIONS)
def test_infers(
    name: str,
    tmp_path: Path,
    trained: Callable[[PublicEvaluation], Path],
    dataset: Callable[[str], Path],
) -> None:
    evaluation = EVALUATIONS[name]
    settings = [*data_settings(dataset(public(evaluation.model).data)), f"MMAR_EVAL_OUTPUT_PATH={tmp_path}"]
    Archive(trained(evaluation)).infer(overrides=settings, device="cpu")
    for subject in ("image_4", "image_5"):
        for file in evaluation.written:
            assert (tmp_path / subject / f"{subject}_{file}").is_file()
    assert not list(tmp_path.glob("*_raw_results.txt"))
