"""Transforms that change values and leave every voxel in its place."""

# SPDX-License-Identifier: Apache-2.0
