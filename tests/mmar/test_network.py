"""What a plan fills into a network: axes from the pipeline, a sigmoid for labels that do not exclude each other."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vesalia.mmar.findings import Findings
from vesalia.mmar.network import fit_network
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.target import Origin, Target


def component(slot: str, name: str, *, origin: Origin = "builtin", defaults: Any = None, **args: Any) -> ComponentPlan:
    target = Target(f"some.{slot}", name, origin, Path("x.py"))
    return ComponentPlan(slot, name, name, target, args, f"train.{slot}", "c.json", defaults or {})


def model(**args: Any) -> ComponentPlan:
    return component("model", "Net", defaults={"data_dims": 3, "final_activation": "softmax"}, **args)


def fitted(
    network: ComponentPlan, loss: ComponentPlan | None = None, **pipeline: Any
) -> tuple[dict[str, Any], list[str], list[str]]:
    findings = Findings("c.json")
    pipeline = {"output_data_dims": 3, **pipeline}
    found = fit_network(network, loss=loss, pipeline=component("image_pipeline", "P", **pipeline), findings=findings)
    assert found is not None
    return dict(found.args), [str(fault) for fault in findings.faults], [str(fault) for fault in findings.warnings]


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("name", ["data_dims", "n_spatial_dim", "spatial_dims"])
def test_axes_come_from_the_pipeline(axes: int, name: str) -> None:
    network = component("model", "Net", defaults={name: 3})
    assert fitted(network, output_data_dims=axes) == ({name: axes}, [], [])


@pytest.mark.parametrize("axes", [None, 4])
def test_axes_that_no_network_has_are_left_alone(axes: int | None) -> None:
    assert fitted(model(), output_data_dims=axes) == ({}, [], [])


def test_a_network_without_the_parameter_is_left_alone() -> None:
    assert fitted(component("model", "Net"), output_data_dims=2) == ({}, [], [])


def test_axes_of_the_config_win_where_they_agree() -> None:
    assert fitted(model(data_dims=2), output_data_dims=2) == ({"data_dims": 2}, [], [])


@pytest.mark.parametrize("args", [{"data_dims": 3}, {"arguments": {"spatial_dims": 3}, "data_dims": 2}])
def test_axes_that_disagree_are_a_fault(args: dict[str, Any]) -> None:
    _, (fault,), _ = fitted(model(**args), output_data_dims=2)
    name = "spatial_dims" if "arguments" in args else "data_dims"
    assert fault == (
        f"c.json: train.model.args.{name}: found 3, expected 2, as output_data_dims in train.image_pipeline has it; "
        "write 2, or nothing here"
    )


def test_channels_of_a_library_class_must_be_the_images() -> None:
    network = model(arguments={"in_channels": 4}, data_dims=3)
    assert fitted(network, output_image_channels=4)[1] == []
    assert fitted(network)[1] == [
        (
            "c.json: train.model.args.in_channels: found 4, expected 1, as output_image_channels in "
            'train.image_pipeline has it (1 where it is not given); write "output_image_channels": 4 '
            "in train.image_pipeline.args"
        )
    ]


def test_labels_that_do_not_exclude_each_other_need_a_sigmoid() -> None:
    loss = component("loss", "BinaryClassificationLoss")
    assert fitted(model(), loss)[0]["final_activation"] == "sigmoid"
    assert fitted(model(final_activation="linear"), loss)[0]["final_activation"] == "linear"
    args, faults, warnings = fitted(model(final_activation="softmax"), loss)
    assert (args["final_activation"], faults) == ("softmax", [])
    assert warnings == [
        (
            'c.json: train.model.args.final_activation: found "softmax", expected "sigmoid" with '
            'BinaryClassificationLoss (in a softmax the labels exclude each other); write "sigmoid"'
        )
    ]


@pytest.mark.parametrize(
    "loss", [component("loss", "Dice"), component("loss", "BinaryClassificationLoss", origin="custom")]
)
def test_other_losses_leave_the_activation_alone(loss: ComponentPlan) -> None:
    assert "final_activation" not in fitted(model(), loss)[0]


def test_weights_that_are_not_read_are_told() -> None:
    assert fitted(model(pretrain_weight_name=""))[2] == []
    assert fitted(model(pretrain_weight_name="/w.h5"))[2] == [
        (
            'c.json: train.model.args.pretrain_weight_name: found "/w.h5", which is not read (Keras weights in '
            'HDF5), nor fetched, expected nothing: the training starts from random weights; write "" here, and --set '
            "MMAR_CKPT=... to start from a model of Vesalia"
        )
    ]


def test_nothing_to_fit() -> None:
    findings = Findings("c.json")
    assert fit_network(None, loss=None, pipeline=None, findings=findings) is None
    network = model()
    assert fit_network(network, loss=None, pipeline=None, findings=findings) == network
