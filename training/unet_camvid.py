"""Train the bundled U-Net for street scenes on CamVid, 11 classes, on a CPU.

    python -m training.unet_camvid --data DIR --out DIR            # resumes from DIR/unet-camvid/last.pt
    python -m training.unet_camvid --data DIR --out DIR --export   # the weights and their score on the test split

It begins with the bundled U-Net for pets, all but its last layer. It learns from the training and the validation split, as no
choice is made by either; the test split is scored.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2

from training import segmenter, unet_pets
from training.running import command_line, write_card
from training.segmenter import IGNORED, Recipe, Scene

FOLDER = "camvid11_320x240"
UNLABELLED = 11
CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "cyclist",
)
RECIPE = Recipe(
    classes=CLASSES,
    size=192,
    least=0.45,
    most=1.0,
    turn=5.0,
    weights=Path(__file__).parents[1] / "pretrained/weights/unet-camvid.safetensors",
    begins_with=unet_pets.RECIPE.weights,
    rarity=0.5,
)


def load(root: Path, split: str) -> list[Scene]:
    """All scenes of a split: "train", "val" or "test". root: the folder in which camvid11_320x240/ lies."""
    folder = root / FOLDER
    theirs = json.loads((folder / "classes.json").read_text())
    assert len(theirs) == len(CLASSES) + 1, theirs  # the last one is "Unlabelled"
    scenes = []
    for path in sorted((folder / split).glob("*.jpg")):
        image = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        mask = cv2.imread(str(folder / f"{split}annot" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        mask[mask == UNLABELLED] = IGNORED
        scenes.append(Scene(image, mask))
    return scenes


def train(data: Path, out: Path, epochs: int) -> None:
    """As segmenter.train."""
    segmenter.train(RECIPE, load(data, "train") + load(data, "val"), load(data, "test"), out, epochs)


def export(data: Path, out: Path) -> None:
    """As segmenter.export."""
    write_card(RECIPE.weights, segmenter.export(RECIPE, load(data, "test"), out))


if __name__ == "__main__":
    command_line(
        __doc__,
        data="folder with camvid11_320x240/",
        amount="epochs",
        default=68,
        train=train,
        export=export,
    )
