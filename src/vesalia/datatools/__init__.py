"""Data before training: made, recognised, measured, checked, and turned into a ready archive.

* ``synthetic.synthesize`` makes a small CT-like data set whose organs are known;
* ``dataset.read_dataset`` recognises a Decathlon or nnU-Net data set and describes it;
* ``scan.scan`` measures it;
* ``new_archive.new_archive`` writes an MMAR for it;
* ``preflight.preflight`` checks the data that a plan is about to use.

``api`` and ``cli`` may import this folder; it may import ``mmar`` and ``pipelines``
and what lies below them.
"""

# SPDX-License-Identifier: Apache-2.0
