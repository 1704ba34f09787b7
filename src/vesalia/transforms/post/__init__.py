"""Transforms of what a network gave: from probabilities to label maps ready to write."""

# SPDX-License-Identifier: Apache-2.0
