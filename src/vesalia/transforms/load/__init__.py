"""Transforms that turn files into volumes."""

# SPDX-License-Identifier: Apache-2.0
