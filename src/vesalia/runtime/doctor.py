"""A look at the machine and at what is installed: what is fine, what is slow or missing, and what to do about it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from vesalia.runtime import machine
from vesalia.runtime.extras import Requirement, install_line, missing_of, required
from vesalia.runtime.known_troubles import cudnn_parts, troubles_of, version_parts
from vesalia.runtime.shared_folders import remove_leftovers

__all__ = ["Examination", "Sign", "examine"]

Level = Literal["ok", "note", "warning", "fault"]

_GIGABYTE = 1e9
_LEAST_MEMORY_GB = 4
_LEAST_DISK_GB = 5
_LEAST_SHARED_GB = 1
_SHARED = Path("/dev/shm")  # noqa: S108 - looked at, not written
_DRIVER = Path("/proc/driver/nvidia/version")
_SLOW = 1.5
"""How much slower than float32 mixed precision may be on a GPU before it is told."""
_PURPOSES = {
    "dicom": "DICOM, NRRD, MetaImage and other formats",
    "fast": "faster augmentation on processors",
    "mlflow": 'the course of a training in MLflow ("trackers": "mlflow")',
    "onnx": "export to ONNX, and inference without torch",
    "openvino": "inference without torch on processors, faster",
}
_FOR_DEVELOPERS = frozenset({"dev", "testing"})


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that was looked at.

    Attributes:
        level: How bad it is.
        subject: What was looked at.
        found: What was found.
        write: What to do about it; empty where there is nothing to do.
        sources: Where more is said of it.
    """

    level: Level
    subject: str
    found: str
    write: str = ""
    sources: tuple[str, ...] = ()


@dataclass(slots=True)
class Examination:
    """What a look at the machine found.

    Attributes:
        signs: Everything that was looked at.
        facts: Numbers and versions, for programs.
    """

    signs: list[Sign] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; warnings are allowed."""
        return not any(sign.level == "fault" for sign in self.signs)

    def to_dict(self) -> dict[str, Any]:
        """The examination as plain data, for ``--json``."""
        return {"ok": self.ok, "facts": self.facts, "signs": [asdict(sign) for sign in self.signs]}


def examine(device: str = "auto", *, folder: Path | None = None) -> Examination:
    """Look at everything; what cannot be looked at is told, nothing is raised.

    Args:
        device: The device to try; ``auto`` takes a GPU where there is one.
        folder: A folder on the disk that will be written to; None for the present one.
    """
    found = Examination()
    looks: tuple[tuple[str, Callable[[], Iterator[Sign]]], ...] = (
        ("python", lambda: _python(found)),
        ("packages", _packages),
        ("machine", lambda: _machine(found, folder or Path.cwd())),
        ("torch", lambda: _torch(found, device)),
        ("optional parts", _extras),
        ("onnxruntime", lambda: _onnx_runtime(found)),
    )
    for subject, look in looks:
        try:
            found.signs.extend(look())
        except Exception as error:  # noqa: BLE001 - the edge: a broken installation may raise anything
            said = (str(error).strip() or "no message").splitlines()[0]
            write = "pip install --force-reinstall vesalia, or report it with this line"
            found.signs.append(Sign("fault", subject, f"that looking fails ({type(error).__name__}: {said})", write))
    return found


def _python(found: Examination) -> Iterator[Sign]:
    found.facts["versions"] = machine.versions()
    yield Sign("ok", "python", f"{platform.python_version()} on {platform.platform()}")


def _packages() -> Iterator[Sign]:
    needed = [requirement for requirement in required() if not requirement.extra]
    if not needed:
        yield Sign("note", "packages", "no record of the installation", "pip install vesalia")
    wrong = [(requirement, said) for requirement in needed if (said := missing_of(requirement))]
    for requirement, said in wrong:
        yield Sign("fault", requirement.package, said, install_line(requirement))
    if needed and not wrong:
        yield Sign("ok", "packages", f"all {len(needed)} that are needed")


def _extras() -> Iterator[Sign]:
    by_extra: dict[str, list[Requirement]] = {}
    for requirement in required():
        if requirement.extra and requirement.extra not in _FOR_DEVELOPERS:
            by_extra.setdefault(requirement.extra, []).append(requirement)
    for extra, requirements in by_extra.items():
        wrong = [f"{each.package} {said}" for each in requirements if (said := missing_of(each))]
        purpose = _PURPOSES.get(extra, "optional")
        level: Level = "note" if wrong else "ok"
        said = f"{', '.join(wrong)} ({purpose})" if wrong else f"installed ({purpose})"
        yield Sign(level, f"extra {extra}", said, install_line(requirements[0]) if wrong else "")


def _machine(found: Examination, folder: Path) -> Iterator[Sign]:
    found.facts["machine"] = machine.describe()
    yield from _leftovers(found)
    memory = machine.available_memory_bytes() / _GIGABYTE
    yield _least("memory", memory, _LEAST_MEMORY_GB, "close other programs, or give the container more memory")
    disk = machine.free_disk_bytes(folder) / _GIGABYTE
    yield _least(f"disk of {folder}", disk, _LEAST_DISK_GB, "free some, or work on another disk")
    cores = machine.usable_cores()
    yield Sign("ok", "processor", f"{cores} cores for this process")
    found.facts |= {"memory_free_gb": round(memory, 1), "disk_free_gb": round(disk, 1), "cores": cores}
    if _SHARED.is_dir():
        shared = shutil.disk_usage(_SHARED)
        found.facts["shared_memory_gb"] = round(shared.total / _GIGABYTE, 2)
        write = "docker run --shm-size=8g (or --ipc=host), if several processes are to share a cache"
        yield _least(str(_SHARED), shared.total / _GIGABYTE, _LEAST_SHARED_GB, write, "in all")


def _leftovers(found: Examination) -> Iterator[Sign]:
    left = remove_leftovers()
    found.facts["leftovers_removed_bytes"] = sum(left.values())
    if left:
        said = f"items that {len(left)} killed runs left in memory, {machine.in_words(sum(left.values()))}; removed now"
        yield Sign("note", str(next(iter(left)).parent), said)


def _least(subject: str, gigabytes: float, least: float, write: str, what: str = "free") -> Sign:
    found = f"{gigabytes:.1f} GB {what}"
    if gigabytes >= least:
        return Sign("ok", subject, found)
    return Sign("warning", subject, f"{found}, less than {least} GB", write)


def _torch(found: Examination, device: str) -> Iterator[Sign]:
    torch = importlib.import_module("torch")  # here: an installation that cannot import it is a finding
    chosen = importlib.import_module("vesalia.runtime.device").choose_device(device)
    cudnn = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None
    found.facts |= {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": cudnn, "device": str(chosen)}
    said = f"{torch.__version__}" + (f", CUDA {torch.version.cuda}" if torch.version.cuda else ", without CUDA")
    parts = cudnn_parts(cudnn)
    yield Sign("ok", "torch", said + (f", cuDNN {'.'.join(map(str, parts))}" if parts else ""))
    yield from _devices(torch, found)
    cuda = (torch.version.cuda or "12").partition(".")[0]
    for trouble in troubles_of(chosen.type, torch=version_parts(torch.__version__), cudnn=parts):
        level: Level = "note" if trouble.mended else "warning"
        said = f"{trouble.what}" + (" (the networks that ship avoid it)" if trouble.mended else "")
        yield Sign(level, f"torch on {chosen.type}", said, trouble.write.format(cuda=cuda), trouble.sources)
    yield from _self_test(chosen, found)


def _devices(torch: Any, found: Examination) -> Iterator[Sign]:
    devices = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        free, total = (size / _GIGABYTE for size in torch.cuda.mem_get_info(index))
        devices.append({"name": properties.name, "memory_gb": round(total, 1), "free_gb": round(free, 1)})
        said = f"{properties.name}, {free:.1f} of {total:.1f} GB free"
        architecture = f"sm_{properties.major}{properties.minor}"
        if _has_code(torch.cuda.get_arch_list(), properties.major, properties.minor):
            yield Sign("ok", f"cuda:{index}", said)
        else:
            write = "a torch built for a newer CUDA; see pytorch.org for the line"
            yield Sign("fault", f"cuda:{index}", f"{said}; this torch has no code for {architecture}", write)
    found.facts["devices"] = devices
    if len(devices) > 1 and not torch.distributed.is_nccl_available():
        write = "a torch with NCCL (Linux); several processes would exchange gradients by way of the processor"
        yield Sign("warning", "several GPUs", "a torch without NCCL", write)
    if not devices and _DRIVER.exists():
        built = "was built without CUDA" if torch.version.cuda is None else "does not see it"
        write = "a torch with CUDA; see pytorch.org for the line (or --gpus all for a container)"
        yield Sign("warning", "gpu", f"NVIDIA's driver, and a torch that {built}", write)


def _onnx_runtime(found: Examination) -> Iterator[Sign]:
    """Where networks run without torch: ONNX Runtime has a package for processors and one for GPUs."""
    if find_spec("onnxruntime") is None:  # the extra onnx tells so
        return
    listed = importlib.import_module("onnxruntime").get_available_providers()
    names = [name.removesuffix("ExecutionProvider") for name in listed]
    found.facts["onnxruntime_providers"] = names
    if found.facts.get("devices") and "CUDA" not in names:
        write = "pip uninstall onnxruntime; pip install onnxruntime-gpu, for --engine onnx --device cuda or tensorrt"
        yield Sign("note", "onnxruntime", f"a GPU, and a runtime that knows {', '.join(names)} alone", write)
    else:
        yield Sign("ok", "onnxruntime", f"runs on {', '.join(names)}")


def _has_code(built_for: list[str], major: int, minor: int) -> bool:
    """Whether code for a GPU is there: of its generation and no newer than it, or text that is compiled for any."""
    for each in built_for:
        kind, _, number = each.partition("_")
        digits = "".join(filter(str.isdigit, number))
        if len(digits) < 2:
            continue
        have = (int(digits[:-1]), int(digits[-1]))
        if (kind == "compute" and have <= (major, minor)) or (have[0] == major and have[1] <= minor):
            return True
    return False


def _self_test(device: Any, found: Examination) -> Iterator[Sign]:
    sizes = {"size": 32, "channels": 32} if device.type == "cuda" else {}
    tested = importlib.import_module("vesalia.runtime.self_test").try_formats(device, **sizes)
    found.facts["self_test"] = [{**asdict(each), "ok": each.ok} for each in tested]
    for each in tested:
        subject = f"self test {each.format}"
        if each.ok:
            said = f"{each.error:.0e} from float64, {each.seconds * 1000:.1f} ms"
            yield Sign("ok", subject, said if each.used else f"{said}; not used here")
        else:
            said = each.trouble or f"{each.error:.0e} from float64, more than {each.tolerance:.0e}"
            write = "use_amp: false" if each.format != "float32" else "--device cpu, or another version of torch"
            yield Sign("fault" if each.used else "note", subject, said, write if each.used else "")
    plain, *others = tested
    slow = [each for each in others if each.ok and each.used and each.seconds > _SLOW * plain.seconds]
    for each in slow if device.type == "cuda" and plain.ok else ():
        said = f"{each.seconds / plain.seconds:.1f} times the time of float32 for a 3D convolution"
        yield Sign("warning", f"self test {each.format}", said, "use_amp: false, or another version of torch or cuDNN")
