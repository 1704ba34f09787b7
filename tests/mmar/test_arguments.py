"""Arguments are judged by the constructor's signature."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import evaluation, lines, training
from vesalia.errors import ConfigError
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.arguments import check_arguments
from vesalia.mmar.findings import Findings
from vesalia.registry.signature import Parameter, Signature

SIGNATURE = Signature(
    {
        "fields": Parameter("fields", "FieldNames", required=True),
        "target_resolution": Parameter("target_resolution", "SpacingMM", required=True),
        "is_label": Parameter("is_label", "bool", required=False),
        "out_dir": Parameter("out_dir", "str | None", required=False),
        "in_channels": Parameter("in_channels", "Count", required=True),
    }
)


def checked(
    args: object, *, slot: str = "model", signature: Signature = SIGNATURE, unresolved: tuple[str, ...] = ()
) -> tuple[dict[str, Any], list[str]]:
    findings = Findings("c.json", unresolved=set(unresolved))
    typed = check_arguments(
        args, signature, slot=slot, key="x", archive=ArchiveFolder(Path("/mmar")), findings=findings
    )
    return typed, [str(fault) for fault in findings.faults]


def test_values_are_typed() -> None:
    typed, faults = checked({"fields": ["image"], "target_resolution": "1,1,2", "out_dir": "eval"}, slot="transform")
    assert typed == {"fields": ("image",), "target_resolution": (1.0, 1.0, 2.0), "out_dir": "/mmar/eval"}
    assert faults == [
        'c.json: x.args.in_channels: found nothing, expected a whole number of 1 or more; write "in_channels": 1'
    ]


def test_everything_wrong_is_told_at_once() -> None:
    typed, faults = checked({"targt_resolution": [1, 1, 1], "out_dir": "../x", "zzz": 1, "in_channels": 3})
    assert typed == {"out_dir": "/x"}
    names = "fields, target_resolution, is_label, out_dir"
    assert faults == [
        (
            f"c.json: x.args.targt_resolution: found an argument that does not exist, expected one of {names}; "
            "write target_resolution (did you mean this?)"
        ),
        (
            'c.json: x.args.out_dir: found "../x", which leaves the archive, expected a folder inside the archive, or '
            'an absolute path; write "{MMAR_EVAL_OUTPUT_PATH}"'
        ),
        f"c.json: x.args.zzz: found an argument that does not exist, expected one of {names}; write nothing here",
        (
            f"c.json: x.args.in_channels: found an argument that does not exist, expected one of {names}; write "
            "output_image_channels in train.image_pipeline.args, and nothing here"
        ),
        'c.json: x.args.fields: found nothing, expected names of fields; write "fields": ["image", "label"]',
    ]


def test_a_given_argument_is_not_what_another_one_means() -> None:
    _, faults = checked({"fields": "image", "field": "image", "target_resolution": [1, 1, 1]})
    assert faults[0].endswith("write nothing here")


def test_values_with_unset_variables_are_not_judged() -> None:
    args = {"fields": ["image", "{X}"], "is_label": "{Y}", "target_resolution": [1, 1, 1]}
    typed, faults = checked(args, unresolved=("x.args.is_label", "x.args.fields[1]"))
    assert typed == {"target_resolution": (1.0, 1.0, 1.0)}
    assert not faults


def test_an_open_signature_takes_anything() -> None:
    typed, faults = checked({"any": [1]}, signature=Signature(is_open=True))
    assert (typed, faults) == ({"any": [1]}, [])


def test_no_arguments_at_all() -> None:
    _, faults = checked({"any": 1}, signature=Signature())
    assert faults == [
        "c.json: x.args.any: found an argument that does not exist, expected no arguments; write nothing here"
    ]


@pytest.mark.parametrize("args", [[], "fields", 3, None])
def test_arguments_are_an_object(args: object) -> None:
    typed, faults = checked(args)
    assert typed == {}
    assert "expected an object with the arguments by name" in faults[0]


def test_the_learning_rate_is_no_argument(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        training(tmp_path / "a", train__optimizer__args={"lr": 1e-3})
    assert "write learning_rate at the top level of the config, and nothing here" in lines(caught.value)[0]


def test_path_arguments_are_absolute_and_empty_ones_stay(tmp_path: Path) -> None:
    plan = evaluation(
        tmp_path / "a",
        model_loader__args__checkpoint_dir="models",
        writers__0__args__write_path="",
        val_metrics__0__args__report_path="/elsewhere",
    )
    assert plan.model_loader is not None
    assert plan.model_loader.args["checkpoint_dir"] == str(tmp_path / "a" / "models")
    assert plan.writers[0].args["write_path"] == ""
    assert plan.val_metrics[0].args["report_path"] == "/elsewhere"


def test_an_argument_of_v3_that_has_no_use_here_is_a_warning(tmp_path: Path) -> None:
    plan = training(
        tmp_path / "a",
        train__optimizer__args={"use_locking": False},
        train__pre_transforms__3__args={"size": [96, 96, 96], "dtype": "float32"},
    )
    assert [(warning.key, warning.expected) for warning in plan.warnings] == [
        ("train.pre_transforms[3].args.dtype", "nothing: it has no effect here"),
        ("train.optimizer.args.use_locking", "nothing: it has no effect here"),
    ]
    assert plan.optimizer.args == {}


def test_an_argument_that_v3_did_not_have_either_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        training(tmp_path / "a", train__optimizer__args={"locking": False}, train__loss__args={"dtpye": "float32"})
    assert [line.partition(",")[0] for line in lines(caught.value)] == [
        "config/config_train.json: train.loss.args.dtpye: found an argument that does not exist",
        "config/config_train.json: train.optimizer.args.locking: found an argument that does not exist",
    ]


def test_a_metric_that_is_told_no_field_most_likely_judges_the_network(tmp_path: Path) -> None:
    metric = {"name": "ComputeAverageDice", "args": {"name": "dice", "is_key_metric": True}}
    with pytest.raises(ConfigError, match=r'args.field: found nothing, expected .*; write "field": "model"'):
        training(tmp_path / "a", validate__metrics__0=metric)
