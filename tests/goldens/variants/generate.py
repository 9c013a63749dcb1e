#!/usr/bin/env python3
"""Makes the checkpoints of this folder and what PyTorch computes from them.

    generate.py [OUT_DIR]        default: the folder of this script

Needs torch, transformers (5.12), safetensors, numpy. Every checkpoint is written as it would be published, read back by
transformers' own loader and run in float32 on the CPU. Each number is checked against the float64 implementation
below, which follows the equations and shares no code with transformers.
"""
import json, math, pathlib, sys, tempfile

import numpy as np
import torch
import transformers
from safetensors.torch import save_file

ROWS, LENGTH, GREEDY = 2, 21, 12
STORED = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32, "FP8": torch.bfloat16}

V3 = {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "scoring_func": "sigmoid",
      "topk_method": "noaux_tc", "norm_topk_prob": True, "routed_scaling_factor": 2.5}
V2 = {"architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "scoring_func": "softmax",
      "topk_method": "greedy", "norm_topk_prob": False, "routed_scaling_factor": 1.0}
COMMON = {"vocab_size": 97, "moe_layer_freq": 1, "hidden_act": "silu", "rms_norm_eps": 1e-6, "attention_bias": False,
          "attention_dropout": 0.0, "initializer_range": 0.02, "rope_theta": 10000, "rope_scaling": None,
          "max_position_embeddings": 640, "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 1}


def yarn(factor, original, mscale, mscale_all_dim):
    return {"type": "yarn", "factor": factor, "original_max_position_embeddings": original, "beta_fast": 32, "beta_slow": 1,
            "mscale": mscale, "mscale_all_dim": mscale_all_dim}


def shape(hidden, dense, layers, first, heads, q, kv, nope, rope, v, experts=None, active=None, width=None, shared=1, groups=1, kept=1):
    return {"hidden_size": hidden, "intermediate_size": dense, "num_hidden_layers": layers, "first_k_dense_replace": first,
            "num_attention_heads": heads, "num_key_value_heads": heads, "q_lora_rank": q, "kv_lora_rank": kv,
            "qk_nope_head_dim": nope, "qk_rope_head_dim": rope, "v_head_dim": v, "n_routed_experts": experts or 4,
            "num_experts_per_tok": active or 2, "moe_intermediate_size": width or 8, "n_shared_experts": shared,
            "n_group": groups, "topk_group": kept}


VARIANTS = {
    "odd": ("BF16", V3 | shape(37, 45, 4, 2, 3, 19, 23, 11, 6, 9, 6, 3, 21, 1, 3, 2)),
    "no-q-lora": ("BF16", V3 | shape(44, 52, 2, 0, 3, None, 24, 12, 8, 10, 5, 2, 20) | {"rope_scaling": yarn(4, 16, 0.707, 0.707)}),
    "two-shared": ("BF16", V3 | shape(50, 60, 3, 1, 5, 20, 24, 12, 8, 10, 8, 4, 20, 2, 2, 1) | {"rope_scaling": yarn(40, 8, 1.0, 0.5)}),
    "one-head": ("BF16", V3 | shape(72, 33, 2, 1, 1, 30, 40, 24, 10, 26, 12, 5, 13, 1, 4, 3) | {"norm_topk_prob": False, "vocab_size": 131}),
    "dense": ("F16", V3 | shape(40, 70, 3, 3, 2, 12, 16, 10, 4, 14)),
    "softmax-v2": ("F32", V2 | shape(45, 52, 3, 1, 3, 20, 24, 12, 6, 10, 6, 2, 16, 2, 3, 2)
                   | {"topk_method": "group_limited_greedy", "routed_scaling_factor": 1.5}),
    "softmax-v2-lite": ("BF16", V2 | shape(42, 50, 3, 1, 3, None, 24, 12, 8, 10, 6, 3, 20, 2) | {"rope_scaling": yarn(40, 8, 0.707, 0.707)}),
    "fp8-ragged": ("FP8", V3 | shape(150, 140, 2, 1, 3, 130, 132, 40, 10, 44, 3, 2, 136) | {"quantization_config": {
        "quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}}),
}


def random_weights(c, rng):
    """Of the size that keeps activations near one; norms differ from one and the router's bias from zero."""
    h, heads = c["hidden_size"], c["num_attention_heads"]
    nope, rope, v, kv, q = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"], c["kv_lora_rank"], c["q_lora_rank"]
    weights = {}

    def matrix(name, rows, columns, gain=1.0):
        weights[name + ".weight"] = rng.standard_normal((rows, columns)) * gain / math.sqrt(columns)

    def norm(name, size):
        weights[name + ".weight"] = 1 + 0.25 * rng.standard_normal(size)

    def mlp(name, width):
        matrix(name + ".gate_proj", width, h)
        matrix(name + ".up_proj", width, h)
        matrix(name + ".down_proj", h, width, 1.5)

    weights["model.embed_tokens.weight"] = rng.standard_normal((c["vocab_size"], h)) * 0.5
    for i in range(c["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        attention = layer + "self_attn."
        norm(layer + "input_layernorm", h)
        norm(layer + "post_attention_layernorm", h)
        if q is None:
            matrix(attention + "q_proj", heads * (nope + rope), h, 1.5)
        else:
            matrix(attention + "q_a_proj", q, h)
            norm(attention + "q_a_layernorm", q)
            matrix(attention + "q_b_proj", heads * (nope + rope), q, 1.5)
        matrix(attention + "kv_a_proj_with_mqa", kv + rope, h)
        norm(attention + "kv_a_layernorm", kv)
        matrix(attention + "kv_b_proj", heads * (nope + v), kv)
        matrix(attention + "o_proj", h, heads * v, 1.5)
        if i < c["first_k_dense_replace"]:
            mlp(layer + "mlp", c["intermediate_size"])
            continue
        matrix(layer + "mlp.gate", c["n_routed_experts"], h, 1.5)
        if c["topk_method"] == "noaux_tc":
            weights[layer + "mlp.gate.e_score_correction_bias"] = 0.2 * rng.standard_normal(c["n_routed_experts"])
        for e in range(c["n_routed_experts"]):
            mlp(f"{layer}mlp.experts.{e}", c["moe_intermediate_size"])
        mlp(layer + "mlp.shared_experts", c["moe_intermediate_size"] * c["n_shared_experts"])
    norm("model.norm", h)
    matrix("lm_head", c["vocab_size"], h, 1.5)
    return weights


# The published FP8 format.

def is_quantised(name):
    return name.endswith("_proj.weight") or name.endswith("kv_a_proj_with_mqa.weight")


def e4m3(x, scale):
    return (x / scale).to(torch.float8_e4m3fn)


def quantise_weights(tensors):
    """128 x 128 blocks, smaller at the edges. Returns the tensors as stored, and what they stand for."""
    stored, meant = {}, {}
    for name, value in tensors.items():
        if not is_quantised(name):
            stored[name] = meant[name] = value
            continue
        value = value.float()
        rows, columns = value.shape
        codes = torch.empty(value.shape, dtype=torch.float8_e4m3fn)
        scales = torch.empty(-(-rows // 128), -(-columns // 128))
        meaning = torch.empty_like(value)
        for i in range(scales.shape[0]):
            for j in range(scales.shape[1]):
                at = slice(128 * i, 128 * i + 128), slice(128 * j, 128 * j + 128)
                scales[i, j] = value[at].abs().max() / 448
                codes[at] = e4m3(value[at], scales[i, j])
                meaning[at] = codes[at].float() * scales[i, j]
        stored[name], stored[name + "_scale_inv"], meant[name] = codes, scales, meaning
    return stored, meant


def quantise_input(x):
    """1 x 128 groups of each token, the last one smaller."""
    groups = torch.tensor(x, dtype=torch.float32).split(128, dim=-1)
    scales = [group.abs().amax(-1, keepdim=True) / 448 for group in groups]
    return torch.cat([e4m3(group, scale).float() * scale for group, scale in zip(groups, scales)], -1).double().numpy()


# The same model in float64, from its equations. One row of tokens at a time.

def mscale(factor, m):
    return 0.1 * m * math.log(factor) + 1


def rotation(c):
    """Frequencies, the factor on cos and sin, and the softmax scale."""
    dim, base, scaling = c["qk_rope_head_dim"], c["rope_theta"], c["rope_scaling"]
    frequencies = base ** (-np.arange(0, dim, 2) / dim)
    softmax_scale = (c["qk_nope_head_dim"] + dim) ** -0.5
    if scaling is None:
        return frequencies, 1.0, softmax_scale

    def turns_to_index(turns):
        return dim * math.log(scaling["original_max_position_embeddings"] / (turns * 2 * math.pi)) / (2 * math.log(base))

    low = max(math.floor(turns_to_index(scaling["beta_fast"])), 0)
    high = min(math.ceil(turns_to_index(scaling["beta_slow"])), dim - 1)
    ramp = np.clip((np.arange(dim // 2) - low) / max(high - low, 0.001), 0, 1)
    factor = scaling["factor"]
    return (frequencies / factor * ramp + frequencies * (1 - ramp),
            mscale(factor, scaling["mscale"]) / mscale(factor, scaling["mscale_all_dim"]),
            softmax_scale * mscale(factor, scaling["mscale_all_dim"]) ** 2)


def rms(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * weight


def rotate(x, angle, factor):
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = np.cos(angle) * factor, np.sin(angle) * factor
    return np.stack([even * cos - odd * sin, odd * cos + even * sin], -1).reshape(x.shape)


def as_is(x):
    return x


def linear(w, name, x, quantise=as_is):
    """Every layer that the FP8 format quantises; `quantise` is what happens to its input."""
    return quantise(x) @ w[name + ".weight"].T


def attend(c, w, name, x, quantise):
    t, heads, nope, kv = len(x), c["num_attention_heads"], c["qk_nope_head_dim"], c["kv_lora_rank"]
    frequencies, factor, scale = rotation(c)
    angle = np.arange(t)[:, None] * frequencies
    if c["q_lora_rank"] is None:
        q = linear(w, name + "q_proj", x, quantise)
    else:
        q = rms(linear(w, name + "q_a_proj", x, quantise), w[name + "q_a_layernorm.weight"])
        q = linear(w, name + "q_b_proj", q, quantise)
    q = q.reshape(t, heads, -1)
    latent = linear(w, name + "kv_a_proj_with_mqa", x, quantise)
    k_rope = rotate(latent[:, kv:], angle, factor)
    up = linear(w, name + "kv_b_proj", rms(latent[:, :kv], w[name + "kv_a_layernorm.weight"]), quantise).reshape(t, heads, -1)
    scores = np.einsum("ihd,jhd->hij", q[..., :nope], up[..., :nope])
    scores += np.einsum("ihd,jd->hij", rotate(q[..., nope:], angle[:, None], factor), k_rope)
    scores = np.where(np.tri(t, dtype=bool), scores * scale, -np.inf)
    p = np.exp(scores - scores.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return linear(w, name + "o_proj", np.einsum("hij,jhd->ihd", p, up[..., nope:]).reshape(t, -1), quantise)


def silu_mlp(w, name, x, quantise):
    gate = linear(w, name + ".gate_proj", x, quantise)
    return linear(w, name + ".down_proj", gate / (1 + np.exp(-gate)) * linear(w, name + ".up_proj", x, quantise), quantise)


def route(c, w, name, x):
    """Experts in ascending order, their weights, all scores, and the distance of each decision from a tie."""
    logits = x @ w[name + "gate.weight"].T
    grouped = c["topk_method"] != "greedy"
    if c["scoring_func"] == "sigmoid":
        scores = 1 / (1 + np.exp(-logits))
        choice = scores + w[name + "gate.e_score_correction_bias"]
    else:
        scores = np.exp(logits - logits.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        choice = scores
    margin = np.full(len(x), np.inf)

    def gap(values, taken):
        ordered = -np.sort(-values, -1)
        return ordered[:, taken - 1] - ordered[:, taken] if taken < values.shape[1] else np.inf

    if grouped:
        groups = choice.reshape(len(x), c["n_group"], -1)
        best = -np.sort(-groups, -1)
        group_score = best[..., :2].sum(-1) if c["topk_method"] == "noaux_tc" else best[..., 0]
        margin = np.minimum(margin, gap(group_score, c["topk_group"]))
        kept = np.argsort(-group_score, -1, kind="stable")[:, :c["topk_group"]]
        mask = np.zeros_like(group_score, bool)
        np.put_along_axis(mask, kept, True, -1)
        choice = np.where(np.repeat(mask, groups.shape[-1], -1), choice, -np.inf)
    margin = np.minimum(margin, gap(choice, c["num_experts_per_tok"]))
    indices = np.sort(np.argsort(-choice, -1, kind="stable")[:, :c["num_experts_per_tok"]], -1)
    weights = np.take_along_axis(scores, indices, -1)
    if c["norm_topk_prob"]:
        weights = weights / weights.sum(-1, keepdims=True)
    return indices, weights * c["routed_scaling_factor"], scores, margin


def forward(c, w, ids, quantise=as_is):
    values, x = {}, w["model.embed_tokens.weight"][ids]
    for i in range(c["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        attention = attend(c, w, layer + "self_attn.", rms(x, w[layer + "input_layernorm.weight"]), quantise)
        x = x + attention
        normed = rms(x, w[layer + "post_attention_layernorm.weight"])
        if i < c["first_k_dense_replace"]:
            x = x + silu_mlp(w, layer + "mlp", normed, quantise)
        else:
            indices, weights, scores, margin = route(c, w, layer + "mlp.", normed)
            x = x + silu_mlp(w, layer + "mlp.shared_experts", normed, quantise)
            for t, (chosen, share) in enumerate(zip(indices, weights)):
                x[t] += sum(s * silu_mlp(w, f"{layer}mlp.experts.{e}", normed[t], quantise) for e, s in zip(chosen, share))
            values |= {f"router.{i}.indices": indices, f"router.{i}.weights": weights,
                       f"router.{i}.scores": scores, f"router.{i}.margin": margin}
        values |= {f"attn_out.{i}": attention, f"hidden.{i + 1}": x}
    values["hidden.norm"] = rms(x, w["model.norm.weight"])
    values["logits"] = values["hidden.norm"] @ w["lm_head.weight"].T
    return values


# The same model in float32 by transformers.

def load(folder, c):
    model = getattr(transformers, c["architectures"][0]).from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager")
    if c["model_type"] == "deepseek_v2" and c["rope_scaling"]:
        # transformers' V2 leaves mscale out of the softmax scale, which the published V2 code has.
        for layer in model.model.layers:
            layer.self_attn.scaling *= mscale(c["rope_scaling"]["factor"], c["rope_scaling"]["mscale_all_dim"]) ** 2
    if c["topk_method"] == "group_limited_greedy":
        # transformers' V2 reads this in its group-limited router and never sets it.
        for layer in model.model.layers[c["first_k_dense_replace"]:]:
            layer.mlp.num_experts = c["n_routed_experts"]
    return model.eval()


def by_transformers(model, c, ids):
    values, hooks = {}, []

    def keep(name, pick):
        return lambda _, __, output: values.__setitem__(name, pick(output))

    def keep_routing(i, moe):
        def hook(_, arguments):
            order = arguments[1].sort(-1)
            values[f"router.{i}.indices"] = order.values.view(ROWS, LENGTH, -1).int()
            values[f"router.{i}.weights"] = arguments[2].gather(-1, order.indices).view(ROWS, LENGTH, -1)
        return moe.experts.register_forward_pre_hook(hook)

    for i, layer in enumerate(model.model.layers):
        hooks.append(layer.self_attn.register_forward_hook(keep(f"attn_out.{i}", lambda output: output[0][:1])))
        hooks.append(layer.register_forward_hook(keep(f"hidden.{i + 1}", lambda output: output[:1])))
        if i >= c["first_k_dense_replace"]:
            hooks.append(keep_routing(i, layer.mlp))
    hooks.append(model.model.norm.register_forward_hook(keep("hidden.norm", lambda output: output[:1])))
    with torch.no_grad():
        values["logits"] = model(ids, use_cache=False).logits
    for hook in hooks:
        hook.remove()
    return values


def greedy(model, ids):
    tokens, margins = [], []
    with torch.no_grad():
        output = model(ids, use_cache=True)
        for step in range(GREEDY):
            logits = output.logits[:, -1]
            best = logits.topk(2).values
            margins.append(best[:, 0] - best[:, 1])
            tokens.append(logits.argmax(-1))
            if step < GREEDY - 1:
                output = model(tokens[-1][:, None], past_key_values=output.past_key_values, use_cache=True)
    return {"greedy.tokens": torch.stack(tokens, 1), "greedy.margin": torch.stack(margins, 1), "greedy.logits": logits[:, None]}


def relative(actual, expected):
    return float(np.linalg.norm(actual - expected) / np.linalg.norm(expected))


def publish(folder, tensors, c):
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(c, indent=2) + "\n")
    return folder


def attempt(folder, stored, c, seed):
    rng = np.random.default_rng(seed)
    tensors = {name: torch.tensor(value).to(torch.float32 if name.endswith("bias") else STORED[stored])
               for name, value in random_weights(c, rng).items()}
    ids = torch.tensor(rng.integers(2, c["vocab_size"], (ROWS, LENGTH)))
    if stored == "FP8":
        published, tensors = quantise_weights(tensors)
        with tempfile.TemporaryDirectory() as scratch:
            widened = {name: value for name, value in c.items() if name != "quantization_config"}
            model = load(publish(pathlib.Path(scratch), tensors, widened), widened)
        publish(folder, published, c)
    else:
        model = load(publish(folder, tensors, c), c)
    values = by_transformers(model, c, ids)
    weights = {name: value.double().numpy() for name, value in tensors.items()}
    exact = [forward(c, weights, row) for row in ids.numpy()]
    for name, value in exact[0].items():
        if name.startswith("router") and name.endswith(("scores", "margin")):
            values[name] = torch.tensor(np.stack([row[name] for row in exact]), dtype=torch.float32)
    errors = {name: relative(value.double().numpy(), np.stack([row[name] for row in exact[:len(value)]]))
              for name, value in values.items()}
    values |= greedy(model, ids) | {"input_ids": ids}
    if stored == "FP8":
        both = np.stack([forward(c, weights, row, quantise_input)["logits"] for row in ids.numpy()])
        values["w8a8.logits"] = torch.tensor(both, dtype=torch.float32)
    return {name: value.contiguous() for name, value in values.items()}, errors


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    torch.set_num_threads(1)
    for name, (stored, overrides) in VARIANTS.items():
        c = COMMON | overrides | {"torch_dtype": {"BF16": "bfloat16", "F16": "float16", "F32": "float32", "FP8": "bfloat16"}[stored]}
        for seed in range(100):
            values, errors = attempt(out / name / "checkpoint", stored, c, seed)
            routing = min([float(value.min()) for key, value in values.items() if key.endswith(".margin") and key[0] == "r"], default=math.inf)
            if routing > 1e-3 and float(values["greedy.margin"].min()) > 5e-3:
                break
        else:
            raise SystemExit(f"{name}: every seed comes too close to a tie")
        worst = max(errors.values())
        if worst > 2e-6:
            raise SystemExit(f"{name}: float32 and float64 disagree: {errors}")
        save_file(values, out / name / "goldens.safetensors")
        summary = {"torch": torch.__version__, "transformers": transformers.__version__, "seed": seed,
                   "min_routing_margin": None if math.isinf(routing) else float(f"{routing:.3g}"),
                   "min_greedy_margin": float(f"{values['greedy.margin'].min():.3g}"),
                   "logits_rms": float(f"{values['logits'].pow(2).mean().sqrt():.3g}"),
                   **({"w8a8_to_w8a16": relative(values["w8a8.logits"].numpy(), values["logits"].numpy())} if stored == "FP8" else {}),
                   "relative_l2_float32_to_float64": {key: float(f"{value:.2g}") for key, value in errors.items()}}
        (out / name / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
        print(name, "seed", seed, f"worst relative error {worst:.1e}", flush=True)


main()
