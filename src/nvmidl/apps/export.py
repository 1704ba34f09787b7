"""``python -m nvmidl.apps.export --model_file_path DIR --model_name model ...``: v3's files beside the weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from vesalia.cli.export import export_as_v3

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Export as the scripts of old archives ask for it; arguments that only TensorFlow understood are passed over."""
    given, unknown = _parser().parse_known_args(argv)
    if unknown:
        sys.stderr.write(f"nvmidl.apps.export: without effect here: {' '.join(unknown)}\n")
    serving = given.trtis_model_name or given.model_name if _is_on(given.trtis_export) else None
    root = os.environ.get("MMAR_ROOT")
    weights = _below(Path(given.model_file_path), root) / given.model_name
    export_as_v3(
        weights,
        archive=_archive(weights, root),
        nodes=(given.input_node_names, given.output_node_names),
        triton_name=serving,
        triton_shape=" ".join(given.trtis_input_shape) if given.trtis_input_shape else None,
        json_wanted=given.json,
        allow_custom_code=given.allow_custom_code,
    )


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m nvmidl.apps.export", allow_abbrev=False)
    made.add_argument("--model_file_path", required=True, metavar="DIR", help="folder of the checkpoint")
    made.add_argument("--model_name", default="model", help="name of the checkpoint, without .ckpt")
    made.add_argument("--model_file_format", default="CKPT", help="accepted; the weights beside the name are read")
    made.add_argument("--input_node_names", default="NV_MODEL_INPUT", help="kept in the record")
    made.add_argument("--output_node_names", default="NV_MODEL_OUTPUT", help="kept in the record")
    made.add_argument("--trt_min_seg_size", default="50", help="accepted; TensorRT takes no part")
    made.add_argument("--trtis_export", nargs="?", const="true", default="false", help="write for Triton, too")
    made.add_argument("--trtis_model_name", help="name of the model in Triton")
    made.add_argument("--trtis_input_shape", nargs="+", metavar="SIZE", help="channels and sizes, such as 1 64 64 64")
    made.add_argument("--set", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="accepted")
    made.add_argument("--allow-custom-code", action="store_true", help="let code from the custom folder run")
    made.add_argument("--json", action="store_true", help="last line of standard output is one JSON object")
    return made


def _is_on(value: str) -> bool:
    return value.strip().lower() in {"true", "1", "yes"}


def _below(folder: Path, root: str | None) -> Path:
    """``folder``, from the archive's root where a relative one is not there."""
    if folder.is_absolute() or folder.exists() or root is None:
        return folder
    return Path(root) / folder


def _archive(weights: Path, root: str | None) -> Path | None:
    """The archive: what the script's ``set_env.sh`` says, else the next folder above the weights that has configs."""
    above = [Path(root)] if root else list(weights.absolute().parents)
    return next((folder for folder in above if (folder / "config").is_dir()), None)


if __name__ == "__main__":
    main()
