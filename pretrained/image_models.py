"""The catalogue's classifiers of photos: the bundled ones, and torchvision's weights for the networks of explorer.models."""

from __future__ import annotations

from typing import Literal

from pretrained.records import ImageClassifier

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
TORCHVISION_LICENCE = "BSD-3-Clause (torchvision); the photos are under ImageNet's research terms"


def _bundled(key: str, name: str, family: str, architecture: str, size: int) -> ImageClassifier:
    """Trained by training/ on Imagenette and Caltech-101. size: of the square it sees, pixels."""
    return ImageClassifier(
        key=key,
        name=name,
        family=family,
        architecture=architecture,
        source="bundled",
        file=f"{key}.safetensors",
        input_size=size,
        resize="squeeze",
        resize_size=size,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        licence="As its photos: CC BY 4.0 (Caltech-101), ImageNet's research terms (Imagenette)",
        data="Imagenette and Caltech-101",
    )


def _official(
    architecture: str,
    digits: str,
    name: str,
    family: str,
    resize_size: int = 256,
    interpolation: Literal["bilinear", "bicubic"] = "bilinear",
    version: int = 1,
    weights: str = "",
    file: str = "",
    hub_repo: str = "",
) -> ImageClassifier:
    """torchvision's. digits: the start of the file's SHA-256, as in its name; weights, file: where they are named otherwise."""
    return ImageClassifier(
        key=f"{architecture}-imagenet-v{version}".replace("_", "-"),
        name=name if version == 1 else f"{name} (new recipe)",
        family=family,
        architecture=architecture,
        source="torchvision",
        weights=f"{weights or architecture.upper()}_Weights.IMAGENET1K_V{version}",
        file=f"{file or architecture}-{digits}.pth",
        hub_repo=hub_repo,
        input_size=224,
        resize="crop",
        resize_size=resize_size,
        interpolation=interpolation,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        licence=TORCHVISION_LICENCE,
        data="ImageNet-1K",
    )


def _resnet(depth: int, version: int, digits: str) -> ImageClassifier:
    return _official(
        f"resnet{depth}",
        digits,
        f"ResNet-{depth}",
        "ResNet",
        resize_size=256 if version == 1 else 232,
        version=version,
        weights=f"ResNet{depth}",
        # timm's "tv2" repositories were made from these very files; its "tv" ones from older uploads of version 1.
        hub_repo=f"timm/resnet{depth}.tv2_in1k" if version == 2 else "",
    )


def _vit(size: str, patch: int, digits: str, resize_size: int = 256) -> ImageClassifier:
    letter = size[0].lower()
    weights = f"ViT_{letter.upper()}_{patch}"
    name = f"ViT-{letter.upper()}/{patch}"
    return _official(f"vit_{letter}_{patch}", digits, name, "Vision Transformer", resize_size, weights=weights)


def _swin(size: str, digits: str, resize_size: int) -> ImageClassifier:
    letter = size[0]
    name, weights = f"Swin-{letter}", f"Swin_{letter}"
    return _official(f"swin_{letter.lower()}", digits, name, "Swin", resize_size, "bicubic", weights=weights)


IMAGE_MODELS: tuple[ImageClassifier, ...] = (
    _bundled("resnet18-photos110", "ResNet-18 (bundled)", "ResNet", "resnet18", 128),
    _bundled("vit-photos110", "ViT, small (bundled)", "Vision Transformer", "vit_small_96", 96),
    _resnet(18, 1, "f37072fd"),
    _resnet(34, 1, "b627a593"),
    _resnet(50, 1, "0676ba61"),
    _resnet(50, 2, "11ad3fa6"),
    _resnet(101, 1, "63fe2227"),
    _resnet(101, 2, "cd907fc2"),
    _resnet(152, 1, "394f9c45"),
    _resnet(152, 2, "f82ba261"),
    _official("googlenet", "1378be20", "GoogLeNet", "GoogLeNet", weights="GoogLeNet"),
    _official("alexnet", "7be5be79", "AlexNet", "AlexNet", weights="AlexNet", file="alexnet-owt"),
    _official("vgg11", "8a719046", "VGG-11", "VGG"),
    _official("vgg13", "19584684", "VGG-13", "VGG"),
    _official("vgg16", "397923af", "VGG-16", "VGG"),
    _official("vgg19", "dcbb9e9d", "VGG-19", "VGG"),
    _vit("Base", 16, "c867db91"),
    _vit("Base", 32, "d86f8d99"),
    _vit("Large", 16, "852ce7e3", resize_size=242),
    _vit("Large", 32, "c7638314"),
    _swin("Tiny", "704ceda3", 232),
    _swin("Small", "5e29d889", 246),
    _swin("Base", "68c6b09e", 238),
)
