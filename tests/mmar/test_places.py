"""Key paths of a translation: the longest part that is known decides, the rest stays."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.errors import Fault
from vesalia.mmar.places import Places


def test_the_longest_known_part_decides() -> None:
    places = Places()
    places.put("train.pre_transforms[0]", "train.pre_transforms[2]")
    places.put("train.pre_transforms[0].args.fields", "train.pre_transforms[2].args.keys")
    assert places.of("train.pre_transforms[0].args.size[1]") == "train.pre_transforms[2].args.size[1]"
    assert places.of("train.pre_transforms[0].args.fields[1]") == "train.pre_transforms[2].args.keys[1]"
    assert places.of("train.pre_transforms[1]") == "train.pre_transforms[1]"
    assert places.of("") == ""


def test_faults_are_told_with_the_users_keys() -> None:
    places = Places({"use_amp": "amp"})
    assert places.told([Fault("c", "use_amp", "x"), Fault("c", "epochs", "y")]) == [
        Fault("c", "amp", "x"),
        Fault("c", "epochs", "y"),
    ]
