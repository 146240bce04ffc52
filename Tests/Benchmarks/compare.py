"""Runs `vugen bench` and PyTorch in turn and prints the ratios that the project promises.

    python Tests/Benchmarks/compare.py [--rounds 3] [--threads 2]

Machines are shared: the two take turns, and each round gives one ratio; the median is printed, with the
smallest and the largest. Where the processor has no bf16 products, PyTorch emulates them and we compute
in f32; the bar is then shown against PyTorch's f32 too, which is the faster of its two.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# our benchmark, our result's name, PyTorch's work, the most of PyTorch's bf16 time that we may take
BARS = [
    ("train-step", "train-step", "train-step", 0.62),
    ("conv-step", "conv-step", "conv-step", 0.65),
    ("sampling", "sampling", "sampling", 0.58),
    ("sampling", "sampling, text cached", "sampling", 0.42),
]


def output(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    report = json.loads(done.stdout)
    return report["machine"], {r["name"]: r["seconds"] for r in report["results"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    threads = ["--threads", str(args.threads)]
    ratios, machine = {}, {}
    for round_number in range(args.rounds):
        for command in dict.fromkeys(bar[0] for bar in BARS):
            theirs = {}
            machine, ours = output([ROOT / ".build/release/vugen", "bench", command, "--json", "--repeats", "3", *threads])
            torch, theirs = output([sys.executable, ROOT / "Tests/Benchmarks/pytorch.py", command, "--repeat", "3", *threads])
            machine["torch"] = torch["torch"]
            for _, name, work, bar in (b for b in BARS if b[0] == command):
                for ours_in, theirs_in in [("bf16", "bf16"), ("f32", "f32")]:
                    a, b = ours[f"{name} {ours_in}"], theirs[f"{work} {theirs_in}"]
                    ratios.setdefault((name, ours_in, bar), []).append((a / b, a, b))
        print(f"round {round_number + 1} of {args.rounds} done", file=sys.stderr)
    note = "" if machine["hasBF16Products"] else "; no bf16 products: our bf16 runs as f32, PyTorch's is emulated"
    print(f"{machine['threads']} threads, {machine['instructionSet']}, PyTorch {machine['torch']}{note}")
    print(f"{'work':32} {'ours':>9} {'PyTorch':>9}   ours / PyTorch (least, most)")
    missed = False
    for (name, precision, bar), rounds in sorted(ratios.items()):
        ratio, ours, theirs = (statistics.median(column) for column in zip(*rounds))
        low, high = min(r[0] for r in rounds), max(r[0] for r in rounds)
        line = f"{name + ' ' + precision:32} {ours * 1e3:7.0f}ms {theirs * 1e3:7.0f}ms   {ratio:.2f} ({low:.2f}, {high:.2f})"
        if precision == "bf16":
            missed |= ratio > bar
            line += f"   bar {bar:.2f}: {'missed' if ratio > bar else 'met'}"
        print(line)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
