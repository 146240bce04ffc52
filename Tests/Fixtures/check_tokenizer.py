"""Learns a tokenizer with vugen and compares its ids with the reference library's on every caption of some
shards and on odd text. Usage: check_tokenizer.py VUGEN"""

import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

from tokenizers import Tokenizer

vugen = pathlib.Path(sys.argv[1]).resolve()
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    subprocess.run([vugen, "model", "init", "--shape", "tiny", "--output", folder / "model"], check=True)
    subprocess.run(
        [vugen, "data", "tokenizer", "--output", folder / "model/tokenizer.json", "--vocabulary", "512", "--scenes", "2000"],
        check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        [vugen, "data", "build", "scenes", "--output", folder / "shards", "--train", "40", "--validation", "10", "--held-out", "10", "--size", "32"],
        check=True, stdout=subprocess.DEVNULL)
    # The random model's special tokens are other numbers than the new tokenizer's.
    added = {t["content"]: t["id"] for t in json.loads((folder / "model/tokenizer.json").read_text())["added_tokens"]}
    config = json.loads((folder / "model/config.json").read_text())
    config["image_token_id"] = added["<|image|>"]
    (folder / "model/config.json").write_text(json.dumps(config))
    texts = ["Ünïcode — 🍎 <|eot_id|>", "  two  spaces\n\nand lines", "don't 12345", "日本語", "e\u0301"]
    for shard in sorted((folder / "shards").glob("*.tar")):
        with tarfile.open(shard) as tar:
            texts += [tar.extractfile(m).read().decode() for m in tar if m.name.endswith(".txt")]
    reference = Tokenizer.from_file(str(folder / "model/tokenizer.json"))
    # Special tokens in ordinary text are text with ours; the reference is told to see none.
    specials = {t.content for t in reference.get_added_tokens_decoder().values()}
    bad = 0
    for text in texts:
        printed = subprocess.run(
            [vugen, "score", "--model", folder / "model", "--text", text, "--json"], check=True, capture_output=True, text=True)
        ours = json.loads(printed.stdout)["tokens"]
        if any(s in text for s in specials):
            bad += any(reference.id_to_token(i) in specials for i in ours)
            continue
        theirs = reference.encode(text, add_special_tokens=False).ids
        if ours != theirs:
            bad += 1
            print(f"differs: {text!r}\n  ours   {ours}\n  theirs {theirs}")
print(f"tokenizer: {len(texts)} texts, {bad} differ")
sys.exit(bad > 0)
