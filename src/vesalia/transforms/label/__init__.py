"""Transforms of label maps."""

# SPDX-License-Identifier: Apache-2.0
