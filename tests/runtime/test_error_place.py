"""The place in somebody's code that an error came from."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vesalia.runtime.error_place import place_of


def test_the_innermost_place_below_the_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vesalia_test_outer.py").write_text("import json\n\ndef fail():\n    json.loads('{')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import vesalia_test_outer  # type: ignore[import-not-found]

    monkeypatch.delitem(sys.modules, "vesalia_test_outer")
    with pytest.raises(ValueError, match="Expecting") as caught:
        vesalia_test_outer.fail()
    assert place_of(caught.value, tmp_path) == f" ({tmp_path.name}/vesalia_test_outer.py, line 4)"
    assert place_of(caught.value, tmp_path / "elsewhere") == ""
