"""Components of a plan become objects; what their constructors dislike is told with the key path."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vesalia.errors import ConfigError, ResourceError
from vesalia.mmar import build as builder_module
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.build import Builder, build, rehearse
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.registry import find
from vesalia.registry.target import Origin, Target

CODE = """
from vesalia.components.losses.base import Loss
from vesalia.errors import ConfigError, Fault, ResourceError

class Mine(Loss):
    def __call__(self, probabilities, target):
        return probabilities.sum()

    def __init__(self, size=3, *, extra=None, boom=None):
        self.size, self.extra = size, extra
        if boom == "words": raise ConfigError("size: found 3, expected 4; write 4")
        if boom == "short": raise ConfigError("size: found 3")
        if boom == "free": raise ValueError("it cannot be")
        if boom == "fault": raise ConfigError(faults=[Fault("", "args.size", "3", "4", "4"), Fault("", "", "x")])
        if boom == "full": raise ResourceError("no room")
        if boom == "bug": raise KeyError("oops")
"""


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveFolder:
    (tmp_path / "custom").mkdir()
    (tmp_path / "custom" / "mine.py").write_text(CODE)
    return ArchiveFolder(tmp_path)


def plan(archive: ArchiveFolder, *, origin: Origin = "custom", where: str = "train.loss", **args: Any) -> ComponentPlan:
    target = Target("mine", "Mine", origin, archive.custom / "mine.py")
    return ComponentPlan("loss", "Mine", "Mine", target, args, where, "c.json", {"size": 5})


def test_arguments_come_from_defaults_the_config_and_the_framework(archive: ArchiveFolder) -> None:
    made = build(plan(archive), archive=archive)
    assert (made.size, made.extra) == (5, None)
    made = build(plan(archive, size=7), archive=archive, extra="injected")
    assert (made.size, made.extra) == (7, "injected")


@pytest.mark.parametrize(
    ("boom", "messages"),
    [
        ("words", ["c.json: train.loss.args.size: found 3, expected 4; write 4"]),
        ("short", ["c.json: train.loss.args.size: found 3"]),
        (
            "free",
            [
                (
                    "c.json: train.loss: found arguments that its constructor refuses (it cannot be), expected "
                    "arguments that fit together"
                )
            ],
        ),
        ("fault", ["c.json: train.loss.args.size: found 3, expected 4; write 4", "c.json: train.loss: found x"]),
        (
            "bug",
            [
                (
                    "c.json: train.loss: found mine.Mine, which failed with KeyError: 'oops' (custom/mine.py, line "
                    "16), expected a class that can be made"
                )
            ],
        ),
    ],
)
def test_what_a_constructor_dislikes_has_a_key_path(archive: ArchiveFolder, boom: str, messages: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        build(plan(archive, boom=boom), archive=archive)
    assert [str(fault) for fault in caught.value.faults] == messages
    assert caught.value.__cause__ is not None


def test_unknown_arguments_are_told_too(archive: ArchiveFolder) -> None:
    with pytest.raises(ConfigError, match="unexpected keyword argument 'zzz'"):
        build(plan(archive, zzz=1), archive=archive)


def test_other_errors_of_ours_stay_what_they_are(archive: ArchiveFolder) -> None:
    with pytest.raises(ResourceError, match="no room"):
        build(plan(archive, boom="full"), archive=archive)


def test_a_mistake_of_our_own_is_not_dressed_up(archive: ArchiveFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> type:
        raise KeyError

    monkeypatch.setattr(builder_module, "load", fail)
    with pytest.raises(KeyError):
        build(plan(archive, origin="builtin"))


def test_code_that_cannot_be_imported_is_a_fault(archive: ArchiveFolder) -> None:
    (archive.custom / "mine.py").write_text("import no_such_module_at_all\n")
    with pytest.raises(
        ConfigError, match="which failed with ModuleNotFoundError: No module named 'no_such_module_at_all'"
    ):
        build(plan(archive), archive=archive)


@pytest.mark.parametrize(
    ("slot", "base"),
    [
        ("transform", "vesalia.transforms.base.Transform"),
        ("model", "vesalia.components.models.base.Model"),
        ("handler", "vesalia.training.listener.Listener"),
    ],
)
def test_code_of_another_kind_is_a_fault(archive: ArchiveFolder, slot: str, base: str) -> None:
    wrong = replace(plan(archive, boom="free", where="train.it"), slot=slot)
    module, _, name = base.rpartition(".")
    with pytest.raises(ConfigError) as caught:
        build(wrong, archive=archive)
    (fault,) = caught.value.faults
    assert str(fault) == (
        f"c.json: train.it: found the class mine.Mine, which is no {name}, expected a class derived from {base}; "
        f"write from {module} import {name}, and class Mine({name})"
    )


V3_CODE = """
from ai4med.components.metric import Metric
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer

class Calm(MultiFieldTransformer):
    def transform(self, ctx):
        return ctx

class Largest(Metric):
    def compute(self, ctx):
        return 1.0
"""


@pytest.mark.parametrize(("dice", "throws"), [("", False), ("import random\n", True)])
def test_classes_for_v3_are_adapted(archive: ArchiveFolder, dice: str, *, throws: bool) -> None:
    (archive.custom / "old.py").write_text(dice + V3_CODE)
    file = archive.custom / "old.py"
    calm = Target("old", "Calm", "custom", file)
    made = build(ComponentPlan("transform", "Calm", "Calm#1", calm, {"fields": "image"}, "t[0]"), archive=archive)
    assert (made.called, made.fields, made.deterministic) == ("Calm#1", ("image",), True)
    assert made._brought.throws_dice is throws
    largest = Target("old", "Largest", "custom", file)
    metric = build(ComponentPlan("metric", "Largest", "largest", largest, {}, "m[0]"), archive=archive)
    assert metric.name == "largest"


def test_one_component_becomes_one_object(archive: ArchiveFolder) -> None:
    builder = Builder(archive)
    shared, other = plan(archive, where="train.pre_transforms[0]"), plan(archive, where="train.pre_transforms[1]")
    first = builder.build_all([shared, other], extra=1)
    assert builder.build_all([shared]) == first[:1]
    assert first[0] is not first[1]
    assert builder.build(other) is first[1]


def test_what_ships_is_built() -> None:
    target = Target("json.decoder", "JSONDecoder", "builtin", Path("decoder.py"))
    made = Builder().build(ComponentPlan("loss", "J", "J", target, {"strict": False}, "train.loss"))
    assert made.strict is False


def test_a_rehearsal_tells_what_all_constructors_dislike() -> None:
    def shipped(slot: str, name: str, **args: Any) -> ComponentPlan:
        target = find(slot, name)
        assert target is not None
        return ComponentPlan(slot, name, name, target, args, f"train.{slot}", "c.json")

    model = shipped("model", "Unet", num_classes=2, nf_enc=(4, 4), nf_dec=(4, 4))
    inferer = shipped("inferer", "TFScanWindowInferer", roi_size=(8, 8, 8), overlap=1.0)
    with pytest.raises(ConfigError) as caught:
        rehearse([model, shipped("loss", "Dice"), inferer])
    assert [fault.key for fault in caught.value.faults] == ["train.model.args.nf_dec", "train.inferer.args.overlap"]


def test_a_rehearsal_runs_no_code_of_the_archive(archive: ArchiveFolder) -> None:
    rehearse([plan(archive, boom="words")])
