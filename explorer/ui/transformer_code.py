"""What the Transformer page steps through, with the words beside the tensors; and the snippet that computes what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explorer.models.transformer import TransformerConfig
from explorer.trace import Trace
from explorer.transformer_views import Run
from explorer.translation import FRENCH
from explorer.ui.steps import Labels
from explorer.ui.transformer_diagram import in_run, kind_of
from explorer.ui.transformer_settings import Current

ATTENTIONS = ("attention", "masked", "cross")


def first_shown(steps: Trace) -> int:
    """The step to open on: the first softmax, or the last step where there is none."""
    return steps.first("softmax") or len(steps.steps) - 1


def box_steps(run: Run, box: str, layer: int) -> tuple[Trace, Labels]:
    """The steps of one box, and the words that rows and columns of its tensors stand for."""
    decoding = box.startswith(("decoder", "target")) or box in ("output", "softmax")
    words = run.target if decoding else run.source
    keys = run.source if kind_of(box) == "cross" else words
    labels = attention_labels(words, keys)
    if box in ("output", "softmax"):
        labels = {name: {"rows": words, "columns": FRENCH} for name in ("logits", "probabilities", "self.output(x)")}
    return run.part(in_run(box, layer)), labels


def attention_labels(words: Sequence[str], keys: Sequence[str]) -> dict[str, Mapping[str, Sequence[str]]]:
    """Names in the models' source → words. words: those that ask; keys: those that are asked."""
    asking = "q query x output joined heads hidden vectors positions return".split()
    return {
        **{name: {"rows": words} for name in asking},
        **{name: {"rows": keys} for name in "k key v value memory".split()},
        **{name: {"rows": words, "columns": keys} for name in ("scores", "weights", "mask")},
    }


def snippet(used: Current, source: Sequence[str], target: Sequence[str]) -> str:
    """Python that leaves in `result` the probabilities of the run."""
    settings = used.settings
    imports, model = {
        "bundled": ("from pretrained.translation import load_translator", "model = load_translator().module"),
        "random": (
            f"{CONFIG_IMPORT}\nfrom explorer.translation_training import untrained",
            f"model = untrained({_config(settings.config)}, seed={settings.seed}).eval()",
        ),
        "page": (
            f"{CONFIG_IMPORT}\nfrom explorer.translation_training import train_translator",
            f"for progress in train_translator({_config(settings.config)}, seed={settings.seed}):\n"
            f"    if progress.step == {0 if used.progress is None else used.progress.step}:\n        break\n"
            "model = progress.model",
        ),
    }[used.origin]
    lines = sorted(["from explorer.transformer_views import run", *imports.split("\n")])
    words = f"source = {list(source)!r}\ntarget = {list(target)!r}"
    return "\n".join([*lines, "", model, words, "result = run(model, source, target).probabilities"])


CONFIG_IMPORT = "from explorer.models.transformer import TransformerConfig"


def _config(config: TransformerConfig) -> str:
    named = f"d_model={config.d_model}, heads={config.heads}, d_ff={config.d_ff}, layers={config.layers}"
    norm = ", pre_norm=True" if config.pre_norm else ""
    activation = ', activation="gelu"' if config.activation == "gelu" else ""
    return f"TransformerConfig({named}{norm}{activation})"
