#!/usr/bin/env python3
"""What PyTorch (eager, CPU) takes for the work of `generation`: python3 tests/Benchmarks/compare_pytorch.py CHECKPOINT [threads]

A prompt of 128 random tokens, then 32 greedy steps with a KV cache, in float32 and bfloat16; the best of four rounds.
Needs python3-torch and python3-transformers.
"""
import sys
import time

try:
    import torch
    from transformers import DeepseekV3ForCausalLM
except ImportError as missing:
    sys.exit(f"compare_pytorch.py: {missing}; nothing to compare with")

checkpoint, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
torch.set_num_threads(threads)
for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
    model = DeepseekV3ForCausalLM.from_pretrained(checkpoint, dtype=dtype).eval()
    ids = torch.randint(0, model.config.vocab_size, (1, 128), generator=torch.Generator().manual_seed(1))
    prefill, steps = [], []
    with torch.inference_mode():
        for _ in range(4):
            start = time.perf_counter()
            out = model(ids, use_cache=True)
            prefill.append(time.perf_counter() - start)
            token, start = out.logits[:, -1:].argmax(-1), time.perf_counter()
            for _ in range(32):
                out = model(token, past_key_values=out.past_key_values, use_cache=True)
                token = out.logits[:, -1:].argmax(-1)
            steps.append(time.perf_counter() - start)
    print(f"{name}: prefill {min(prefill) * 1e3:.1f} ms, generation {32 / min(steps):.1f} tokens/s")
