"""Trains the bundled translator, with the very code that the Transformer page trains with.

Run `python -m training.translator`. It takes seconds and writes pretrained/weights/translator-32.safetensors and its card.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save_file

from explorer.translation_training import STEPS, exact, sentences, train_translator
from pretrained import catalog
from pretrained.records import TranslationCard, TranslationModel
from pretrained.translation import BUNDLED, config_of
from training.running import file_facts

HELD_OUT = 500


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=catalog.WEIGHTS, help="folder of the weights and the card")
    out = parser.parse_args().out
    record = catalog.get(BUNDLED, TranslationModel)
    for progress in train_translator(config_of(record), record.seed):
        if progress.step % 50 == 0:
            print(f"update {progress.step}: {progress.accuracy[-1]:.0%} of held-out sentences exact", flush=True)
    path = out / record.file
    state = {name: tensor.contiguous() for name, tensor in progress.model.state_dict().items()}
    save_file(state, path)
    right = exact(progress.model, sentences(HELD_OUT, seed=-2, held=True))
    card = TranslationCard(
        **file_facts(path),
        exact=right,
        held_out=HELD_OUT,
        updates=STEPS,
        losses=[round(loss, 5) for loss in progress.losses.tolist()],
        checked=progress.checked.tolist(),
        accuracy=progress.accuracy.tolist(),
    )
    path.with_suffix(".json").write_text(json.dumps(asdict(card)) + "\n", encoding="utf-8")
    print(f"{right:.1%} of {HELD_OUT} held-out sentences exact")


if __name__ == "__main__":
    main()
