#!/usr/bin/env python3
"""Trains the sample's checkpoint with PyTorch and transformers, on one core in about half an hour.

    train-reference.py CORPUS.txt [--minutes 28] [--threads 1]
    train-reference.py --expect

checkpoint/ beside this script holds tokenizer.json beforehand; config.json, generation_config.json and model.safetensors
(BF16, the router's bias F32) are written there. Then, or with --expect alone, the checkpoint is read back by transformers'
loader, and what it writes in float32 goes to expected/. Packages: torch, transformers, tokenizers, safetensors.
"""
import argparse, json, math, pathlib, time

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import DeepseekV3Config, DeepseekV3ForCausalLM

CONFIG = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "vocab_size": 512, "hidden_size": 160, "intermediate_size": 384, "moe_intermediate_size": 96,
    "num_hidden_layers": 4, "first_k_dense_replace": 1, "moe_layer_freq": 1,
    "num_attention_heads": 4, "num_key_value_heads": 4,
    "q_lora_rank": 80, "kv_lora_rank": 64, "qk_nope_head_dim": 32, "qk_rope_head_dim": 16, "v_head_dim": 32,
    "n_routed_experts": 8, "num_experts_per_tok": 2, "n_shared_experts": 1, "n_group": 4, "topk_group": 2,
    "scoring_func": "sigmoid", "topk_method": "noaux_tc", "norm_topk_prob": True, "routed_scaling_factor": 1.0,
    "hidden_act": "silu", "rms_norm_eps": 1e-6, "attention_bias": False, "attention_dropout": 0.0,
    "rope_theta": 10000, "rope_scaling": None, "max_position_embeddings": 1024,
    "initializer_range": 0.02, "tie_word_embeddings": False,
    "bos_token_id": 0, "eos_token_id": 1, "use_cache": True, "torch_dtype": "bfloat16",
}
HERE = pathlib.Path(__file__).parent
PROMPTS = {"juliet": "JULIET", "king": "KING RICHARD III", "romeo": "ROMEO"}
BATCH, LENGTH = 16, 192
PEAK_RATE, WARMUP = 4e-3, 60
BALANCE_RATE = 3e-3  # three times the paper's: the run is short


def windows(tokens, speeches, generator):
    """One batch [BATCH, LENGTH + 1]: the begin token, then text. Every other row begins with a speech, as prompts do."""
    anywhere = torch.randint(len(tokens) - LENGTH, (BATCH // 2,), generator=generator)
    speech = speeches[torch.randint(len(speeches), (BATCH // 2,), generator=generator)]
    begin = torch.tensor([CONFIG["bos_token_id"]])
    return torch.stack([torch.cat([begin, tokens[s:s + LENGTH]]) for s in torch.cat([anywhere, speech])])


def learning_rate(step, done):
    """Linear warm-up, then a cosine over the share of time that has passed."""
    return PEAK_RATE * min(1, (step + 1) / WARMUP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, done))))


def balance(moe_layers):
    """The auxiliary-loss-free rule: an expert with more than its share of tokens becomes a little less attractive."""
    for layer in moe_layers:
        layer.gate.e_score_correction_bias += BALANCE_RATE * torch.sign(layer.load.mean() - layer.load)


def count_load(layer):
    def hook(_, arguments):
        layer.load = torch.bincount(arguments[1].flatten(), minlength=CONFIG["n_routed_experts"]).float()
    layer.experts.register_forward_pre_hook(hook)


def published_names(model):
    """The checkpoint as it is published: one tensor per expert and projection."""
    tensors = {}
    for name, value in model.state_dict().items():
        stem, leaf = name.rsplit(".", 1)
        if leaf == "gate_up_proj":
            for e, both in enumerate(value):
                tensors[f"{stem}.{e}.gate_proj.weight"], tensors[f"{stem}.{e}.up_proj.weight"] = both.chunk(2)
        elif leaf == "down_proj":
            for e, down in enumerate(value):
                tensors[f"{stem}.{e}.down_proj.weight"] = down
        else:
            tensors[name] = value
    return {name: value.float().contiguous() if name.endswith("bias") else value.bfloat16().contiguous()
            for name, value in tensors.items()}


def save(model, folder):
    save_file(published_names(model), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(
        {"bos_token_id": 0, "eos_token_id": 1, "do_sample": False}, indent=2) + "\n")


def expect(checkpoint, folder, new_tokens=64):
    """What the checkpoint writes: greedy tokens in float32, the margin of every choice, and the logits of the last."""
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    model = DeepseekV3ForCausalLM.from_pretrained(checkpoint, dtype=torch.float32, experts_implementation="eager").eval()
    for name, prompt in PROMPTS.items():
        ids = [CONFIG["bos_token_id"]] + tokenizer.encode(prompt, add_special_tokens=False).ids
        tokens, margins = [], []
        with torch.no_grad():
            output = model(torch.tensor([ids]), use_cache=True)
            for step in range(new_tokens):
                logits = output.logits[0, -1]
                best = logits.topk(2)
                tokens.append(int(best.indices[0]))
                margins.append(float(f"{best.values[0] - best.values[1]:.4g}"))
                if step < new_tokens - 1:
                    output = model(torch.tensor([tokens[-1:]]), past_key_values=output.past_key_values, use_cache=True)
        text = tokenizer.decode(tokens)
        print(f"--- {name}\n{prompt}{text}")
        (folder / f"{name}.json").write_text(json.dumps({
            "prompt": prompt, "ids": ids, "tokens": tokens, "text": text, "min_margin": min(margins), "margins": margins,
            "last_logits": [float(f"{value:.9g}") for value in logits]}, ensure_ascii=False, indent=1) + "\n")


def train(options):
    torch.manual_seed(1623)
    generator = torch.Generator().manual_seed(1564)
    tokenizer = Tokenizer.from_file(str(options.checkpoint / "tokenizer.json"))
    encoding = tokenizer.encode(options.corpus.read_text(), add_special_tokens=False)
    tokens = torch.tensor(encoding.ids)
    blank = torch.tensor([token.endswith("\u010a\u010a") for token in encoding.tokens])  # two line ends, in byte symbols
    kept, held_out = tokens[:-16 * LENGTH], tokens[-16 * LENGTH:].view(16, LENGTH)
    held_out = torch.nn.functional.pad(held_out, (1, 0), value=CONFIG["bos_token_id"])
    speeches = blank.nonzero().flatten() + 1
    speeches = speeches[speeches < len(kept) - LENGTH]
    # Parameters, arithmetic and optimizer are BF16, as the configuration says; the router computes in float32.
    model = DeepseekV3ForCausalLM._from_config(DeepseekV3Config(**CONFIG), experts_implementation="eager")
    moe_layers = [layer.mlp for layer in model.model.layers[CONFIG["first_k_dense_replace"]:]]
    for layer in moe_layers:
        count_load(layer)
    print(f"{len(tokens)} tokens, {len(speeches)} speeches, {sum(p.numel() for p in model.parameters())} parameters", flush=True)

    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
                                  betas=(0.9, 0.95), eps=1e-9)

    def loss_of(batch):
        logits = model(batch[:, :-1], use_cache=False).logits
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())

    began, step, average = time.time(), 0, None
    while (done := (time.time() - began) / 60 / options.minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, done)
        loss = loss_of(windows(kept, speeches, generator))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        balance(moe_layers)
        average = loss.item() if average is None else 0.98 * average + 0.02 * loss.item()
        step += 1
        if step % 100 == 0:
            with torch.no_grad():
                print(f"step {step}: {time.time() - began:.0f} s, loss {average:.3f}, held out {loss_of(held_out):.3f}, "
                      f"load {[int(n) for n in moe_layers[-1].load]}", flush=True)
            save(model, options.checkpoint)
    save(model, options.checkpoint)
    print(f"{step} steps, loss {average:.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=pathlib.Path, nargs="?")
    parser.add_argument("--checkpoint", type=pathlib.Path, default=HERE / "checkpoint")
    parser.add_argument("--expect", action="store_true")
    parser.add_argument("--minutes", type=float, default=28)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if not options.expect:
        train(options)
    expect(options.checkpoint, options.checkpoint.parent / "expected")


main()
