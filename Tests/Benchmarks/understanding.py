"""Runs `vugen bench understanding`, PyTorch's encoder and llama.cpp in turn, on the same threads and shape.

    python Tests/Benchmarks/understanding.py [--turns 5] [--threads 2] [--folder DIR]

Weights are random: speed does not depend on them. llama.cpp comes from PyPI's xllamacpp; its models, in BF16, Q8_0 and
Q4_0 and the shape of Llama 3.2 1B, are written to DIR once (5 GB; default: .references/llama). Machines are shared, and
the speed of memory changes within seconds: ours and theirs take short turns, medians on both sides, each pair gives one
ratio, and the median ratio is printed with the least and the largest.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LAYERS, WIDTH, HEADS, KV_HEADS, HIDDEN, VOCABULARY = 16, 2048, 32, 8, 8192, 128256
PROMPT, ANSWER = 300, 24
FORMATS = {"bf16": "BF16", "int8": "Q8_0", "int4": "Q4_0"}


def write_model(path, name):
    """A GGUF file: one random block of weights, repeated."""
    import gguf

    rng = np.random.default_rng(1)
    kind = gguf.GGMLQuantizationType[name]
    block = rng.normal(0, 0.02, (256, HIDDEN)).astype(np.float32)

    def weight(rows, columns, to):
        part = np.ascontiguousarray(block.reshape(-1, columns))
        copies = (rows + part.shape[0] - 1) // part.shape[0]
        return np.tile(gguf.quants.quantize(part, to), (copies, 1))[:rows]

    w = gguf.GGUFWriter(str(path), "llama")
    w.add_context_length(2048)
    w.add_embedding_length(WIDTH)
    w.add_block_count(LAYERS)
    w.add_feed_forward_length(HIDDEN)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV_HEADS)
    w.add_rope_dimension_count(WIDTH // HEADS)
    w.add_rope_freq_base(500000.0)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(VOCABULARY)
    w.add_file_type({"BF16": 32, "Q8_0": 7, "Q4_0": 2}[name])
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("default")
    w.add_token_list([f"t{i}" for i in range(VOCABULARY)])
    w.add_token_types([1] * VOCABULARY)
    w.add_token_merges(["t 0"])
    w.add_bos_token_id(0)
    w.add_eos_token_id(1)

    def add(name_of, array, to):
        w.add_tensor(name_of, array, raw_dtype=to)

    # llama.cpp's own quantiser keeps the embedding, which is the output too, finer than four bits.
    output = kind if name != "Q4_0" else gguf.GGMLQuantizationType.Q8_0
    add("token_embd.weight", weight(VOCABULARY, WIDTH, output), output)
    ones, f32 = np.ones(WIDTH, np.float32), gguf.GGMLQuantizationType.F32
    add("output_norm.weight", ones, f32)
    for i in range(LAYERS):
        add(f"blk.{i}.attn_norm.weight", ones, f32)
        add(f"blk.{i}.ffn_norm.weight", ones, f32)
        small = KV_HEADS * WIDTH // HEADS
        for part, rows, columns in [("attn_q", WIDTH, WIDTH), ("attn_k", small, WIDTH), ("attn_v", small, WIDTH),
                                    ("attn_output", WIDTH, WIDTH), ("ffn_gate", HIDDEN, WIDTH), ("ffn_up", HIDDEN, WIDTH),
                                    ("ffn_down", WIDTH, HIDDEN)]:
            add(f"blk.{i}.{part}.weight", weight(rows, columns, kind), kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def llama(path, threads):
    """Tokens a second of prefill and decoding, in a process of its own."""
    import xllamacpp

    p = xllamacpp.CommonParams()
    p.model.path = str(path)
    p.n_ctx, p.n_batch, p.n_ubatch, p.n_parallel, p.warmup = 512, 512, 512, 1, True
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(p)
    found = {"prompt_per_second": [], "predicted_per_second": []}
    for attempt in range(3):
        prompt = [2 + (i * 7 + attempt) % 5000 for i in range(PROMPT)]
        answer = server.handle_completions({"prompt": prompt, "n_predict": ANSWER, "ignore_eos": True, "cache_prompt": False})
        timings = (answer if isinstance(answer, dict) else json.loads(answer))["timings"]
        for key, list_of in found.items():
            list_of.append(timings[key])
    print(json.dumps({"prefill": statistics.median(found["prompt_per_second"]),
                      "decode": statistics.median(found["predicted_per_second"])}))


def encoder(threads):
    """Seconds of one 448 × 448 picture through PyTorch's encoder in bf16."""
    import timm
    import torch

    torch.set_num_threads(threads)
    model = timm.create_model(
        "vit_pe_core_large_patch14_336", pretrained=False, img_size=448, depth=23, global_pool="", num_classes=0,
        use_post_transformer_norm=False, ref_feat_shape=(32, 32)).eval().bfloat16()
    x, times = torch.randn(1, 3, 448, 448, dtype=torch.bfloat16), []
    with torch.inference_mode():
        for _ in range(6):
            start = time.perf_counter()
            model.forward_features(x)
            times.append(time.perf_counter() - start)
    print(json.dumps({"encoder": statistics.median(times[1:])}))


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / ".references/llama")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return encoder(args.threads) if args.worker[0] == "encoder" else llama(args.worker[1], args.threads)
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in FORMATS.values():
        path = args.folder / f"{name}.gguf"
        if not path.exists():
            print(f"writing {path}", file=sys.stderr)
            write_model(path.with_suffix(".part"), name)
            path.with_suffix(".part").rename(path)
    threads = ["--threads", str(args.threads)]
    rows, shares = {}, {}

    def bench(*parts):
        ours = run([ROOT / ".build/release/vugen", "bench", "understanding", "--json", "--repeats", "12", *threads, *parts])
        return {r["name"]: r for r in ours["results"]}, ours["machine"]

    for turn in range(args.turns):
        ours, machine = bench("--part", "encoder")
        theirs = run([sys.executable, __file__, *threads, "--worker", "encoder"])
        rows.setdefault("encoder, one picture", []).append((ours["encoder, one picture"]["seconds"], theirs["encoder"]))
        for bits, name in FORMATS.items():
            ours, machine = bench("--part", "prefill", "--part", "decode", "--format", bits)
            found = run([sys.executable, __file__, *threads, "--worker", "llama", str(args.folder / f"{name}.gguf")])
            prefill, decode = ours[f"prefill of 300 tokens, {bits}"], ours[f"decode, {bits}"]
            rows.setdefault(f"prefill {bits} against {name}", []).append((prefill["tokensPerSecond"], found["prefill"]))
            rows.setdefault(f"decode {bits} against {name}", []).append((decode["tokensPerSecond"], found["decode"]))
            shares.setdefault(bits, []).append((decode["limitShare"], prefill["gflops"]))
        print(f"turn {turn + 1} of {args.turns} done, memory reads {machine['readBytesPerSecond'] / 1e9:.1f} GB/s",
              file=sys.stderr)
    print(f"{machine['threads']} threads, {machine['instructionSet']}")
    for name, pairs in rows.items():
        ratios = sorted(a / b for a, b in pairs)
        a, b = (statistics.median(column) for column in zip(*pairs))
        unit = "s" if name.startswith("encoder") else "tokens/s"
        bar = "at most 0.72" if name.startswith("encoder") else "at least 1.3" if name.startswith("prefill") else "above 1"
        print(f"{name:32} ours {a:7.2f} {unit}, theirs {b:7.2f}: ratio {statistics.median(ratios):.2f} "
              f"({ratios[0]:.2f} to {ratios[-1]:.2f}); bar {bar}")
    for bits, pairs in shares.items():
        bar = 70 if bits == "int4" else 85
        print(f"decode {bits}: {100 * statistics.median(p[0] for p in pairs):.0f} % of the read limit, bar {bar} %; "
              f"prefill {statistics.median(p[1] for p in pairs):.0f} GFLOP/s, bar 300")


if __name__ == "__main__":
    main()
