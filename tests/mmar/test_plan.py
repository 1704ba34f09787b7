"""Plans of components go into a card and come back; a card cannot name any other code."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import TRAIN, changed, make, training
from vesalia.errors import ConfigError, CustomCodeRefused
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.plan import ComponentPlan, ValidatePlan, components_of
from vesalia.mmar.validate import plan_training
from vesalia.registry import registry


def card(root: Path, **changes: Any) -> dict[str, Any]:
    plan = training(root)
    data: dict[str, Any] = json.loads(json.dumps({**plan.model.to_dict(), **changes}))
    return data


def test_a_component_comes_back_from_its_card_with_its_defaults(tmp_path: Path) -> None:
    data = card(tmp_path / "a")
    assert data["args"]["nf_enc"] == [8, 8]
    assert data["args"]["use_group_normG"] == 8
    assert str(tmp_path) not in json.dumps(data)
    plan = ComponentPlan.from_dict(data, file="model.json")
    assert (plan.name, plan.args["nf_enc"], plan.argument("use_group_normG")) == ("Unet", (8, 8), 8)
    assert (plan.file, plan.where, plan.target.origin) == ("model.json", "model", "builtin")
    assert json.loads(json.dumps(plan.to_dict())) == data


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 3}, "model.json: name: found 3, expected text"),
        ({"path": None}, "model.json: path: found null, expected text"),
        ({"slot": "zzz"}, 'model.json: slot: found "zzz", expected one of'),
        ({"args": []}, 'model.json: slot: found "model", expected one of .*, with an object args'),
        ({"path": "os.system"}, 'model.json: path: found "os.system", expected a component that ships'),
        ({"slot": "loss"}, "model.json: path: found"),
        ({"origin": "plugin", "path": "os.system"}, "model.json: path: found"),
        ({"origin": "custom", "path": "os.system"}, "model.json: path: found"),
    ],
)
def test_a_card_names_known_components_only(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    data = card(tmp_path / "a", **changes)
    for archive in (None, ArchiveFolder(tmp_path / "a")):
        with pytest.raises(ConfigError, match=message):
            ComponentPlan.from_dict(data, file="model.json", archive=archive)


def test_code_of_the_archive_must_be_allowed_again(tmp_path: Path) -> None:
    make(tmp_path / "a", train=changed(TRAIN, train__model={"path": "net.Net", "args": {"num_classes": 2}}))
    (tmp_path / "a" / "custom").mkdir()
    (tmp_path / "a" / "custom" / "net.py").write_text("class Net:\n    def __init__(self, num_classes: int): pass\n")
    plan = plan_training(tmp_path / "a", allow_custom_code=True)
    data = json.loads(json.dumps(plan.model.to_dict()))
    with pytest.raises(CustomCodeRefused, match="--allow-custom-code"):
        ComponentPlan.from_dict(data, archive=plan.archive)
    back = ComponentPlan.from_dict(data, archive=plan.archive, allow_custom_code=True)
    assert (back.target, back.args) == (plan.model.target, {"num_classes": 2})


def test_plugins_are_looked_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = card(tmp_path / "a", name="Net", origin="plugin", path="pack.net.Net")
    target = registry.Target("pack.net", "Net", "plugin", Path("net.py"))
    monkeypatch.setattr(registry, "find_plugin", lambda *_: target)
    assert ComponentPlan.from_dict(data).target == target


def test_the_key_metric_is_the_flagged_one_or_the_first(tmp_path: Path) -> None:
    plan = training(
        tmp_path / "a", validate__metrics__1__args__is_key_metric=True, validate__metrics__0__args__is_key_metric=False
    )
    assert plan.validate is not None
    assert plan.validate.key_metric is plan.validate.metrics[1]
    none = ValidatePlan((), plan.image_pipeline, plan.validate.inferer, ())
    assert none.key_metric is None
    unflagged = training(tmp_path / "b", validate__metrics__0__args__is_key_metric=False)
    assert unflagged.validate is not None
    assert unflagged.validate.key_metric is unflagged.validate.metrics[0]


def test_every_component_of_a_plan_is_found_once(tmp_path: Path) -> None:
    plan = training(tmp_path / "a")
    assert plan.validate is not None
    found = components_of(plan)
    assert len({component.where for component in found}) == len(found)
    assert {plan.loss.where, plan.validate.inferer.where} <= {component.where for component in found}
    assert {component.slot for component in components_of(plan.validate)} == {
        "transform",
        "image_pipeline",
        "inferer",
        "metric",
    }
