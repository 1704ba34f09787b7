"""Transforms of points that say where an object is: its extreme points, found or clicked."""

# SPDX-License-Identifier: Apache-2.0
