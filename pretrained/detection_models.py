"""The catalogue's networks that find objects in photos, or say what every pixel is."""

from __future__ import annotations

from pretrained.image_models import TORCHVISION_LICENCE
from pretrained.records import Detector, Segmenter

APACHE = "Apache-2.0"
COCO = "COCO 2017"
YOLOX_RELEASE = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/"
COCO_LICENCE = TORCHVISION_LICENCE.partition(";")[0] + "; the photos are under COCO's terms"


def _yolox(size: str, sha256: str, side: int, megabytes: float, precision: float) -> Detector:
    """Megvii's checkpoint of a training. precision: on COCO's validation photos, per cent, as the project's page says."""
    return Detector(
        key=f"yolox-{size}-coco",
        name=f"YOLOX-{size}",
        family="YOLO",
        architecture=f"yolox_{size}",
        source="web",
        file=f"yolox_{size}.pth",
        url=f"{YOLOX_RELEASE}yolox_{size}.pth",
        sha256=sha256,
        part="model",
        licence=f"{APACHE} (Megvii)",
        data=COCO,
        way="yolox",
        input_size=side,
        overlaps=True,
        megabytes=megabytes,
        average_precision=precision / 100,
    )


def _torchvision_detector(
    architecture: str, weights: str, file: str, name: str, family: str, side: int, megabytes: float, precision: float
) -> Detector:
    """torchvision's, with the box AP that its own record of the weights gives, per cent."""
    return Detector(
        key=architecture.replace("_", "-") + "-coco",
        name=name,
        family=family,
        architecture=architecture,
        source="torchvision",
        weights=f"{weights}_Weights.COCO_V1",
        file=file,
        licence=COCO_LICENCE,
        data=COCO,
        way="torchvision",
        input_size=side,
        overlaps=True,
        megabytes=megabytes,
        average_precision=precision / 100,
    )


def _transformer(
    key: str, name: str, architecture: str, repository: str, side: int, megabytes: float, precision: float
) -> Detector:
    """By transformers, from the hub; its model card says the box AP, per cent."""
    return Detector(
        key=key,
        name=name,
        family="Detection by Transformers",
        architecture=architecture,
        source="hub",
        file="model.safetensors",
        hub_repo=repository,
        licence=APACHE,
        data=COCO,
        way="transformers",
        input_size=side,
        overlaps=False,
        megabytes=megabytes,
        average_precision=precision / 100,
    )


DETECTORS: tuple[Detector, ...] = (
    Detector(
        key="yolox-highway",
        name="YOLOX for roads (bundled)",
        family="YOLO",
        architecture="YOLOX",
        source="bundled",
        file="yolox-highway.safetensors",
        licence="As its photos: CC BY 4.0 (highway object detection, Roboflow Universe)",
        data="Photos of roads; its backbone also Imagenette and Caltech-101",
        way="yolox",
        input_size=320,
        overlaps=True,
        megabytes=4.6,
        average_precision=None,
    ),
    _yolox("nano", "cd28f55fbbc1829f99d9ac9b38a16d259a22889739c8728ea877610201feff7b", 416, 7.7, 25.8),
    _yolox("tiny", "9de513de589ac98bb92d3bca53b5af7b9acfa9b0bacb831f7999d0f7afaee8f0", 416, 40.8, 32.8),
    _yolox("s", "f55ded7181e1b0c13285c56e7790b8f0e8f8db590fe4edb37f0b7f345c913a30", 640, 72.1, 40.5),
    _yolox("m", "60076992b32da82951c90cfa7bd6ab70eba9eda243e08b940a396f60ac2d19b6", 640, 203.1, 46.9),
    _torchvision_detector(
        "ssdlite320_mobilenet_v3_large",
        "SSDLite320_MobileNet_V3_Large",
        "ssdlite320_mobilenet_v3_large_coco-a79551df.pth",
        "SSDlite (MobileNetV3)",
        "SSD",
        320,
        14.1,
        21.3,
    ),
    _torchvision_detector(
        "fasterrcnn_mobilenet_v3_large_fpn",
        "FasterRCNN_MobileNet_V3_Large_FPN",
        "fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth",
        "Faster R-CNN (MobileNetV3)",
        "Faster R-CNN",
        800,
        77.8,
        32.8,
    ),
    _torchvision_detector(
        "fasterrcnn_resnet50_fpn",
        "FasterRCNN_ResNet50_FPN",
        "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
        "Faster R-CNN (ResNet-50)",
        "Faster R-CNN",
        800,
        167.5,
        37.0,
    ),
    _transformer("yolos-tiny-coco", "YOLOS-tiny", "YolosForObjectDetection", "hustvl/yolos-tiny", 512, 26.0, 28.7),
    _transformer(
        "detr-resnet50-coco", "DETR (ResNet-50)", "DetrForObjectDetection", "facebook/detr-resnet-50", 800, 166.6, 42.0
    ),
)


def _unet(key: str, name: str, licence: str, data: str, longer_side: int) -> Segmenter:
    return Segmenter(
        key=key,
        name=name,
        family="U-Net",
        architecture="UNet",
        source="bundled",
        file=f"{key}.safetensors",
        licence=licence,
        data=data,
        way="unet",
        input_size=longer_side,
        instances=False,
        megabytes=8.8,
    )


def _torchvision_segmenter(
    architecture: str, weights: str, file: str, name: str, family: str, side: int, megabytes: float
) -> Segmenter:
    instances = "rcnn" in architecture
    return Segmenter(
        key=architecture.replace("_", "-") + ("-coco" if instances else "-voc"),
        name=name,
        family=family,
        architecture=architecture,
        source="torchvision",
        weights=f"{weights}_Weights.{'COCO_V1' if instances else 'COCO_WITH_VOC_LABELS_V1'}",
        file=file,
        licence=COCO_LICENCE,
        data=COCO if instances else f"{COCO}, with the 20 classes of Pascal VOC",
        way="fcn" if architecture.startswith("fcn") else "torchvision",
        input_size=side,
        instances=instances,
        megabytes=megabytes,
    )


SEGMENTERS: tuple[Segmenter, ...] = (
    _unet(
        "unet-camvid",
        "U-Net for streets (bundled)",
        "As its photos: CamVid's and ImageNet's, for research and education; Oxford-IIIT Pet's, CC BY-SA 4.0",
        "468 street scenes of CamVid; before that, as the one for pets, on theirs",
        320,
    ),
    _unet(
        "unet-pets",
        "U-Net for cats and dogs (bundled)",
        "As its photos: CC BY-SA 4.0 (Oxford-IIIT Pet)",
        "480 photos of Oxford-IIIT Pet; its encoder before that on Imagenette and Caltech-101",
        192,
    ),
    _torchvision_segmenter(
        "lraspp_mobilenet_v3_large",
        "LRASPP_MobileNet_V3_Large",
        "lraspp_mobilenet_v3_large-d234d4ea.pth",
        "LR-ASPP (MobileNetV3)",
        "LR-ASPP",
        520,
        13.1,
    ),
    _torchvision_segmenter(
        "deeplabv3_mobilenet_v3_large",
        "DeepLabV3_MobileNet_V3_Large",
        "deeplabv3_mobilenet_v3_large-fc3c493d.pth",
        "DeepLabV3 (MobileNetV3)",
        "DeepLabV3",
        520,
        44.4,
    ),
    _torchvision_segmenter(
        "fcn_resnet50", "FCN_ResNet50", "fcn_resnet50_coco-1167a1af.pth", "FCN (ResNet-50)", "FCN", 520, 141.6
    ),
    _torchvision_segmenter(
        "deeplabv3_resnet50",
        "DeepLabV3_ResNet50",
        "deeplabv3_resnet50_coco-cd0a2569.pth",
        "DeepLabV3 (ResNet-50)",
        "DeepLabV3",
        520,
        168.3,
    ),
    _torchvision_segmenter(
        "fcn_resnet101", "FCN_ResNet101", "fcn_resnet101_coco-7ecb50ca.pth", "FCN (ResNet-101)", "FCN", 520, 217.8
    ),
    _torchvision_segmenter(
        "maskrcnn_resnet50_fpn",
        "MaskRCNN_ResNet50_FPN",
        "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth",
        "Mask R-CNN (ResNet-50)",
        "Mask R-CNN",
        800,
        178.1,
    ),
)
