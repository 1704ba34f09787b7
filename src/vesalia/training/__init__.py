"""Making a model: one readable loop over objects that were built from a plan.

Read ``fit.py`` (from a plan to objects), then ``loop.py`` (what happens to them). Precision, schedule, tracking
and display are objects whose base does nothing. Imported by the applications and the Python face above.
"""

# SPDX-License-Identifier: Apache-2.0
