"""The module names that scripts inside old archives call; each hands over to Vesalia.

Written for Vesalia from the documented command lines; nothing of NVIDIA's code is in it.
"""

# SPDX-License-Identifier: Apache-2.0
