"""Transforms that cut windows out of volumes.

``window`` holds the cutting, ``centres`` the choice of places; the classes put the two together.
"""

# SPDX-License-Identifier: Apache-2.0
