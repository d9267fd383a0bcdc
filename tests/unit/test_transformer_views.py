"""A run of the translator cut into blocks, what it writes, and its parameters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.models.transformer import TransformerConfig
from explorer.trace import Trace
from explorer.transformer_parameters import PUBLISHED, count, parts, published_config, torch_count, total
from explorer.transformer_views import likeliest, run, write
from explorer.translation import END, ENGLISH, FRENCH, START, numbers
from explorer.translation_training import untrained
from explorer.ui.transformer_diagram import can_open, in_run, layer_blocks, picture
from explorer.ui.transformer_pictures import block_parameters
from pretrained.translation import load_translator

SOURCE = "the small black cat does not see a red flower".split()
TARGET = "le petit chat".split()
CONFIGS = [TransformerConfig(16, 2, 24, 3, pre_norm) for pre_norm in (False, True)]


def model_of(config: TransformerConfig):
    return untrained(config).eval().requires_grad_(False)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_blocks_share_out_all_steps(config):
    found = run(model_of(config), SOURCE, TARGET)
    ends = [0, *(block.stop for block in found.blocks.values())]
    assert [block.start for block in found.blocks.values()] == ends[:-1]
    assert ends[-1] == len(found.steps.steps)
    wanted = {in_run(box, layer) for box in can_open(config.pre_norm) for layer in range(config.layers)}
    assert set(found.blocks) == wanted | {"mask"}
    for box in can_open(config.pre_norm):
        output = found.blocks[in_run(box, 1)].output
        assert len(output) == (10 if box.startswith(("source", "encoder")) else 4), box
        assert output.shape[1] == (len(FRENCH) if box in ("output", "softmax") else config.d_model)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_block_outputs_are_those_of_the_modules(config):
    model = model_of(config)
    found = run(model, SOURCE, TARGET)
    source = torch.tensor([numbers(SOURCE, ENGLISH)])
    x = model.source_vectors(source)
    np.testing.assert_array_equal(found.blocks["source.positions"].output, x[0].numpy())
    last = "add2" if config.pre_norm else "norm2"
    for layer, module in enumerate(model.transformer.encoder.layers):
        x = module(x)
        np.testing.assert_allclose(found.blocks[f"encoder.{layer}.{last}"].output, x[0].numpy(), atol=1e-6)
    np.testing.assert_allclose(found.blocks["encoder.final"].output, model.encode(source)[0].numpy(), atol=1e-6)
    target = torch.tensor([numbers([START, *TARGET], FRENCH)])
    np.testing.assert_allclose(found.probabilities, model.probabilities(source, target)[0].numpy(), atol=1e-6)


def test_attention_weights_are_those_of_the_block():
    found = run(load_translator().module, SOURCE, TARGET)
    for block, keys in (("encoder.0.attention", 10), ("decoder.1.masked", 4), ("decoder.1.cross", 10)):
        weights = found.weights(block)
        assert weights.shape == (4, 10 if block.startswith("encoder") else 4, keys)
        np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert np.all(np.triu(found.weights("decoder.0.masked")[0], 1) == 0)
    np.testing.assert_array_equal(found.blocks["mask"].output, np.tril(np.ones((4, 4))))
    # French puts the colour last, so after “chat” the translator reads “black”, which stands before “cat”.
    assert SOURCE[found.weights("decoder.1.cross").mean(0)[-1].argmax()] == "black"
    assert likeliest(found.probabilities[-1], 1)[0][0] == "noir"


def test_a_part_of_a_trace_stands_on_its_own(tmp_path):
    found = run(load_translator().module, SOURCE, TARGET)
    block = found.blocks["decoder.0.cross"]
    part = found.part("decoder.0.cross")
    assert [step.index for step in part.steps] == list(range(block.stop - block.start))
    for step, whole in zip(part.steps, found.steps.steps[block.start : block.stop], strict=True):
        assert step.expression == whole.expression
        for role, (by, place) in step.producers.items():
            assert (by + block.start, place) == whole.producers[role]
            assert 0 <= by < step.index
    assert set(part.sources) == {step.file for step in part.steps}
    part.save(tmp_path / "part.npz")
    assert len(Trace.load(tmp_path / "part.npz").steps) == len(part.steps)


def test_writing_is_greedy_and_goes_on_from_what_was_given():
    model = load_translator().module
    written = write(model, SOURCE, (), 20)
    assert " ".join(written.words) == "le petit chat noir ne voit pas de fleur rouge <end>"
    assert written.ended
    for place in range(len(written.words)):
        row = run(model, SOURCE, written.words[:place]).probabilities[-1]
        word, share = likeliest(row, 1)[0]
        assert (word, share) == (written.words[place], pytest.approx(written.probabilities[place], abs=1e-5))
    begun = write(model, SOURCE, ("une", "zebra"), 20)
    assert begun.words[:2] == ("une", "zebra")
    assert begun.given == 2


def test_writing_ends_where_it_must():
    written = write(model_of(CONFIGS[0]), SOURCE, (), 5)
    assert len(written.words) <= 5
    assert written.ended == (written.words[-1] == END)


def test_likeliest_words_come_first():
    shares = np.zeros(len(FRENCH), np.float32)
    shares[[5, 9, 7]] = 0.2, 0.5, 0.3
    assert [word for word, _share in likeliest(shares, 3)] == [FRENCH[9], FRENCH[7], FRENCH[5]]


@settings(max_examples=15)
@given(
    d=st.integers(1, 4), heads=st.integers(1, 3), f=st.integers(1, 20), layers=st.integers(1, 3), v=st.integers(1, 9)
)
def test_formulas_count_what_torch_has(d, heads, f, layers, v):
    config = TransformerConfig(d * heads, heads, f, layers)
    found = parts(config, v, v)
    for part in found:
        formula = part.formula.replace("·", "*").replace("d²", "(d*d)")
        assert eval(formula, {"d": config.d_model, "f": f, "V": v}) == part.each, part.name
    assert total(found) == torch_count(config, v, v)


def test_a_block_says_its_own_parameters():
    config = CONFIGS[0]
    model = model_of(config)
    first, second = model.transformer.encoder.layers[0], model.transformer.decoder.layers[0]
    for box, module in {
        "source.embedding": model.source_vectors,
        "target.embedding": model.target_vectors,
        "encoder.attention": first.self_attn,
        "decoder.cross": second.multihead_attn,
        "decoder.norm3": second.norm3,
        "encoder.final": model.transformer.encoder.norm,
        "output": model.output,
    }.items():
        assert block_parameters(box, config) == count(module), box
    assert block_parameters("encoder.feed_forward", config) == count(first.linear1, first.linear2)


def test_published_models_have_their_published_sizes():
    base, big, bert, gpt, t5 = ((model.layers + model.embeddings) for model in PUBLISHED)
    assert bert + 768 * 768 + 768 == 109_482_240  # with the pooler
    assert gpt == 124_439_808
    assert t5 + 2 * 32 * 12 == 222_903_552  # with the biases for relative positions
    assert abs(base / 65e6 - 1) < 0.04
    assert abs(big / 213e6 - 1) < 0.04
    for model in PUBLISHED[:2]:
        stack = torch_count(published_config(model), 0, 0)
        assert model.layers == stack


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_diagram_has_a_box_for_every_block_and_none_overlap(config):
    found = picture(run(model_of(config), SOURCE, TARGET), config, layer=2)
    assert {box.id for box in found.boxes if box.opens} == set(can_open(config.pre_norm))
    for column in (0, 1):
        boxes = sorted((box for box in found.boxes if box.column == column), key=lambda box: box.row)
        assert boxes[0].row >= -1e-9
        assert all(a.row + a.rows <= b.row + 1e-9 for a, b in pairwise(boxes))
    ends = {(arrow.start, arrow.end) for arrow in found.arrows if arrow.kind == "residual" and arrow.side == "left"}
    joints = ["add1", "add2"] if config.pre_norm else ["norm1", "norm2"]
    assert ends == {("source.positions", f"encoder.{joints[0]}"), (f"encoder.{joints[0]}", f"encoder.{joints[1]}")}
    assert [a.prongs for a in found.arrows if a.kind == "across"] == [("value", "key")]
    assert found.frames[1].boxes == tuple(layer_blocks("decoder", config.pre_norm))
