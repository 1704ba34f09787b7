"""Memory is used again when nobody holds it, and never while somebody does."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vesalia.imaging.volume import Volume
from vesalia.pipelines import buffers as buffers_module
from vesalia.pipelines.buffers import BatchRoom, Buffers
from vesalia.transforms.fusion.work import Room

CPU = torch.device("cpu")


def take(buffers: Buffers, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """A block on the CPU."""
    return buffers.take(shape, dtype=dtype, device=CPU)


def test_memory_that_is_free_is_used_again() -> None:
    buffers = Buffers()
    block = take(buffers, 4, 5)
    address = block.data_ptr()
    del block
    assert take(buffers, 4, 5).data_ptr() == address


@pytest.mark.parametrize("hold", [lambda block: block, lambda block: block[1:2], lambda block: block[0].numpy()])
def test_memory_in_use_is_left_alone(hold) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - three kinds of view
    buffers = Buffers()
    held = hold(take(buffers, 4, 5))
    address = held.data_ptr() if isinstance(held, torch.Tensor) else held.ctypes.data
    assert take(buffers, 4, 5).data_ptr() not in {address, address - 20}
    del held


def test_another_shape_or_type_gets_memory_of_its_own() -> None:
    buffers = Buffers()
    take(buffers, 4, 5)
    assert tuple(take(buffers, 5, 4).shape) == (5, 4)
    assert take(buffers, 4, 5, dtype=torch.int16).dtype == torch.int16


def test_no_more_blocks_are_kept_than_asked_for() -> None:
    buffers = Buffers(keep=1)
    address = take(buffers, 400, 5).data_ptr()
    other = take(buffers, 50, 4)
    assert other.data_ptr() != address
    assert len(buffers._blocks) == 1


def test_shapes_that_never_come_again_keep_no_more_than_is_in_use() -> None:
    buffers, held = Buffers(keep=88), list[torch.Tensor]()
    for side in range(1000, 1059):
        held = held[-2:]
        held.append(take(buffers, side))
        in_use = sum(block.nbytes for block in held)
        assert sum(block.nbytes for block in buffers._blocks) <= 2 * in_use
    assert len(buffers._blocks) in {5, 6}


def test_what_was_wanted_longest_ago_goes_first() -> None:
    buffers = Buffers()
    addresses = [block.data_ptr() for block in [take(buffers, 100), take(buffers, 101), take(buffers, 102)]]
    assert take(buffers, 100).data_ptr() == addresses[0]
    take(buffers, 202)
    assert [len(block) for block in buffers._blocks] == [102, 100, 202]


def test_shapes_that_take_turns_keep_their_memory() -> None:
    """Image and label of a batch, as many in use as are prefetched."""
    buffers, held = Buffers(keep=88), list[tuple[torch.Tensor, ...]]()
    seen: list[int] = []
    for step in range(30):
        held = held[-2:] if step % 5 else []
        held.append((take(buffers, 4000), take(buffers, 4000, dtype=torch.uint8)))
        seen.append(held[-1][0].data_ptr())
    assert len(set(seen[5:])) == 3
    assert len(buffers._blocks) == 6


def test_clearing_lets_go() -> None:
    buffers = Buffers()
    take(buffers, 3)
    buffers.clear()
    assert buffers._blocks == []


def test_without_the_count_nothing_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers_module, "_USES_UNSEEN", None)
    buffers = Buffers()
    take(buffers, 4)
    assert buffers_module._count_alone() == 0
    assert buffers._blocks == []
    assert take(buffers, 4).shape == (4,)


def ask(place: Room, *shape: int) -> torch.Tensor:
    """Memory for the image."""
    return place.take("image", shape, like=torch.zeros(1), dtype=torch.float32)


def volume(data: torch.Tensor) -> Volume:
    """A batch of crops."""
    return Volume(data, None, "first", batched=True)


def test_items_in_their_places_are_a_batch_already() -> None:
    room = BatchRoom(Buffers(), 2)
    parts = [
        room.place(index).take("image", (3, 1, 2, 2), like=torch.zeros(1), dtype=torch.float32) for index in (0, 1)
    ]
    for number, part in enumerate(parts):
        part.fill_(float(number))
    whole = room.whole("image", [volume(part) for part in parts])
    assert whole is not None
    assert whole.shape == (2, 3, 1, 2, 2)
    assert whole[1].eq(1.0).all()


def test_items_elsewhere_are_not() -> None:
    room = BatchRoom(Buffers(), 2)
    parts = [
        room.place(index).take("image", (3, 1, 2, 2), like=torch.zeros(1), dtype=torch.float32) for index in (0, 1)
    ]
    volumes = [volume(parts[0]), volume(parts[1].clone())]
    assert room.whole("image", volumes) is None
    assert room.whole("image", [replace(volumes[0], data=parts[0][:2]), volume(parts[1])]) is None
    assert room.whole("image", volumes[:1]) is None
    assert room.whole("label", volumes) is None


def test_a_place_is_given_once() -> None:
    place = BatchRoom(Buffers(), 1).place(0)
    first, second = ask(place, 1, 2), ask(place, 1, 2)
    assert first.data_ptr() != second.data_ptr()


def test_an_item_of_another_shape_gets_memory_of_its_own() -> None:
    room = BatchRoom(Buffers(), 2)
    first, second = ask(room.place(0), 1, 2), ask(room.place(1), 1, 3)
    assert (tuple(first.shape), tuple(second.shape)) == ((1, 2), (1, 3))
