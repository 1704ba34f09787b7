"""What custom code builds on is told by its source: TensorFlow, names of v3 that are not here, and dice."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.registry.ancestry import (
    Import,
    foreign_imports,
    freezes_dice,
    may_throw_dice,
    missing_names,
    v3_names,
)
from vesalia.registry.byoc import custom_code
from vesalia.registry.target import Target


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def target(custom: Path, dotted: str = "mine.C") -> Target:
    found = custom_code(dotted, custom)
    assert isinstance(found, Target)
    return found


def test_tensorflow_is_recognised_in_the_file_and_in_its_neighbours(tmp_path: Path) -> None:
    custom = write(
        tmp_path,
        {
            "direct.py": "'''Doc.'''\nimport tensorflow as tf\nimport tensorflow.nn\nclass C: pass\n",
            "through.py": "from pack import layers\nimport through\nclass C: pass\n",
            "pack/__init__.py": "from . import layers\n",
            "pack/layers.py": "def f():\n    from keras.layers import Dense\n",
            "clean.py": "import numpy\nimport torn\nclass C: pass\n",
            "torn.py": "def (",
        },
    )
    direct = foreign_imports(target(custom, "direct.C"), "transform", custom=custom)
    assert direct == (Import("tensorflow", custom / "direct.py", 2),)
    through = foreign_imports(target(custom, "through.C"), "loss", custom=custom)
    assert through == (Import("keras", custom / "pack" / "layers.py", 2),)
    assert foreign_imports(target(custom, "clean.C"), "loss", custom=custom) == ()


def test_the_old_framework_is_foreign_as_a_graph_only(tmp_path: Path) -> None:
    custom = write(tmp_path, {"mine.py": "from ai4med.components.models.model import Model\nclass C: pass\n"})
    assert [each.name for each in foreign_imports(target(custom), "model", custom=custom)] == ["ai4med"]
    assert foreign_imports(target(custom), "transform", custom=custom) == ()


def test_a_plug_ins_neighbours_are_not_read(tmp_path: Path) -> None:
    custom = write(tmp_path, {"mine.py": "import near\nclass C: pass\n", "near.py": "import tensorflow, random\n"})
    assert foreign_imports(target(custom), "loss", custom=None) == ()
    assert not may_throw_dice(target(custom), None)


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("from ai4med.common.medical_image import MedicalImage", []),
        ("from ai4med.components.metrics.metric import Metric", []),
        ("from ai4med.utils.dtype_utils import str_to_dtype", []),
        ("from ai4med.common.constants import *", []),
        ("import ai4med.common.shape_format as sf", []),
        ("from ai4med.common import shape_format", []),
        ("import ai4med", []),
        ("from ai4med.common.medical_image import Picture", ["ai4med.common.medical_image.Picture"]),
        (
            "from ai4med.utils.image_utils import crop, pad",
            ["ai4med.utils.image_utils.crop", "ai4med.utils.image_utils.pad"],
        ),
        ("import ai4med.libs.losses", ["ai4med.libs.losses"]),
    ],
)
def test_names_of_v3_that_are_not_here_are_told(tmp_path: Path, line: str, missing: list[str]) -> None:
    custom = write(tmp_path, {"mine.py": "import near\nclass C: pass\n", "near.py": f"\n{line}\n"})
    found = missing_names(target(custom), custom)
    assert [each.name for each in found] == missing
    assert all((each.file, each.line) == (custom / "near.py", 2) for each in found)


def test_the_names_of_v3_that_are_here() -> None:
    assert v3_names() == {
        "DataElementKey": "ai4med.common.constants",
        "ImageProperty": "ai4med.common.constants",
        "MedicalImage": "ai4med.common.medical_image",
        "Metric": "ai4med.components.metric",
        "MetricList": "ai4med.libs.metrics.metric_list",
        "MultiFieldTransformer": "ai4med.components.transforms.multi_field_transformer",
        "ShapeFormat": "ai4med.common.shape_format",
        "TransformContext": "ai4med.common.transform_ctx",
        "Transformer": "ai4med.components.transforms.transformer",
        "str_to_dtype": "ai4med.utils.dtype_utils",
    }


@pytest.mark.parametrize(
    ("code", "throws"),
    [
        ("import numpy as np\nx = np.random.rand()", True),
        ("from random import uniform", True),
        ("from numpy import random as dice", True),
        ("from skimage.util import random_noise", True),
        ("import near", True),
        ("import numpy as np\n# nothing random\nx = np.zeros(3)", False),
    ],
)
def test_code_that_may_throw_dice_is_known(tmp_path: Path, code: str, throws: bool) -> None:
    custom = write(tmp_path, {"mine.py": f"{code}\nclass C: pass\n", "near.py": "import random\n"})
    assert may_throw_dice(target(custom), custom) is throws


BASE = "from ai4med.components.transforms.transformer import Transformer\nimport numpy as np\n"
DRAWS = "class C(Transformer):\n    def transform(self, ctx): return np.random.rand()\n"


@pytest.mark.parametrize(
    ("code", "freezes"),
    [
        (BASE + DRAWS, True),
        (BASE + DRAWS + "    def is_deterministic(self): return False\n", False),
        (BASE + DRAWS.replace("random.rand", "zeros"), False),
        ("import numpy as np\nclass C:\n    x = np.random.rand()\n", False),
    ],
)
def test_dice_that_a_cache_would_freeze_are_known(tmp_path: Path, code: str, freezes: bool) -> None:
    custom = write(tmp_path, {"mine.py": code})
    assert freezes_dice(target(custom), custom) is freezes
