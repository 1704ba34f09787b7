#!/bin/sh
# Sourced by the scripts beside it: sets MMAR_ROOT (the archive's folder) and PYTHON (which Python to use).
MMAR_ROOT="$(cd "$(dirname "$0")/.." && pwd)"
export MMAR_ROOT
PYTHON="${PYTHON:-python}"
export PYTHON
