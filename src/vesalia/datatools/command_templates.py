"""The shell scripts below ``commands/`` of a new archive, and ``resources/log.config``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LOG_CONFIG", "command_scripts"]

_SET_ENV = """\
#!/bin/sh
# Sourced by the scripts beside it: sets MMAR_ROOT (the archive's folder) and PYTHON (which Python to use).
MMAR_ROOT="$(cd "$(dirname "$0")/.." && pwd)"
export MMAR_ROOT
PYTHON="${PYTHON:-python}"
export PYTHON
"""

_SCRIPT = """\
#!/bin/sh
# {purpose}
# Further settings go on the command line: {example}
set -eu
. "$(dirname "$0")/set_env.sh"
{body}
"""

_TRAIN = """\
exec "$PYTHON" -m nvmidl.apps.train \\
    -m "$MMAR_ROOT" -c config/config_train.json -e config/environment.json \\
    --set {settings}"$@\""""

_TRAIN_TOGETHER = """\
exec "$PYTHON" -m torch.distributed.run --standalone --nproc-per-node "${GPUS:-gpu}" \\
    -m nvmidl.apps.train \\
    -m "$MMAR_ROOT" -c config/config_train.json -e config/environment.json \\
    --set multi_gpu=true "$@\""""

_EVALUATE = """\
exec "$PYTHON" -m nvmidl.apps.evaluate \\
    -m "$MMAR_ROOT" -c config/config_validation.json -e config/environment.json \\
    --set do_validation={judge} output_infer_result={write} "$@\""""

_EXPORT = """\
exec "$PYTHON" -m vesalia export "$MMAR_ROOT" "$@\""""

LOG_CONFIG = """\
[loggers]
keys=root

[handlers]
keys=console

[formatters]
keys=plain

[logger_root]
level=INFO
handlers=console

[handler_console]
class=StreamHandler
level=INFO
formatter=plain
args=(sys.stdout,)

[formatter_plain]
format=%(asctime)s %(levelname)s %(name)s: %(message)s
"""
"""Python logging: INFO and above to standard output."""


def command_scripts() -> Mapping[str, str]:
    """File name to content of every script."""
    start = '"$MMAR_ROOT/models/model.ckpt"'
    train, evaluate = _TRAIN.format, _EVALUATE.format
    return {
        "set_env.sh": _SET_ENV,
        "train.sh": _script("Trains the model from the start.", train(settings=""), "train.sh epochs=10"),
        "train_multi_gpu.sh": _script(
            "Trains on all GPUs of this machine, a process for each; with GPUS=2 before it, in two processes.",
            _TRAIN_TOGETHER,
            "train_multi_gpu.sh epochs=10",
        ),
        "train_finetune.sh": _script(
            "Trains on from the best model below models/.",
            train(settings=f"MMAR_CKPT={start} "),
            "train_finetune.sh learning_rate=1e-4",
        ),
        "validate.sh": _script(
            "Judges the best model on the validation cases; the results go to eval/.",
            evaluate(judge="true", write="false"),
            "validate.sh DATA_LIST_KEY=training",
        ),
        "infer.sh": _script(
            "Writes the best model's predictions for the validation cases to eval/.",
            evaluate(judge="false", write="true"),
            "infer.sh DATA_LIST_KEY=test",
        ),
        "export.sh": _script(
            "Writes the best model for other software, beside its weights: as TorchScript, or as --to says.",
            _EXPORT,
            "export.sh --to onnx,triton",
        ),
    }


def _script(purpose: str, body: str, example: str) -> str:
    return _SCRIPT.format(purpose=purpose, example=f"commands/{example}", body=body)
