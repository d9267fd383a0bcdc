"""What pages there are: the router's navigation and Home's cards are both made from this list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from explorer.text import _

PAGES = Path(__file__).parents[2] / "pages"


@dataclass(frozen=True)
class Topic:
    """One page. file: its name in pages/, also its URL. icon: a Material icon. about: one sentence for its card."""

    file: str
    title: str
    icon: str
    about: str

    @property
    def path(self) -> Path:
        """The page's script."""
        return PAGES / f"{self.file}.py"


def chapters() -> dict[str, list[Topic]]:
    """Chapter title → its pages, in reading order."""
    return {
        _("Seeing with filters"): [
            Topic(
                "filters",
                _("Filters"),
                ":material/filter_b_and_w:",
                _("Find edges with Sobel and Scharr, or type a kernel of your own."),
            ),
            Topic(
                "convolution",
                _("Convolution"),
                ":material/grid_on:",
                _("Slide a kernel: stride, padding, dilation, groups, and the sizes they give."),
            ),
            Topic(
                "pooling",
                _("Pooling and layers"),
                ":material/view_compact:",
                _("Max, average and global pooling, then a linear layer on top."),
            ),
        ],
        _("Seeing with networks"): [
            Topic(
                "walkthrough",
                _("CNN walk-through"),
                ":material/layers:",
                _("Your photo through a network, layer by layer: what each cell sees, and how it is computed."),
            ),
            Topic(
                "classification",
                _("Image classification"),
                ":material/image_search:",
                _("Give networks a photo: what they answer, whether they agree, and where they looked."),
            ),
            Topic(
                "architectures",
                _("Architectures"),
                ":material/account_tree:",
                _("AlexNet, VGG, GoogLeNet, ResNet and Transformers side by side: depth, cost, gradients."),
            ),
            Topic(
                "vit",
                _("Vision Transformer"),
                ":material/grid_view:",
                _("A photo as a sequence of patches: what each of them looks at, head by head."),
            ),
            Topic(
                "local_attention",
                _("Attention in images"),
                ":material/select_all:",
                _("Swin’s windows and who sees whom, what windows save, attention blocks inside a ResNet."),
            ),
            Topic(
                "vit_or_resnet",
                _("ViT or ResNet?"),
                ":material/compare:",
                _("Shuffled and half-hidden photos, and how far each network looks."),
            ),
        ],
        _("Finding things"): [
            Topic(
                "detection",
                _("Object detection"),
                ":material/frame_inspect:",
                _("Every box that a network proposes for your photo, and how suppression leaves a few."),
            ),
            Topic(
                "segmentation",
                _("Segmentation"),
                ":material/format_color_fill:",
                _("A class for every pixel; cut U-Net’s skip connections and see what they carry."),
            ),
            Topic(
                "many_photos",
                _("Many photos"),
                ":material/photo_library:",
                _("A folder of photos through one network: classes, boxes or masks, to take along."),
            ),
        ],
        _("Reading sequences"): [
            Topic(
                "recurrent",
                _("Recurrent networks"),
                ":material/replay:",
                _("RNN, LSTM and GRU read your sentence word by word: gates, states, shared weights."),
            ),
            Topic(
                "attention",
                _("Attention"),
                ":material/center_focus_strong:",
                _("Queries, keys and values that you type; scores, masks, a decoder's five steps."),
            ),
            Topic(
                "multihead",
                _("Multi-head attention"),
                ":material/call_split:",
                _("Split, attend in parallel, concatenate, mix; switch a head off and see."),
            ),
            Topic(
                "positions",
                _("Positional encoding"),
                ":material/waves:",
                _("Waves that tell attention the order, and the rotation inside them."),
            ),
            Topic(
                "transformer",
                _("Transformer"),
                ":material/account_tree:",
                _("Encoder and decoder whose boxes open, writing French; and a classifier, trained while you watch."),
            ),
            Topic(
                "rnn_or_attention",
                _("RNN or attention?"),
                ":material/timer:",
                _("Time, memory and steps against the length, measured on your computer."),
            ),
        ],
        _("Language models"): [
            Topic(
                "bert",
                _("BERT"),
                ":material/forum:",
                _("Every head of a trained language model on your sentence: lines, neurons, statistics."),
            ),
            Topic(
                "bert_predicts",
                _("What BERT predicts"),
                ":material/edit_note:",
                _("Mask a word, judge the next sentence, switch heads off: what a language model says."),
            ),
        ],
    }


def topics() -> list[Topic]:
    """All pages but Home, in reading order."""
    return [topic for group in chapters().values() for topic in group]
