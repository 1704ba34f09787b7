"""Transforms that change where voxels lie: layout, spacing, flips, padding, and the way back."""

# SPDX-License-Identifier: Apache-2.0
