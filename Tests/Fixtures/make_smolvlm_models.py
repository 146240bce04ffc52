"""Writes small random SmolVLMs and what the reference implementation makes of them.

    .references/venv-smolvlm/bin/python Tests/Fixtures/make_smolvlm_models.py

Two models in the Hugging Face layout, one of each model type and of different grids; each folder holds
`reference.safetensors` with pixels, features, projected tokens, logits, prompt ids and greedy tokens, worked out in f32 by
transformers 5.24 (older ones misplace the rows of full grids). `tilings.json` has the tiles of twenty sizes.
"""

import json
import math
import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, Idefics3Config, Idefics3ForConditionalGeneration, PreTrainedTokenizerFast
from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil as ImageProcessor
from transformers.models.idefics3.processing_idefics3 import Idefics3Processor

OUT = pathlib.Path(__file__).resolve().parent.parent / "VUGENTests" / "Fixtures" / "smolvlm"
BASE = 380
SPECIAL = (["<global-img>"] + [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
           + ["<fake_token_around_image>", "<image>"] + [f"<|reserved_{i}|>" for i in range(4)] + ["<end_of_utterance>"])
FIRST = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CORPUS = """What is in this picture? A red apple lies left of a cat. How many cars are there? There are three cars.
The colour of the kite is blue, isn't it? They've counted 12, 345 and 6789 stars; we'll see what's left of them.
User: Describe this. Assistant: It is a tree below the moon. User: Is there a cat? Assistant: No, there isn't.
naïve café façade — “quoted” … 東京 Москва 😀🎉 e\u0301\n\n\ttabs  and   spaces
"""
TEMPLATE = ("<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}{% if message['content'][0]['type'] == 'image' %}"
            "{{':'}}{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
            "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
            "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}")
# name: (classes, patch, tile, scale factor, vision layers, tied, file type, longest edge)
MODELS = {
    "idefics3": ((Idefics3Config, Idefics3ForConditionalGeneration), 8, 32, 4, 2, False, "f32", 96),
    "smolvlm": ((SmolVLMConfig, SmolVLMForConditionalGeneration), 7, 45, 3, 3, False, "bf16", 135),
}
TEXTS = ["Describe this.", "How many things: 3, 12 or 345?  And  what's left?", "naïve 😀 12 345\n\nyes"]
SIZES = [(640, 480), (480, 640), (100, 100), (1000, 10), (10, 1000), (33, 32), (96, 95), (95, 96), (200, 97), (97, 200), (1, 1),
         (300, 299), (123, 456), (456, 123), (64, 48), (31, 77), (2000, 1999), (500, 50), (50, 500), (77, 31)]


def tokenizer(folder):
    trained = Tokenizer(models.BPE())
    cut = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                   pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    trained.pre_tokenizer, trained.decoder = cut, decoders.ByteLevel()
    trained.train_from_iterator([CORPUS] * 3, trainers.BpeTrainer(
        vocab_size=BASE, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=FIRST, show_progress=False))
    trained.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=trained, bos_token="<|im_start|>", eos_token="<end_of_utterance>", pad_token="<|im_end|>",
        unk_token="<|endoftext|>", chat_template=TEMPLATE)
    trained.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    return fast


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g)
        if "norm" in name and name.endswith("weight"):
            x = 1 + 0.2 * r
        elif name.endswith("bias"):
            x = 0.15 * r
        elif "embed_tokens" in name or "position_embedding" in name:
            x = 0.4 * r
        elif name.endswith(("o_proj.weight", "down_proj.weight")):
            x = 2.5 * r / math.sqrt(p.shape[1])
        else:
            x = 1.3 * r / math.sqrt(p[0].numel())
        p.data.copy_(x)


def picture(width, height):
    rng = np.random.default_rng(width * 7919 + height)
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([x * 255 / width, y * 255 / height, 127 + 120 * np.sin(x / 5 + y / 9)], 2) + rng.normal(0, 10, (height, width, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def levels(values):
    """Of 255, as [tiles, side, side, 3]."""
    return ((values.permute(0, 2, 3, 1) + 1) * 127.5).round().to(torch.uint8)


@torch.no_grad()
def main():
    for seed, (name, ((kind, network), patch, side, scale, layers, tied, stored, edge)) in enumerate(MODELS.items()):
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        words = tokenizer(folder)
        ids = words.convert_tokens_to_ids
        vision = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=layers, num_attention_heads=4, image_size=side, patch_size=patch)
        text = dict(model_type="llama", vocab_size=len(words), hidden_size=48, intermediate_size=80, num_hidden_layers=2,
                    num_attention_heads=6, num_key_value_heads=2, head_dim=8, rms_norm_eps=1e-5, rope_theta=100000.0,
                    max_position_embeddings=2048, eos_token_id=0, tie_word_embeddings=tied)
        configuration = kind(vision_config=vision, text_config=text, scale_factor=scale, image_token_id=ids("<image>"), tie_word_embeddings=tied)
        model = network._from_config(configuration, attn_implementation="eager").eval().float()
        randomise(model, seed)
        if stored == "bf16":
            for p in model.parameters():
                p.data.copy_(p.data.bfloat16().float())
        state = {k: v.contiguous() for k, v in model.state_dict().items()}
        save_file({k: v.bfloat16() if stored == "bf16" else v for k, v in state.items()}, folder / "model.safetensors", {"format": "pt"})
        file = configuration.to_dict()
        file["model_type"] = kind.model_type
        (folder / "config.json").write_text(json.dumps(file, indent=1, sort_keys=True, default=str))
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ids("<end_of_utterance>")}))
        pictures = ImageProcessor(do_image_splitting=True, size={"longest_edge": edge}, max_image_size={"longest_edge": side}, resample=1,
                                  image_mean=[0.5] * 3, image_std=[0.5] * 3)
        (folder / "preprocessor_config.json").write_text(json.dumps(
            {"do_image_splitting": True, "size": {"longest_edge": edge}, "max_image_size": {"longest_edge": side}, "resample": 1,
             "image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
        tokens = (side // patch // scale) ** 2
        processor = Idefics3Processor(pictures, words, image_seq_len=tokens, chat_template=TEMPLATE)
        image = picture(62, 45)
        image.save(folder / "picture.png")
        results = {}
        for split in (False, True):
            tag = "tiles" if split else "single"
            messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": TEXTS[0]}]}]
            prompt = processor.apply_chat_template(messages, add_generation_prompt=True)
            inputs = processor(text=prompt, images=[image], return_tensors="pt", do_image_splitting=split)
            values = inputs["pixel_values"][0]
            features = model.model.vision_model(values).last_hidden_state
            results |= {f"{tag}.ids": inputs["input_ids"][0].int(), f"{tag}.pixels": levels(values),
                        f"{tag}.features": features, f"{tag}.projected": model.model.connector(features),
                        f"{tag}.logits": model(**inputs).logits[0, -1 if split else 0:]}
            if not split:
                out = model.generate(**inputs, generation_config=GenerationConfig(
                    do_sample=False, max_new_tokens=16, eos_token_id=ids("<end_of_utterance>"), pad_token_id=ids("<|im_end|>")))
                results["greedy"] = out[0, inputs["input_ids"].shape[1]:].int()
        for i, line in enumerate(TEXTS):
            messages = [{"role": "user", "content": [{"type": "text", "text": line}]}, {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
                        {"role": "user", "content": [{"type": "text", "text": "More?"}]}]
            results[f"words.{i}"] = torch.tensor(words(processor.apply_chat_template(messages, add_generation_prompt=True))["input_ids"]).int()
        save_file({k: v.contiguous() for k, v in results.items()}, folder / "reference.safetensors")
        tilings = []
        for width, height in SIZES:
            out = pictures([[picture(width, height)]], return_row_col_info=True, return_tensors="np")
            tilings.append({"width": width, "height": height, "rows": int(out["rows"][0][0]), "columns": int(out["cols"][0][0])})
        (folder / "tilings.json").write_text(json.dumps(tilings))
        print(name, {k: tuple(v.shape) for k, v in results.items()}, sum(f.stat().st_size for f in folder.iterdir()))


main()
