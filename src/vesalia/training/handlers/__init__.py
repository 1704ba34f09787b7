"""What a config can name under ``handlers``: listeners that the user switches on.

A handler is a :class:`vesalia.training.listener.Listener`; the loop does not know it from any other.
"""

# SPDX-License-Identifier: Apache-2.0
