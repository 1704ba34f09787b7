"""The doctor: sees what is wrong, says what to do, and raises nothing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vesalia.runtime import doctor, machine, shared_folders
from vesalia.runtime.doctor import Examination, Sign, examine
from vesalia.runtime.extras import Requirement
from vesalia.runtime.self_test import TriedFormat


def signs(found: Examination, subject: str) -> list[Sign]:
    """What was found of something."""
    return [sign for sign in found.signs if sign.subject.startswith(subject)]


def one(found: Examination, subject: str) -> Sign:
    """The one thing found of something."""
    (sign,) = signs(found, subject)
    return sign


@pytest.fixture(autouse=True)
def shared(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for /dev/shm where leftovers are looked for."""
    folder = tmp_path_factory.mktemp("shm")
    monkeypatch.setattr(shared_folders, "_SHARED_MEMORY", folder)
    monkeypatch.setattr("vesalia.runtime.shared_folders.tempfile.gettempdir", lambda: str(folder))


@pytest.fixture(autouse=True)
def tried(monkeypatch: pytest.MonkeyPatch) -> list[TriedFormat]:
    """What the self test gives; it has tests of its own."""
    given = [TriedFormat("float32", 1e-7, 1e-4, 0.001, used=True)]
    module = importlib.import_module("vesalia.runtime.self_test")
    monkeypatch.setattr(module, "try_formats", lambda *_, **__: given)
    return given


def pretend(monkeypatch: pytest.MonkeyPatch, *, version: str = "2.9.1+cu128", cudnn: int = 91002, **gpu: Any) -> None:
    """A torch of another version, with a GPU."""
    properties = SimpleNamespace(name="Test GPU", major=9, minor=0, **gpu)
    monkeypatch.setattr(torch, "__version__", version)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.backends.cudnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: cudnn)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (10e9, 80e9))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_80", "sm_90"])


def test_this_machine_is_well() -> None:
    found = examine("cpu")
    assert found.ok
    assert found.facts["torch"] == torch.__version__
    assert one(found, "packages").level == "ok"
    assert {"memory_free_gb", "disk_free_gb", "cores", "versions", "machine", "devices"} <= found.facts.keys()
    assert found.to_dict()["ok"] is True


def test_a_slow_pair_is_named_with_what_to_install_and_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    found = examine()
    sign = one(found, "torch on cuda")
    assert sign.level == "warning"
    assert "4 times as long" in sign.found
    assert "'nvidia-cudnn-cu12>=9.15'" in sign.write
    assert "github.com/pytorch/pytorch/issues/166122" in sign.sources
    assert signs(found, "torch")[0].found.endswith("cuDNN 9.10.2")
    assert found.ok  # slow is not wrong


def test_a_newer_cudnn_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cudnn=91501)
    assert signs(examine(), "torch on cuda") == []


def test_a_gpu_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    sign = one(examine(), "cuda:0")
    assert (sign.level, sign.found) == ("ok", "Test GPU, 10.0 of 80.0 GB free")


def test_a_gpu_that_torch_has_no_code_for_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_80", "sm_86", "weird"])
    found = examine()
    assert "no code for sm_90" in one(found, "cuda:0").found
    assert not found.ok


@pytest.mark.parametrize(
    ("built_for", "gpu", "there"),
    [
        (["sm_80"], (8, 6), True),
        (["sm_86"], (8, 0), False),
        (["sm_90"], (12, 0), False),
        (["sm_90", "compute_90"], (12, 0), True),
        (["sm_90a"], (9, 0), True),
        (["sm_100"], (10, 0), True),
        ([], (9, 0), False),
    ],
)
def test_code_for_a_gpu(built_for: list[str], gpu: tuple[int, int], there: bool) -> None:
    assert doctor._has_code(built_for, *gpu) == there


def test_a_driver_without_a_torch_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "version").write_text("NVIDIA")
    monkeypatch.setattr(doctor, "_DRIVER", tmp_path / "version")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "was built without CUDA" in one(examine("cpu"), "gpu").found
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert "does not see it" in one(examine("cpu"), "gpu").found


def test_missing_parts_come_with_the_line_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = [Requirement("nothing-like-it", "9"), Requirement("nor-this", "1", "onnx"), Requirement("x", "", "dev")]
    monkeypatch.setattr(doctor, "required", lambda: needed)
    found = examine("cpu")
    package, extra = one(found, "nothing-like-it"), one(found, "extra")
    assert (package.level, package.write) == ("fault", "pip install --upgrade 'nothing-like-it>=9'")
    assert (extra.level, extra.write) == ("note", "pip install 'vesalia[onnx]'")
    assert extra.found == "nor-this not installed (export to ONNX, and inference without torch)"


def test_without_a_record_of_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "required", list)
    assert one(examine("cpu"), "packages").found == "no record of the installation"


def test_little_memory_disk_and_shared_memory_are_warned_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "available_memory_bytes", lambda: 1_000_000_000)
    monkeypatch.setattr(machine, "free_disk_bytes", lambda _: 2_000_000_000)
    monkeypatch.setattr(doctor, "_SHARED", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=67_000_000))
    found = examine("cpu", folder=tmp_path)
    assert one(found, "memory").found == "1.0 GB free, less than 4 GB"
    assert [sign.level for sign in signs(found, "disk of")] == ["warning"]
    assert "--shm-size" in one(found, str(tmp_path)).write


def test_a_machine_without_shared_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "_SHARED", tmp_path / "none")
    assert "shared_memory_gb" not in examine("cpu").facts


def test_what_killed_runs_left_in_memory_is_removed_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shared_folders, "_SHARED_MEMORY", tmp_path)
    left = shared_folders.folder_of("killed")
    left.mkdir()
    (left / "member-1").write_text("[4194305, 0.0]")
    (left / "0.safetensors").write_bytes(bytes(2000))
    found = examine("cpu")
    assert one(found, str(tmp_path)).found == "items that 1 killed runs left in memory, 2.01 kB; removed now"
    assert found.facts["leftovers_removed_bytes"] == 2014
    assert list(tmp_path.iterdir()) == []
    assert signs(examine("cpu"), str(tmp_path)) == []


class TestSelfTest:
    def test_a_wrong_format_that_is_used_is_a_fault(self, tried: list[TriedFormat]) -> None:
        tried.append(TriedFormat("bfloat16", 0.5, 0.05, 0.001, used=True))
        found = examine("cpu")
        sign = one(found, "self test bfloat16")
        assert (sign.level, sign.write) == ("fault", "use_amp: false")
        assert not found.ok

    def test_one_that_is_not_used_is_noted(self, tried: list[TriedFormat]) -> None:
        tried.append(TriedFormat("float16", float("nan"), 0.01, float("nan"), used=False, trouble="not implemented"))
        found = examine("cpu")
        assert (one(found, "self test float16").level, found.ok) == ("note", True)

    def test_float32_that_is_wrong(self, tried: list[TriedFormat]) -> None:
        tried[0] = TriedFormat("float32", 0.5, 1e-4, 0.001, used=True)
        assert "another version of torch" in one(examine("cpu"), "self test").write

    def test_mixed_precision_slower_than_float32_on_a_gpu(
        self, tried: list[TriedFormat], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pretend(monkeypatch, version="2.13.0")
        tried.append(TriedFormat("bfloat16", 1e-3, 0.05, 0.004, used=True))
        assert [sign.level for sign in signs(examine(), "self test bfloat16")] == ["ok", "warning"]


class TestNothingIsRaised:
    def test_a_torch_that_cannot_be_imported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(name: str) -> Any:
            message = f"{name} needs libcudart.so.12: cannot open shared object file"
            raise ImportError(message)

        monkeypatch.setattr(importlib, "import_module", broken)
        found = examine()
        assert "libcudart.so.12" in one(found, "torch").found
        assert not found.ok

    def test_an_error_without_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken() -> list[Requirement]:
            raise LookupError

        monkeypatch.setattr(doctor, "required", broken)
        assert one(examine("cpu"), "packages").level == "fault"

    def test_a_device_that_is_not_there(self) -> None:
        sign = signs(examine("cuda:99"), "torch")[0]
        assert (sign.level, "expected a device that this machine has" in sign.found) == ("fault", True)


@pytest.mark.parametrize("providers", [["CPU"], ["TensorRT", "CUDA", "CPU"]])
def test_where_onnx_runtime_can_work(providers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    runtime = SimpleNamespace(get_available_providers=lambda: [f"{name}ExecutionProvider" for name in providers])
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    monkeypatch.setattr(doctor, "find_spec", lambda name: name)
    found = examine("cuda")
    assert found.facts["onnxruntime_providers"] == providers
    sign = one(found, "onnxruntime")
    assert sign.level == ("ok" if "CUDA" in providers else "note")
    assert ("onnxruntime-gpu" in sign.write) == ("CUDA" not in providers)


def test_without_onnx_runtime_its_extra_says_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)
    assert not signs(examine("cpu"), "onnxruntime")


def test_several_gpus_want_nccl(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for there in (True, False):
        monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda there=there: there)
        assert bool(signs(examine("cuda"), "several GPUs")) != there
