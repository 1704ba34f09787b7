"""The number format: what v3 decides, what the device can do, and layouts that change no number."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import get_args

import pytest
import torch

from tests.drawn import uniform
from tests.training.fakes import TinyModel
from vesalia.runtime.precision import FabricPrecision, Precision, choose_precision, wants_amp

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("use_amp", "variable", "wanted"),
    [
        (True, None, True),
        (True, "0", True),
        (False, "1", False),
        (None, "1", True),
        (None, "0", False),
        (None, None, False),
    ],
)
def test_the_config_decides_and_then_the_variable(
    monkeypatch: pytest.MonkeyPatch, *, use_amp: bool | None, variable: str | None, wanted: bool
) -> None:
    monkeypatch.delenv("TF_ENABLE_AUTO_MIXED_PRECISION", raising=False)
    if variable is not None:
        monkeypatch.setenv("TF_ENABLE_AUTO_MIXED_PRECISION", variable)
    assert wants_amp(use_amp) is wanted


def test_a_cpu_without_bfloat16_says_so_and_trains_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    chosen = choose_precision(CPU, amp=True)
    assert (chosen.name, chosen.channels_last) == ("32-true", True)
    assert "bfloat16" in chosen.note


@pytest.mark.parametrize("feature", ["avx512_bf16", "amx_bf16", "bf16"])
def test_a_cpu_with_bfloat16_uses_it(monkeypatch: pytest.MonkeyPatch, feature: str) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {feature: True}, raising=False)
    assert choose_precision(CPU, amp=True) == Precision("bf16-mixed")


def test_a_torch_that_cannot_say_what_the_cpu_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_precision(CPU, amp=True).name == "32-true"


def test_float32_on_a_cpu_needs_no_words() -> None:
    assert choose_precision(CPU, amp=False) == Precision("32-true", channels_last=True)


@pytest.mark.parametrize(
    ("amp", "has_bf16", "name"), [(False, True, "32-true"), (True, True, "bf16-mixed"), (True, False, "16-mixed")]
)
def test_a_gpu(monkeypatch: pytest.MonkeyPatch, *, amp: bool, has_bf16: bool, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has_bf16)
    assert choose_precision(CUDA, amp=amp).name == name


@pytest.mark.parametrize("shape", [(2, 3, 4, 5, 6), (2, 3, 4, 5)])
def test_arranging_changes_the_layout_and_no_number(shape: tuple[int, ...]) -> None:
    tensor = uniform(*shape)
    arranged = Precision("32-true", channels_last=True).arrange(tensor)
    assert torch.equal(arranged, tensor)
    assert arranged.stride(1) == 1


def test_nothing_is_arranged_where_it_is_not_wanted() -> None:
    tensor = uniform(2, 3, 4, 5, 6)
    assert Precision("32-true").arrange(tensor) is tensor


def test_arranging_a_model_keeps_its_weights_and_its_output() -> None:
    torch.manual_seed(0)
    model, image = TinyModel(), uniform(2, 1, 4, 4, 4)
    before, output = {name: value.clone() for name, value in model.state_dict().items()}, model(image)
    chosen = Precision("32-true", channels_last=True)
    assert chosen.arrange_model(model) is model
    assert model.last.weight.stride(1) == 1
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    torch.testing.assert_close(model(chosen.arrange(image)), output)


def test_arranging_keeps_the_parameters_an_optimizer_holds() -> None:
    model = TinyModel()
    held = [id(parameter) for parameter in model.parameters()]
    Precision("32-true", channels_last=True).arrange_model(model)
    assert [id(parameter) for parameter in model.parameters()] == held


def test_the_choices_are_fabric_s() -> None:
    from lightning_fabric import Fabric

    for name in get_args(FabricPrecision)[:2]:
        Fabric(accelerator="cpu", devices=1, precision=name)
    assert set(get_args(FabricPrecision)) == {"32-true", "bf16-mixed", "16-mixed"}


@pytest.mark.parametrize(
    ("name", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16), ("16-mixed", torch.float16)]
)
def test_inside_the_context_a_network_computes_in_its_format(name: FabricPrecision, dtype: torch.dtype) -> None:
    with Precision(name).autocast(CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
