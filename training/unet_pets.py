"""Train the bundled U-Net that cuts out cats and dogs on 600 photos of Oxford-IIIT Pet, on a CPU.

    python -m training.unet_warm_up --data DIR --out DIR        # first: the encoder learns
    python -m training.unet_pets --data DIR --out DIR            # resumes from DIR/unet-pets/last.pt
    python -m training.unet_pets --data DIR --out DIR --export   # the weights and their score

The photos whose number is a multiple of 5 are held out. The annotators drew a band along the pet's outline in which they did
not say what is pet: it is left out of training and score; the score that counts it as pet is given as well.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from training import segmenter
from training.running import command_line, write_card
from training.segmenter import IGNORED, Recipe, Scene

FOLDER = "pets600_max288"
LONGER_SIDE = 192  # pixels
BORDER = 3
CLASSES = ("background", "pet")
RECIPE = Recipe(
    classes=CLASSES,
    size=160,
    least=0.6,
    most=1.3,
    turn=15.0,
    weights=Path(__file__).parents[1] / "pretrained/weights/unet-pets.safetensors",
)


def load(root: Path, held_out: bool, border: int = IGNORED) -> list[Scene]:
    """The training photos, or those held out, their longer side 192 pixels. border: the class of the band round the pet."""
    folder = root / FOLDER
    class_of = np.array([IGNORED, 1, 0, border], np.uint8)  # 1 pet, 2 background, 3 border
    scenes = []
    for entry in json.loads((folder / "annotations.json").read_text())["images"]:
        number = int(Path(entry["file"]).stem.rsplit("_", 1)[1])
        if (number % 5 == 0) != held_out:
            continue
        image = cv2.cvtColor(cv2.imread(str(folder / entry["file"]), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        mask = class_of[cv2.imread(str(folder / entry["mask"]), cv2.IMREAD_UNCHANGED)]
        scale = LONGER_SIDE / max(mask.shape)
        size = (round(mask.shape[1] * scale), round(mask.shape[0] * scale))
        scenes.append(
            Scene(
                cv2.resize(image, size, interpolation=cv2.INTER_AREA),
                cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST),
            )
        )
    return scenes


def train(data: Path, out: Path, epochs: int) -> None:
    """As segmenter.train."""
    segmenter.train(RECIPE, load(data, held_out=False), load(data, held_out=True), out, epochs)


def export(data: Path, out: Path) -> None:
    """As segmenter.export, with the pet's score if the band round it counts as pet."""
    facts = segmenter.export(RECIPE, load(data, held_out=True), out)
    counts = segmenter.confusion(segmenter.exported(RECIPE), load(data, held_out=True, border=1))
    facts |= {"foreground_iou": facts["iou"]["pet"], "foreground_iou_with_border": float(segmenter.ious(counts)[1])}
    write_card(RECIPE.weights, facts)


if __name__ == "__main__":
    command_line(
        __doc__,
        data="folder with pets600_max288/",
        amount="epochs",
        default=100,
        train=train,
        export=export,
    )
