"""``python -m nvmidl.apps.train`` and ``python -m nvmidl.apps.evaluate``."""

# SPDX-License-Identifier: Apache-2.0
