"""A constructor read from its source says the same as the constructor itself would, and runs nothing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.registry.signature import Signature, lineage, read_signature
from vesalia.registry.target import Target


def read(folder: Path, source: str, name: str = "C", *, custom: Path | None = None, **others: str) -> Signature:
    (folder / "mod.py").write_text(source)
    for module, text in others.items():
        (folder / f"{module}.py").write_text(text)
    return read_signature(Target("mod", name, "custom", folder / "mod.py"), custom or folder)


def texts(signature: Signature) -> dict[str, str]:
    return {name: parameter.annotation for name, parameter in signature.parameters.items()}


def test_reads_names_annotations_defaults_and_nothing_is_run(tmp_path: Path) -> None:
    signature = read(
        tmp_path,
        "raise SystemExit\n"
        "SMOOTH = 1e-5\n"
        "class C:\n"
        "    '''What it is.'''\n"
        "    def other(self): pass\n"
        "    def __init__(self, size: int, /, fields: str = 'image', *, smooth: float = SMOOTH,\n"
        "                 top: float = math.nan, away=UNKNOWN, _hidden: int = 0, must: bool) -> None: pass\n",
    )
    assert list(signature.parameters) == ["size", "fields", "smooth", "top", "away", "must"]
    assert [name for name, parameter in signature.parameters.items() if parameter.required] == ["size", "must"]
    assert signature.defaults == {"fields": "image", "smooth": 1e-5}
    assert texts(signature)["away"] == "Any"
    assert signature.doc == "What it is."
    assert not signature.is_open


def test_aliases_are_written_out(tmp_path: Path) -> None:
    signature = read(
        tmp_path,
        "import typing\n"
        "from typing import Literal, Optional, Callable\n"
        "import typing as t\n"
        "import near\n"
        "import torch\n"
        "from near import Mode, Missing\n"
        "from vesalia.registry import kinds\n"
        "from vesalia.registry.kinds import Count as Number, Probability, coerce\n"
        "Local = Literal['x', 'y']\n"
        "Round = Round2\n"
        "Round2 = Round\n"
        "class C:\n"
        "    def __init__(self, a: Mode, b: Local | None, c: Number, d: kinds.Whole, e: 'Optional[Probability]',\n"
        "                 f: typing.Sequence[near.Mode], g: Missing, h: torch.Tensor, i: Round, j: coerce,\n"
        "                 k: dict[str, int], l: Callable, m: 'not (', n: t.List[int], o: Undefined, p: None,\n"
        "                 q: near.Deep, r: lambda: 0, s: [int], u: f()[int]) -> None: pass\n",
        near="from near2 import Deep\nMode = Literal['p', 'q']\n",
        near2="Deep = 3\n",
    )
    assert texts(signature) == {
        "a": "Literal['p', 'q']",
        "b": "Literal['x', 'y'] | None",
        "c": "Count",
        "d": "Whole",
        "e": "Optional[Probability]",
        "f": "Sequence[Literal['p', 'q']]",
        "g": "Any",
        "h": "Any",
        "i": "Any",
        "j": "Any",
        "k": "dict[str, int]",
        "l": "Any",
        "m": "Any",
        "n": "List[int]",
        "o": "Any",
        "p": "None",
        "q": "Any",
        "r": "lambda: 0",
        "s": "[int]",
        "u": "Any[int]",
    }


def test_aliases_of_vesalia_are_written_out(tmp_path: Path) -> None:
    source = (
        "from vesalia.components.models.base import FinalActivation\n"
        "class C:\n    def __init__(self, final_activation: FinalActivation = 'softmax') -> None: pass\n"
    )
    assert texts(read(tmp_path, source)) == {"final_activation": "Literal['softmax', 'sigmoid', 'linear']"}


def test_a_class_without_a_constructor_has_its_base_classes(tmp_path: Path) -> None:
    source = (
        "from abc import ABC\nfrom typing import Generic\nimport near\nfrom near import Grand\n"
        "class Plain(ABC): pass\n"
        "class Child(Plain, Generic[T], Grand[int]): pass\n"
        "class ByModule(near.Grand): pass\n"
        "class Empty(Plain): pass\n"
        "class Unknown(somewhere.Else): pass\n"
        "class Circle(Circle): pass\n"
        "class Odd(Plain, make()): pass\n"
    )
    near = "class Grand:\n    def __init__(self, size: int = 3, **rest): pass\n"
    assert list(read(tmp_path, source, "Child", near=near).parameters) == ["size"]
    assert read(tmp_path, source, "ByModule", near=near).is_open
    assert read(tmp_path, source, "Empty") == Signature()
    assert read(tmp_path, source, "Unknown").is_open
    assert read(tmp_path, source, "Circle").is_open
    assert read(tmp_path, source, "Odd").is_open


def test_a_class_may_be_imported_into_the_module(tmp_path: Path) -> None:
    assert list(
        read(tmp_path, "from near import C\n", near="class C:\n    def __init__(self, a): pass\n").parameters
    ) == ["a"]


@pytest.mark.parametrize(
    "source", ["", "from near import C\n", "from torch.nn import C\n", "from mod import C\n", "import torn\nC = 3\n"]
)
def test_a_missing_class_is_a_lookup_error(tmp_path: Path, source: str) -> None:
    with pytest.raises(LookupError, match="no class C"):
        read(tmp_path, source, near="", torn="def (")


def test_a_torn_neighbour_makes_the_signature_open(tmp_path: Path) -> None:
    source = "from torn import Base\nfrom pack.sub import Other\nclass C(Base): pass\nclass D(Other): pass\n"
    assert read(tmp_path, source, torn="def (").is_open
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "sub.py").write_text("class Other:\n    def __init__(self, b): pass\n")
    assert list(read(tmp_path, source, "D", torn="").parameters) == ["b"]


def test_without_a_custom_folder_other_packages_stay_closed(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("from json.decoder import JSONDecoder\nclass C(JSONDecoder): pass\n")
    assert read_signature(Target("mod", "C", "plugin", tmp_path / "mod.py")).is_open


def test_reads_dataclasses(tmp_path: Path) -> None:
    source = (
        "import dataclasses\nfrom dataclasses import dataclass, field\nfrom typing import ClassVar\n"
        "@dataclasses.dataclass\n"
        "class Base:\n    fields: str\n"
        "@dataclass(frozen=True)\n"
        "class C(Base):\n"
        "    '''Doc.'''\n"
        "    kind: ClassVar[int] = 3\n"
        "    size: int = 3\n"
        "    many: list[int] = field(default_factory=list)\n"
        "    one: int = field(default=1)\n"
        "    bare: int = field()\n"
        "    hidden: int = dataclasses.field(init=False, default=2)\n"
        "    self.odd: int = 3\n"
        "    def method(self): pass\n"
    )
    signature = read(tmp_path, source)
    assert list(signature.parameters) == ["fields", "size", "many", "one", "bare"]
    assert [name for name, parameter in signature.parameters.items() if parameter.required] == ["fields", "bare"]
    assert signature.defaults == {"size": 3, "one": 1}


def test_missing_files_and_torn_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"gone\.py"):
        read_signature(Target("gone", "C", "custom", tmp_path / "gone.py"))
    with pytest.raises(SyntaxError):
        read(tmp_path, "def (")


LINEAGE = """
import torch.nn
from torch import nn
from typing import Generic, TypeVar
from vesalia.components.models.unet import Unet
T = TypeVar("T")
class Plain(nn.Module): pass
class Typed(torch.nn.Module, Generic[T]): pass
class Ours(Unet): pass
class Child(Ours, Plain): pass
Second = Child
class Circle(Circle): pass
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Plain", {"mine.Plain", "torch.nn.Module"}),
        ("Typed", {"mine.Typed", "torch.nn.Module", "typing.Generic"}),
        ("Circle", {"mine.Circle"}),
        ("Nothing", set()),
    ],
)
def test_lineage(tmp_path: Path, name: str, expected: set[str]) -> None:
    (tmp_path / "mine.py").write_text(LINEAGE)
    assert lineage(Target("mine", name, "custom", tmp_path / "mine.py"), tmp_path) == expected


@pytest.mark.parametrize("name", ["Child", "Second"])
def test_lineage_goes_through_our_own_classes(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(LINEAGE)
    found = lineage(Target("mine", name, "custom", tmp_path / "mine.py"), tmp_path)
    assert {"mine.Ours", "mine.Plain", "vesalia.components.models.base.Model", "torch.nn.Module"} <= found
