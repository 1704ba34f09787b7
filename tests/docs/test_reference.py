"""The reference is whole and up to date: what can be read from the code is generated, the rest is compared with it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import vesalia
from vesalia import errors
from vesalia.mmar.environment import ENVIRONMENT_NAMES
from vesalia.mmar.settings import EVALUATE_SECTIONS, EVALUATE_SETTINGS, TRAIN_SECTIONS, TRAIN_SETTINGS
from vesalia.registry.catalog import CATALOG
from vesalia.registry.kinds import Mismatch, coerce
from vesalia.registry.registry import load
from vesalia.registry.signature import read_signature

from .pages import ROOT

SCRIPTS = ROOT / "scripts"
REFERENCE = ROOT / "docs" / "reference"


def script(name: str) -> ModuleType:
    """A module of the scripts folder."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def docstrings() -> ModuleType:
    return script("docstrings")


@pytest.fixture(scope="module")
def reference(docstrings: ModuleType) -> ModuleType:
    assert docstrings is sys.modules["docstrings"]
    return script("reference")


def test_generated_pages_are_up_to_date(reference: ModuleType) -> None:
    assert reference.outdated(reference.generate()) == [], "run scripts/docs"


def test_a_page_that_differs_is_seen(reference: ModuleType) -> None:
    page = Path("docs/reference/python.md")
    assert f"{page}: is out of date" in reference.outdated(reference.generate() | {page: "other"})


def test_every_slot_has_its_place(reference: ModuleType) -> None:
    assert set(CATALOG) - {"batch_transform"} == set(reference.SLOTS)


@pytest.mark.parametrize(("slot", "name"), [(s, n) for s, names in CATALOG.items() for n in names])
def test_every_component_has_a_page_with_its_arguments_explained(slot: str, name: str, reference: ModuleType) -> None:
    folder = "transform" if slot == "batch_transform" else slot
    text = (REFERENCE / "components" / folder / f"{name}.md").read_text(encoding="utf-8")
    silent = re.findall(r"^\| `(\w+)` \|.*\|  \|$", text, re.MULTILINE)
    assert silent == [], "these arguments have no line under Args: in the docstring"
    assert reference.SLOTS[folder][0] in text


@pytest.mark.parametrize(("slot", "name"), [(s, n) for s, names in CATALOG.items() for n in names])
def test_the_example_of_every_component_can_be_built(slot: str, name: str, reference: ModuleType) -> None:
    target = reference.require(slot, name)
    signature = read_signature(target)
    args = reference.example_args(slot, name, signature=signature)
    typed = {key: coerce(value, signature.parameters[key].annotation) for key, value in args.items()}
    assert [key for key, value in typed.items() if isinstance(value, Mismatch)] == []
    assert load(target)(**typed) is not None


def test_every_public_name_is_in_the_reference() -> None:
    text = (REFERENCE / "python.md").read_text(encoding="utf-8")
    assert [name for name in vesalia.__all__ if f"\n## {name}\n" not in text] == []


ELSEWHERE = {"Any", "Callable", "False", "Mapping", "NDArray", "None", "Path", "PathLike", "Sequence", "Tensor", "True"}
IN_THE_HEAD = {"Affine", "ChannelAxis", "Overrides", "Shape", "ShowProgress"}


def test_every_type_in_a_signature_is_explained() -> None:
    text = (REFERENCE / "python.md").read_text(encoding="utf-8")
    signatures = " ".join(re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    named = set(re.findall(r"\b[A-Z]\w*[a-z]\w*", signatures)) - ELSEWHERE
    head = text.partition("\n## ")[0]
    assert {name for name in named & IN_THE_HEAD if f"`{name}`" not in head} == set()
    assert {name for name in named - IN_THE_HEAD if f"\n## {name}\n" not in text} == set()


def test_every_attribute_of_a_result_is_explained() -> None:
    text = (REFERENCE / "python.md").read_text(encoding="utf-8")
    _, _, results = text.partition("\n## What they take and give\n")
    silent = []
    for section in results.split("\n## ")[1:]:
        name, own = section.splitlines()[0], section.partition("\n### ")[0]
        signature = re.search(r"^```text\n(.*?)^```$", own, re.MULTILINE | re.DOTALL)
        assert signature is not None
        attributes = re.findall(r"^    (\w+): ", signature[1], re.MULTILINE)
        silent += [f"{name}.{attribute}" for attribute in attributes if f"\n- `{attribute}`: " not in own]
    assert silent == []


def code_words(page: str) -> set[str]:
    """What stands in code marks in the first cells of a page's tables."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def test_every_config_key_is_in_the_reference() -> None:
    keys = {*TRAIN_SETTINGS, *TRAIN_SECTIONS, *EVALUATE_SETTINGS, *EVALUATE_SECTIONS} - {"search", "lr_search"}
    assert keys - code_words("config-keys.md") == set()


def test_every_name_of_the_environment_is_in_the_reference() -> None:
    assert ENVIRONMENT_NAMES - code_words("environment.md") == set()


def test_every_kind_of_error_is_in_the_reference() -> None:
    kinds = {name for name in errors.__all__ if name != "Fault"}
    assert kinds - code_words("messages.md") == set()


class TestDocstrings:
    """How a docstring is taken apart."""

    def test_summary_body_and_sections(self, docstrings: ModuleType) -> None:
        doc = docstrings.read("One\nline.\n\nMore of ``it``.\n\nArgs:\n    a: The\n        first.\n    b: Second.\n")
        assert (doc.summary, doc.body) == ("One line.", "More of `it`.")
        assert doc.entries("Args") == {"a": "The first.", "b": "Second."}

    def test_text_after_a_section_belongs_to_the_body(self, docstrings: ModuleType) -> None:
        doc = docstrings.read("One.\n\nArgs:\n    a: First.\n\nEnd.\n")
        assert doc.body == "End."

    def test_roles_become_code(self, docstrings: ModuleType) -> None:
        assert docstrings.markdown(":class:`~a.b.C` and :func:`d`") == "`C` and `d`"

    def test_literal_blocks_become_fences(self, docstrings: ModuleType) -> None:
        assert docstrings.markdown("So::\n\n    a = 1\n\nEnd") == "So:\n\n```text\na = 1\n```\n\nEnd"
