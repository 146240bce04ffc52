"""Writes small random Perception Language Models and what the reference implementation makes of them.

    .references/venv/bin/python Tests/Fixtures/make_plm_models.py

Four models in the Hugging Face layout that differ in everything a configuration can vary; each folder holds
`reference.safetensors` with pixels, features, logits and greedy tokens, worked out in f32 by transformers and
timm. One tokenizer serves all, as `tokenizer.json` and as `tokenizer.model`; `tokenizer_cases.json` holds the
ids of some 200 texts with odd Unicode.
"""

import base64
import json
import math
import os
import pathlib
import random

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import tiktoken
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import DynamicCache, PerceptionLMConfig, PerceptionLMForConditionalGeneration
from transformers.models.llama.configuration_llama import LlamaConfig
from transformers.models.timm_wrapper.configuration_timm_wrapper import TimmWrapperConfig

OUT = pathlib.Path(__file__).resolve().parent.parent / "VUGENTests" / "Fixtures"
BASE, SIDE = 400, 56
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|image|>", "<|video|>", "<|reserved_special_token_2|>",
           "<|reserved_special_token_3|>", "<|start_header_id|>", "<|end_header_id|>", "<|reserved_special_token_4|>",
           "<|eot_id|>"] + [f"<|reserved_special_token_{i}|>" for i in range(5, 251)]
CORPUS = """What is in this picture? A red apple lies left of a cat. How many cars are there? There are three cars.
The colour of the kite is blue, isn't it? They've counted 12, 345 and 6789 stars; we'll see what's left of them.
Is there a tree below the moon? Yes, there is a tree. No, there isn't. Describe the picture in one sentence.
naïve café façade — “quoted” … 東京タワー 北京 서울 Москва Ελλάδα עברית العربية हिन्दी 😀🎉🏳️‍🌈 e\u0301\n\n\ttabs  and   spaces
"""

# name: (vision arguments, text arguments, pooling ratio, file type)
MODELS = {
    "plain": (dict(init_values=0.1), dict(num_key_value_heads=2, rope=True, tied=True), 2, "f32"),
    "bare": (dict(init_values=None, depth=3, class_token=False, rope_grid_offset=0.0), dict(num_key_value_heads=1, rope=False, tied=False), 1, "f32"),
    "rounded": (dict(init_values=0.1, depth=1), dict(num_key_value_heads=4, rope=True, tied=False, num_hidden_layers=3), 1, "bf16"),
    "wide": (dict(init_values=None, num_heads=2), dict(num_key_value_heads=1, rope=True, tied=True, head_dim=24), 2, "bf16"),
}


def byte_characters():
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    others = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


def tokenizer(folder):
    """A BPE whose ids follow rank order: bytes first, in GPT-2's order, then the merges."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trained.train_from_iterator([CORPUS] * 3, trainers.BpeTrainer(
        vocab_size=BASE, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=[], show_progress=False))
    bytes_of = {c: b for b, c in byte_characters().items()}
    tokens = [t for t, _ in sorted(trained.get_vocab().items(), key=lambda item: item[1])]
    raw = [bytes(bytes_of[c] for c in t) for t in tokens]
    (folder / "tokenizer.model").write_bytes(b"".join(base64.b64encode(b) + b" %d\n" % i for i, b in enumerate(raw)))
    vocabulary = {t: i for i, t in enumerate(tokens)}
    merges = [(t[:i], t[i:]) for t in tokens for i in range(1, len(t)) if t[:i] in vocabulary and t[i:] in vocabulary]
    result = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=True))
    result.pre_tokenizer, result.decoder = trained.pre_tokenizer, decoders.ByteLevel()
    result.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    result.save(str(folder / "tokenizer.json"))
    return result, tiktoken.Encoding("t", pat_str=PATTERN, mergeable_ranks={b: i for i, b in enumerate(raw)},
                                     special_tokens={s: len(raw) + i for i, s in enumerate(SPECIAL)})


def texts():
    fixed = ["", " ", "   ", "a  b   c", "\n\n\n", "x\r\n y", "12345678", " 12 345", "I'LL we'Ve DON'T 'ſ", "tab\tTab", "e\u0301 é",
             "🏳️‍🌈 flags 👩‍👩‍👧‍👦", "  leading", "trailing  ", "_under-score_ (paren)[x]=={}", "\u00a0nbsp\u3000wide", "\x00\x07ctl",
             "".join(map(chr, range(33, 256))), "a\u0085b\u2028c\u2029d\u000be\u000cf", "ＡＢＣ１２３", "٣٤٥ १२३ ⅷ ² ½", "İıſK", "\U0001F468\u200D\U0001F4BB",
             "مرحبا بالعالم", "שלום עולם", "नमस्ते", "ไทยไม่มีวรรค", "日本語のテキスト。", "한국어 텍스트", "Zażółć gęślą jaźń", "\ufeffbom", "\u202Ertl",
             "don't can't it's I'm we'd they'll", "1,234.56 €", "http://x.y/z?a=b&c=d#e", "\\n \\t", "``code``", "a" * 300, "😀" * 9, "\ue000private"]
    pool = ("abc XYZ 019 \n\r\t'\".,;:!?-_()[]{}<>|/\\@#$%^&*+=~`éßøñçÀÖ—“”…東京北서울МоЕλע ع ह 😀🎉\u0301\u200d\u00a0\u3000\u2028\u0085ſ½٣Ａ")
    generator = random.Random(5)
    return fixed + ["".join(generator.choice(pool) for _ in range(generator.randint(1, 40))) for _ in range(200 - len(fixed))]


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g)
        if "gamma" in name:
            x = 0.5 + 0.25 * r
        elif "norm" in name and name.endswith("weight"):
            x = 1 + 0.2 * r
        elif name.endswith("bias"):
            x = 0.15 * r
        elif "embed_tokens" in name or name.endswith(("pos_embed", "cls_token")):
            x = 0.4 * r
        elif name.endswith(("o_proj.weight", "down_proj.weight")):
            x = 2.5 * r / math.sqrt(p.shape[1])
        else:
            x = 1.3 * r / math.sqrt(p[0].numel())
        p.data.copy_(x)


def configuration(vision, text, ratio):
    ids = {t: BASE + i for i, t in enumerate(SPECIAL)}
    text = dict(text)
    scaling = dict(factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64, rope_type="llama3")
    rope, tied = text.pop("rope"), text.pop("tied")
    arguments = dict(embed_dim=64, depth=2, num_heads=4, img_size=[SIDE, SIDE], global_pool="", use_post_transformer_norm=False,
                     ref_feat_shape=[SIDE // 14] * 2) | {k: v for k, v in vision.items() if v is not None}
    sizes = dict(vocab_size=BASE + len(SPECIAL), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
                 head_dim=16, rms_norm_eps=1e-5, rope_theta=500000.0, max_position_embeddings=512, tie_word_embeddings=tied,
                 rope_scaling=scaling if rope else None, bos_token_id=ids["<|begin_of_text|>"],
                 eos_token_id=[ids["<|end_of_text|>"], ids["<|eot_id|>"]]) | text
    return PerceptionLMConfig(
        vision_config=TimmWrapperConfig(architecture="vit_pe_core_large_patch14_336", do_pooling=True, global_pool="map", model_args=arguments),
        text_config=LlamaConfig(**sizes), vision_use_cls_token=vision.get("class_token", True), projector_pooling_ratio=ratio,
        tie_word_embeddings=tied, image_token_id=ids["<|image|>"], video_token_id=ids["<|video|>"])


@torch.no_grad()
def outputs(model, ids, pixels):
    result = {"features": model.model.vision_tower(pixels.flatten(0, 1)).last_hidden_state}
    if model.config.vision_use_cls_token:
        result["features"] = result["features"][:, 1:]
    result["projected"] = model.model.get_image_features(pixels)
    cache = DynamicCache()
    out = model(input_ids=ids, pixel_values=pixels, attention_mask=torch.ones_like(ids), use_cache=True, past_key_values=cache)
    result["logits"] = out.logits[0]
    greedy, margins, logits = [], [], out.logits
    for step in range(16):
        two = logits[0, -1].topk(2)
        greedy.append(int(two.indices[0]))
        margins.append(float(two.values[0] - two.values[1]))
        n = ids.shape[1] + step
        logits = model(input_ids=torch.tensor([[greedy[-1]]]), past_key_values=cache, use_cache=True,
                       cache_position=torch.tensor([n]), attention_mask=torch.ones(1, n + 1, dtype=torch.long)).logits
    return result | {"greedy": torch.tensor(greedy, dtype=torch.int32), "margins": torch.tensor(margins)}


def picture():
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    values = np.stack([x * 255 / SIDE, y * 255 / SIDE, 127 + 120 * np.sin(x / 5 + y / 9)], 2) + rng.normal(0, 10, (SIDE, SIDE, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tok, reference = tokenizer(OUT)
    cases = []
    for text in texts():
        ids = tok.encode(text, add_special_tokens=False).ids
        assert ids == reference.encode_ordinary(text), text
        cases.append({"text": text, "ids": ids})
    marked = "<|begin_of_text|>hi<|eot_id|> there<|image|><|image|>"
    cases.append({"text": marked, "ids": reference.encode_ordinary(marked), "trusted": tok.encode(marked, add_special_tokens=False).ids})
    (OUT / "tokenizer_cases.json").write_text(json.dumps(cases))
    picture().save(OUT / "picture.png")
    pixels = (torch.tensor(np.asarray(picture())).permute(2, 0, 1)[None, None].float() / 255 - 0.5) / 0.5
    for seed, (name, (vision, text, ratio, kind)) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        config = configuration(vision, text, ratio)
        config._attn_implementation = "eager"
        model = PerceptionLMForConditionalGeneration(config).eval()
        image = "<|image|>" * (SIDE // 14 // ratio) ** 2
        ids = torch.tensor([tok.encode(f"<|begin_of_text|>user\n\n{image}What is in this picture?<|eot_id|>", add_special_tokens=False).ids])
        for attempt in range(100):
            randomise(model, seed + 1000 * attempt)
            if kind == "bf16":
                for p in model.parameters():
                    p.data.copy_(p.data.bfloat16().float())
            found = outputs(model, ids, pixels)
            if float(found["margins"].min()) >= 0.03:
                break
        folder = OUT / name
        stored = model.bfloat16() if kind == "bf16" else model
        stored.save_pretrained(folder)
        save_file({k: v.contiguous().clone() for k, v in found.items()} | {"ids": ids[0].int()}, folder / "reference.safetensors")
        (folder / "generation_config.json").unlink(missing_ok=True)
        print(name, "draws", attempt + 1, "smallest margin", float(found["margins"].min()))


if __name__ == "__main__":
    main()
