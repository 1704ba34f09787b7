"""Configs of Clara Train v4, which name MONAI's and PyTorch's own classes: JSON in, a config in v3's form out."""

# SPDX-License-Identifier: Apache-2.0
