"""A source that keeps nothing has nothing to move, to begin or to close."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.errors import Fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.base import ItemSource


class Plain(ItemSource):
    def window(self, epoch: int) -> Sequence[int]:
        return range(2)

    def get(self, index: int) -> Sample:
        return Sample(name=str(index))

    @property
    def warnings(self) -> tuple[Fault, ...]:
        return ()


def test_defaults_do_nothing() -> None:
    source = Plain()
    source.move_to(3)
    source.begin(3)
    source.close()
    source.close()
    assert [source.get(index).name for index in source.window(3)] == ["0", "1"]
