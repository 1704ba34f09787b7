"""Writes the generated pages of the reference from signatures and docstrings; ``--check`` only compares.

No page is written by hand that could be read from the code: one page per component, the command line, the Python face.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docstrings
import typer

import vesalia
from vesalia.cli.main import app
from vesalia.registry.catalog import CATALOG, INJECTED
from vesalia.registry.kinds import describe
from vesalia.registry.registry import find
from vesalia.registry.signature import Signature, read_signature
from vesalia.registry.source import SourceModule, locate_module, read_source
from vesalia.registry.target import Target

__all__ = ["generate", "main", "outdated"]

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path("docs/reference")
LONG_EXAMPLE = 4
MADE_BY = "<!-- Written by scripts/docs from the source; change the source instead. -->"

# Slot, as the catalogue calls it: where it stands in a config, and what it is.
SLOTS = {
    "transform": ("`pre_transforms`, `post_transforms`, `label_transforms`, `batch_transforms`", "Transforms"),
    "model": ("`train.model`", "Models"),
    "loss": ("`train.loss`", "Losses"),
    "optimizer": ("`train.optimizer`", "Optimizers"),
    "lr_policy": ("`train.lr_policy`", "Learning-rate policies"),
    "aux_op": ("`train.aux_ops`", "Auxiliary operations"),
    "metric": ("`validate.metrics`, `val_metrics`", "Metrics"),
    "inferer": ("`validate.inferer`, `inferer`", "Inferers"),
    "writer": ("`writers`", "Writers"),
    "model_loader": ("`model_loader`", "Model loaders"),
    "image_pipeline": ("`train.image_pipeline`, `validate.image_pipeline`", "Image pipelines"),
    "handler": ("`train.handlers`", "Handlers"),
}

# Where the first value that a type allows would not do, or would not be usual.
EXAMPLES: dict[str, dict[str, Any]] = {
    "ArgmaxAcrossChannels": {"fields": "model"},
    "ComputeAverage": {"name": "mean_loss", "field": "negloss"},
    "ComputeAverageDice": {"name": "mean_dice", "field": "model", "is_key_metric": True},
    "ComputeDice": {"tag": "dice"},
    "ConvertToMultiChannelBasedOnLabel": {"fields": "label", "labels": [0, 1]},
    "CopyProperties": {"fields": "model", "from_field": "image"},
    "DiceMaskedOutput": {"tags": ["dice"]},
    "KeepLargestCC": {"fields": "model"},
    "LibrarySchedule": {
        "path": "torch.optim.lr_scheduler.StepLR",
        "arguments": {"step_size": 50, "gamma": 0.5},
        "epochs": 100,
    },
    "MonaiTransform": {
        "path": "monai.transforms.RandHistogramShiftd",
        "arguments": {"keys": "image", "prob": 0.1},
    },
    "NegLoss": {"tag": "negloss"},
    "RestoreOriginalShape": {"field": "model", "src_field": "image"},
    "ScaleIntensityRange": {
        "fields": "image",
        "a_min": -160.0,
        "a_max": 240.0,
        "b_min": 0.0,
        "b_max": 1.0,
        "clip": True,
    },
    "SplitBasedOnLabel": {"field": "model", "label_names": ["background", "liver"]},
    "Unet": {"num_classes": 2, "nf_enc": "32,64,64,64", "nf_dec": "64,64,64,64,64,32,32"},
    "SegResnet": {"num_classes": 2},
    "UnetParallel": {"num_classes": 2, "nf_enc": "32,64,64,64", "nf_dec": "64,64,64,64,64,32,32"},
    "SegAhnet": {"num_classes": 2, "plane": "z", "n_spatial_dim": 3},
    "DenseNet121": {"num_classes": 15},
    "Alexnet": {"num_classes": 3},
    "LibraryModel": {
        "path": "monai.networks.nets.UNet",
        "num_classes": 2,
        "arguments": {"channels": [16, 32, 64], "strides": [2, 2]},
    },
    "LibraryLoss": {
        "path": "monai.losses.DiceCELoss",
        "arguments": {"softmax": True, "to_onehot_y": True},
    },
    "LibraryOptimizer": {"path": "torch.optim.AdamW", "arguments": {"weight_decay": 0.01}},
    "WriteNifti": {"field": "model", "dtype": "uint8", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"},
    "SegmentationImagePipeline": {
        "data_list_file_path": "{DATASET_JSON}",
        "data_file_base_dir": "{DATA_ROOT}",
        "data_list_key": "training",
        "output_crop_size": [96, 96, 96],
        "output_batch_size": 4,
    },
    "SegmentationImagePipelineWithCache": {
        "data_list_file_path": "{DATASET_JSON}",
        "data_file_base_dir": "{DATA_ROOT}",
        "data_list_key": "training",
        "output_crop_size": [96, 96, 96],
        "output_batch_size": 4,
        "num_cache_objects": 32,
        "replace_percent": 0.0,
    },
}

# What the public names take and give, with the module to import it from where one needs the name.
TYPES = {
    "TrainResult": "vesalia.training.result",
    "EvaluateResult": "vesalia.inference.results",
    "InferResult": "vesalia.inference.results",
    "ExportResult": "vesalia.deploy.export",
    "ImportResult": "vesalia.inference.importing",
    "PipelineBench": "vesalia.datatools.pipeline_bench",
    "RunResult": "vesalia.deploy.runner.run",
    "Advice": "vesalia.datatools.pipeline_advice",
    "RunCase": "vesalia.deploy.runner.run",
    "MatchReport": "vesalia.inference.matching",
    "Setting": "vesalia.datatools.pipeline_costs",
    "Costs": "vesalia.datatools.pipeline_costs",
    "CaseResult": "vesalia.inference.results",
    "MetricSummary": "vesalia.inference.results",
    "Statistics": "vesalia.inference.results",
    "SubjectScore": "vesalia.components.metrics.base",
    "Volume": "vesalia.imaging.volume",
    "Source": "vesalia.imaging.volume",
    "Grid": "vesalia.imaging.geometry",
    "PreflightReport": "vesalia.datatools.preflight",
    "Estimate": "vesalia.datatools.estimate",
    "StopRequest": "vesalia.runtime.interrupts",
    "RunStart": "vesalia.training.listener",
    "StepReport": "vesalia.training.listener",
    "EpochReport": "vesalia.training.listener",
    "ValidationReport": "vesalia.training.listener",
}
PYTHON_HEAD = """\
`import vesalia` is quick and loads no torch. The names of `vesalia`, and the attributes of what they take and give, are
public; anything else may change.

[Use it from Python or a notebook](../how-to/use-from-python.md) shows them at work.

In the signatures, `Overrides` is a mapping (`{"epochs": 2}`) or texts (`["epochs=2"]`), `ShowProgress` is called with
(done, total), `Affine` is a 4 x 4 array, `Shape` a tuple of sizes, and `ChannelAxis` is `none`, `first` or `last`.
"""

COMMAND_LINE_HEAD = """\
Every command takes `--help`.

| exit code | means |
|---|---|
| 0 | done |
| 1 | a defect of Vesalia |
| 2 | something you can mend: an argument, a config, the data, the machine |
| 130, 143 | stopped by Ctrl-C or SIGTERM; what was done is saved |

With `--json` the last line of standard output is one JSON object; progress goes to standard error.

`--set` takes any number of `KEY=VALUE` after it. A duration is `300s`, `5m` or `1h`.
"""
COMMAND_LINE_END = """
## The names of old archives

`python -m nvmidl.apps.train` and `python -m nvmidl.apps.evaluate` take `-m ROOT -c FILE -e FILE --set KEY=VALUE ...`
and call `vesalia train`, `vesalia evaluate` or `vesalia infer`: the scripts in an archive's `commands/` run unchanged.

`python -m nvmidl.apps.export` takes v3's arguments and writes v3's file names
([how](../how-to/export-a-model.md)). `nvmidl-dataconvert` and `tlt-dataconvert` take `-d SRC -o DST -r MM -s .nii.gz
-e .nii.gz -l` and call `vesalia data convert` ([how](../how-to/convert-data.md)).
"""


def generate() -> dict[Path, str]:
    """Every generated page, by its path in the repository."""
    pages = {REFERENCE / "command-line.md": command_line_page(), REFERENCE / "python.md": python_page()}
    rows: list[str] = []
    for slot, (_, title) in SLOTS.items():
        rows += ["", f"## {title}", "", f"In a config: {SLOTS[slot][0]}.", "", "| name | what it is |", "|---|---|"]
        for name in sorted(CATALOG[slot]):
            target = require(slot, name)
            signature = read_signature(target)
            pages[REFERENCE / "components" / slot / f"{name}.md"] = component_page(slot, name, target=target)
            rows.append(f"| [{name}]({slot}/{name}.md) | {cell(docstrings.read(signature.doc).summary)} |")
    intro = "Each name a config may use, by where it stands. `vesalia components` prints the same list."
    pages[REFERENCE / "components" / "README.md"] = page("Components", [intro, *rows])
    return pages


def page(title: str, lines: list[str]) -> str:
    """A whole page from its title and lines."""
    return "\n".join([f"# {title}", "", MADE_BY, "", *lines]).rstrip() + "\n"


def cell(text: str) -> str:
    """Text made fit for a table."""
    return " ".join(text.split()).replace("|", "\\|")


def require(slot: str, name: str) -> Target:
    """The class of a component that the catalogue names."""
    target = find(slot, name)
    if target is None:
        message = f"{slot} {name}: is in the catalogue and has no class"
        raise LookupError(message)
    return target


def component_page(slot: str, name: str, *, target: Target) -> str:
    """The page of one component."""
    signature = read_signature(target)
    doc = docstring_of(target)
    source = target.file.relative_to(ROOT).as_posix()
    module = target.module.removeprefix("vesalia.").replace(".", "/")
    folder, _, stem = module.rpartition("/")
    lines = [doc.summary, ""]
    lines += [doc.body, ""] if doc.body else []
    lines += [f"In a config: {SLOTS[slot][0]}.", "", "```json", example(slot, name, signature=signature), "```", ""]
    lines += argument_table(slot, signature, doc)
    raises = doc.entries("Raises")
    if raises:
        lines += ["", "## Errors", "", "| error | when |", "|---|---|"]
        lines += [f"| `{error}` | {cell(when)} |" for error, when in raises.items()]
    up = "../../../.."
    test = f"tests/{folder}/test_{stem}.py"
    links = [f"[{source}]({up}/{source})"]
    links += [f"[{test}]({up}/{test})"] if (ROOT / test).is_file() else []
    lines += ["", f"Source: {', '.join(links)}. All components: [list](../README.md)."]
    return page(name, lines)


def docstring_of(target: Target) -> docstrings.Docstring:
    """The docstring of a class; its constructor's sections are added where it has a docstring of its own.

    A class without a constructor of its own has the sections of its base too.
    """
    module = read_source(target.file, target.module)
    node = module.classes[target.qualname]
    doc = docstrings.read(ast.get_docstring(node) or "")
    constructors = [m for m in node.body if isinstance(m, ast.FunctionDef) and m.name == "__init__"]
    for constructor in constructors:
        doc.sections |= docstrings.read(ast.get_docstring(constructor) or "").sections
    if not constructors:
        for base in bases_of(node, module):
            doc.sections = docstring_of(base).sections | doc.sections
    return doc


def bases_of(node: ast.ClassDef, module: SourceModule) -> Iterator[Target]:
    """The bases of a class that are imported from modules of ours."""
    for name in (base.id for base in node.bases if isinstance(base, ast.Name)):
        origin, imported = module.imports.get(name, ("", ""))
        file = locate_module(origin) if origin.startswith("vesalia.") else None
        if file is not None:
            yield Target(origin, imported, "builtin", file)


def written(slot: str, signature: Signature) -> list[str]:
    """The parameters that a config writes: the framework fills in the others."""
    return [name for name in signature.parameters if name not in INJECTED.get(slot, frozenset())]


def example(slot: str, name: str, *, signature: Signature) -> str:
    """An entry of a config that is right: the required arguments, and what is usual."""
    args = example_args(slot, name, signature=signature)
    if not args:
        return json.dumps({"name": name})
    if len(args) < LONG_EXAMPLE:
        return json.dumps({"name": name, "args": args})
    lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in args.items())
    return f'{{\n  "name": "{name}",\n  "args": {{\n{lines}\n  }}\n}}'


def example_args(slot: str, name: str, *, signature: Signature) -> dict[str, Any]:
    """The arguments of the example: those of :data:`EXAMPLES`, else a value that the type allows for each required."""
    if name in EXAMPLES:
        return EXAMPLES[name]
    needed = (signature.parameters[key] for key in written(slot, signature))
    return {p.name: json.loads(describe(p.annotation).write) for p in needed if p.required}


def argument_table(slot: str, signature: Signature, doc: docstrings.Docstring) -> list[str]:
    """The arguments as a table: what each may be, its default, what it means."""
    names = written(slot, signature)
    if not names:
        return ["It takes no arguments."]
    meaning = doc.entries("Args")
    lines = ["## Arguments", "", "| argument | may be | default | meaning |", "|---|---|---|---|"]
    for name in names:
        parameter = signature.parameters[name]
        default = "required" if parameter.required else f"`{json.dumps(signature.defaults.get(name), default=list)}`"
        may_be = describe(parameter.annotation).expected
        lines.append(f"| `{name}` | {cell(may_be)} | {cell(default)} | {cell(meaning.get(name, ''))} |")
    return lines


def command_line_page() -> str:
    """The page of the command line, from the parser itself."""
    command: Any = typer.main.get_command(app)
    lines = [
        *COMMAND_LINE_HEAD.splitlines(),
    ]
    for words, verb in commands_of(command, ("vesalia",)):
        lines += ["", f"## {' '.join(words)}", "", docstrings.markdown(verb.help or ""), ""]
        lines += ["| argument | meaning |", "|---|---|"]
        lines += [
            f"| {option_cell(option)} | {cell(option.help or '')} |" for option in verb.params if not option.hidden
        ]
    lines += [
        *COMMAND_LINE_END.splitlines(),
    ]
    return page("Command line", lines)


def commands_of(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below one, with the words that call it."""
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from commands_of(child, (*words, name))
        else:
            yield (*words, name), child


def option_cell(option: Any) -> str:
    """How an argument is written."""
    if option.param_type_name == "argument":
        return f"`{option.metavar or option.name.upper()}`"
    names = [*option.opts, *option.secondary_opts]
    return ", ".join(f"`{name}`" for name in names)


def python_page() -> str:
    """The page of the Python face: every public name, and the types they take and give."""
    lines = PYTHON_HEAD.splitlines()
    for name in vesalia.__all__:
        lines += ["", f"## {name}", "", *described(name, getattr(vesalia, name))]
    lines += ["", "## What they take and give", "", "Each with the line that imports it, where the name is needed."]
    for name, module in TYPES.items():
        lines += ["", f"## {name}", "", f"`from {module} import {name}`", ""]
        lines += described(name, getattr(importlib.import_module(module), name))
    return page("Python", lines)


def described(name: str, thing: type | Callable[..., Any]) -> list[str]:
    """A class or a function: signature, text, arguments, methods."""
    doc = docstrings.read(inspect.getdoc(thing) or "")
    lines = [] if isinstance(thing, type) and issubclass(thing, BaseException) else [*signature_of(name, thing), ""]
    lines += [part for part in (doc.summary, "", doc.body) if part or doc.body]
    for section in ("Args", "Attributes", "Raises"):
        lines += ["", *entry_list(section, doc)] if doc.entries(section) else []
    if doc.text("Returns"):
        lines += ["", f"Returns: {' '.join(doc.text('Returns').split())}"]
    lines += explained(thing)
    if isinstance(thing, type):
        lines += property_list(thing)
        for method in public_methods(thing):
            lines += ["", f"### {name}.{method}", "", *described(method, getattr(thing, method))]
    return lines


def explained(thing: type | Callable[..., Any]) -> list[str]:
    """Links to the types of the page that a function's signature names."""
    if isinstance(thing, type):
        return []
    words = re.findall(r"\w+", " ".join(map(str, inspect.get_annotations(thing).values())))
    own = thing.__qualname__.partition(".")[0]
    named = [word for word in dict.fromkeys(words) if word != own and (word in TYPES or word in vesalia.__all__)]
    return ["", f"See {', '.join(f'[{word}](#{word.lower()})' for word in named)}."] if named else []


def property_list(thing: type) -> list[str]:
    """The properties a class of ours has, as a list."""
    found = {name: member for name, member in vars(thing).items() if isinstance(member, property)}
    public = [(name, member) for name, member in found.items() if not name.startswith("_")]
    if not public:
        return []
    rows = [f"- `{name}`: {cell(docstrings.markdown(inspect.getdoc(member) or ''))}" for name, member in public]
    return ["", "Properties:", "", *rows]


def entry_list(section: str, doc: docstrings.Docstring) -> list[str]:
    """The entries of one section as a list."""
    return [f"{section}:", "", *(f"- `{name}`: {text}" for name, text in doc.entries(section).items())]


def public_methods(thing: type) -> list[str]:
    """The methods a class of ours adds, in order."""
    if issubclass(thing, BaseException):
        return []
    return [name for name, member in vars(thing).items() if not name.startswith("_") and inspect.isfunction(member)]


def signature_of(name: str, thing: Callable[..., Any]) -> list[str]:
    """A signature as a fenced block, a parameter a line."""
    found = inspect.signature(thing)
    lines: list[str] = []
    for parameter in found.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in lines:
            lines.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}".replace("<factory>", "{}")
        lines.append(f"{parameter.name}: {parameter.annotation}{default}")
    body = "".join(f"    {line},\n" for line in lines)
    returns = found.return_annotation
    arrow = "" if returns in {found.empty, None, "None"} else f" -> {returns}"
    return ["```text", *(f"{name}(\n{body}){arrow}" if body else f"{name}(){arrow}").splitlines(), "```"]


def outdated(pages: dict[Path, str]) -> list[str]:
    """What differs between the generated pages and the disk, a line each."""
    wrong = []
    for path, text in pages.items():
        file = ROOT / path
        if not file.is_file():
            wrong.append(f"{path}: is missing")
        elif file.read_text(encoding="utf-8") != text:
            wrong.append(f"{path}: is out of date")
    made = (ROOT / REFERENCE / "components").rglob("*.md")
    wrong += [f"{path}: has no component" for path in (p.relative_to(ROOT) for p in made) if path not in pages]
    return sorted(wrong)


def main() -> int:
    """Write the pages, or with ``--check`` say which differ; the exit code for the shell."""
    arguments = argparse.ArgumentParser(description="Writes the generated pages of docs/reference.")
    arguments.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check: bool = arguments.parse_args().check
    pages = generate()
    wrong = outdated(pages)
    if check:
        print("\n".join([*wrong, "run scripts/docs"] if wrong else ["docs: up to date"]))
        return 1 if wrong else 0
    for path, text in pages.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    for line in wrong:
        if line.endswith("has no component"):
            (ROOT / line.partition(":")[0]).unlink()
    print(f"docs: {len(pages)} pages, {len(wrong)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
