"""A trained model at work: its weights on disk, what it says of a subject, how well it says it, and how that looks.

Read ``weights.py`` (a model on disk), then ``predict.py`` (one subject), then ``evaluate.py`` and ``infer.py``
(a list of subjects), then ``report.py`` (what a person looks at). Training uses ``weights.py`` and ``scores.py``;
the applications above use all of it. It imports ``mmar``, ``pipelines`` and what lies below them, never ``training``.
"""

# SPDX-License-Identifier: Apache-2.0
