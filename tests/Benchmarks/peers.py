#!/usr/bin/env python3
"""Times what others offer for the shapes of `dsmc bench`, as it does: CUDA events, other memory read into L2 before every run, median.

PyTorch and Triton are enough; DeepGEMM, FlashMLA and FlashInfer are timed where they are installed.
    python3 peers.py [text that a line must contain]
"""
import importlib.util
import statistics
import sys

import torch

RUNS, FLUSH = 30, 256 << 20
LAYERS = [(2112, 7168), (24576, 1536), (32768, 512), (7168, 16384), (4096, 7168), (7168, 2048)]
WANTED = sys.argv[1] if len(sys.argv) > 1 else ""
flush = torch.zeros(FLUSH // 4, dtype=torch.int32, device="cuda")


def measure(work):
    """Microseconds."""
    for _ in range(3):
        work()
    marks = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(RUNS)]
    for start, end in marks:
        flush.max()
        start.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return statistics.median(start.elapsed_time(end) for start, end in marks) * 1e3


def line(operation, shape, peer, make, flops=0, moved=0):
    """`make` prepares the operands and returns the work."""
    if WANTED not in f"{operation} {shape} {peer}":
        return
    try:
        us = measure(make())
    except Exception as trouble:  # A library that lacks the shape, or the GPU for it.
        print(f"{operation:<22} {shape:<40} {peer:<18} not here: {str(trouble).splitlines()[0][:90]}", flush=True)
        return
    rate = f"{flops / us / 1e6:8.1f}" if flops else " " * 8
    print(f"{operation:<22} {shape:<40} {peer:<18} {us:9.1f} {rate} {moved / us / 1e3:6.0f}", flush=True)


def fp8_operands(m, n, k):
    """Codes as of normal numbers whose largest of 128 became 448, and scales of 1 x 128 and 128 x 128."""
    a = (torch.randn(m, k, device="cuda") * 160).clamp(-448, 448).to(torch.float8_e4m3fn)
    w = (torch.randn(n, k, device="cuda") * 160).clamp(-448, 448).to(torch.float8_e4m3fn)
    blocks = (k + 127) // 128
    sa = 0.01 + 0.01 * torch.rand(blocks, m, device="cuda")
    sw = 0.01 + 0.01 * torch.rand((n + 127) // 128, blocks, device="cuda")
    return a, w, sa, sw


def torch_bf16(m, n, k):
    a, w = (torch.randn(rows, k, device="cuda", dtype=torch.bfloat16) for rows in (m, n))
    c = torch.empty(m, n, device="cuda", dtype=torch.bfloat16)
    return lambda: torch.matmul(a, w.t(), out=c)


def torch_rowwise(m, n, k):
    a, w, _, _ = fp8_operands(m, n, k)
    sa, sw = torch.rand(m, 1, device="cuda"), torch.rand(1, n, device="cuda")
    return lambda: torch._scaled_mm(a, w.t(), scale_a=sa, scale_b=sw, out_dtype=torch.bfloat16)


def torch_blockwise(m, n, k):
    a, w, sa, sw = fp8_operands(m, n, k)
    return lambda: torch._scaled_mm(a, w.t(), scale_a=sa.t(), scale_b=sw.t(), out_dtype=torch.bfloat16)


def triton_blockwise(m, n, k):
    import triton
    import triton.language as tl

    global fp8_kernel
    if "fp8_kernel" not in globals():
        @triton.jit
        def fp8_kernel(a, w, c, sa, sw, m, n, k: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, GROUP: tl.constexpr):
            rows, columns = tl.cdiv(m, BM), tl.cdiv(n, BN)
            number = tl.program_id(0)
            band = number // (GROUP * columns) * GROUP
            width = min(rows - band, GROUP)
            row, column = band + number % (GROUP * columns) % width, number % (GROUP * columns) // width
            i, j, d = row * BM + tl.arange(0, BM), column * BN + tl.arange(0, BN), tl.arange(0, 128)
            pa, pw = a + (i[:, None] % m) * k + d[None, :], w + (j[None, :] % n) * k + d[:, None]
            total = tl.zeros((BM, BN), dtype=tl.float32)
            for step in range(0, k // 128):
                block = tl.dot(tl.load(pa + step * 128), tl.load(pw + step * 128))
                total += block * (tl.load(sa + step * m + i % m)[:, None] * tl.load(sw + (j % n) // 128 * (k // 128) + step)[None, :])
            tl.store(c + i[:, None] * n + j[None, :], total.to(tl.bfloat16), mask=(i[:, None] < m) & (j[None, :] < n))
    a, w, sa, sw = fp8_operands(m, n, k)
    c = torch.empty(m, n, device="cuda", dtype=torch.bfloat16)
    bm, bn, warps = (64, 64, 4) if m <= 128 else (128, 128, 8)
    grid = (triton.cdiv(m, bm) * triton.cdiv(n, bn),)
    return lambda: fp8_kernel[grid](a, w, c, sa, sw, m, n, k, BM=bm, BN=bn, GROUP=8, num_warps=warps, num_stages=4)


def deep_gemm_dense(m, n, k):
    import deep_gemm
    a, w, sa, sw = fp8_operands(m, n, k)
    c = torch.empty(m, n, device="cuda", dtype=torch.bfloat16)
    return lambda: deep_gemm.fp8_gemm_nt((a, sa.t()), (w, sw), c)


def flashinfer_dense(m, n, k):
    from flashinfer.gemm import fp8_blockscale_gemm_sm90
    a, w, sa, sw = fp8_operands(m, n, k)
    return lambda: fp8_blockscale_gemm_sm90(a, w, sa.t(), sw)


def flash_mla_decode(requests, heads, tokens):
    from flash_mla import flash_mla_with_kvcache, get_mla_metadata
    pages = (tokens + 63) // 64
    q = torch.randn(requests, 1, heads, 576, device="cuda", dtype=torch.bfloat16)
    cache = torch.randn(requests * pages, 64, 1, 576, device="cuda", dtype=torch.bfloat16)
    table = torch.randperm(requests * pages, device="cuda", dtype=torch.int32).view(requests, pages)
    lengths = torch.full((requests,), tokens, device="cuda", dtype=torch.int32)
    plan = get_mla_metadata(lengths, heads, 1)
    return lambda: flash_mla_with_kvcache(q, cache, table, lengths, 512, *plan, causal=True)


def torch_prefill(heads, tokens):
    q, k = (torch.randn(1, heads, tokens, 192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    v = torch.randn(1, heads, tokens, 128, device="cuda", dtype=torch.bfloat16)
    return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def torch_rms_norm(rows, width):
    x, weight = torch.randn(rows, width, device="cuda", dtype=torch.bfloat16), torch.ones(width, device="cuda", dtype=torch.bfloat16)
    return lambda: torch.nn.functional.rms_norm(x, (width,), weight, 1e-6)


def main():
    source, target = (torch.empty(1 << 30, dtype=torch.uint8, device="cuda") for _ in range(2))
    copied = 2 * (1 << 30) / measure(lambda: target.copy_(source)) / 1e3
    dense = 2 * 8192**3 / measure(torch_bf16(8192, 8192, 8192)) / 1e6
    print(f"{torch.cuda.get_device_name()}: copies {copied:.0f} GB/s, BF16 products of 8192 {dense:.0f} TFLOP/s, PyTorch {torch.__version__}")
    print(f"{'operation':<22} {'shape':<40} {'by':<18} {'us':>9} {'TFLOP/s':>8} {'GB/s':>6}")
    missing = [name for name in ("triton", "deep_gemm", "flash_mla", "flashinfer") if importlib.util.find_spec(name) is None]
    if missing:
        print("not installed: " + ", ".join(missing))
    del source, target
    gemms = [("PyTorch row-wise", torch_rowwise), ("PyTorch 1x128", torch_blockwise), ("Triton", triton_blockwise), ("DeepGEMM", deep_gemm_dense), ("FlashInfer", flashinfer_dense)]
    installed = {"Triton": "triton", "DeepGEMM": "deep_gemm", "FlashInfer": "flashinfer"}
    for m in (64, 128, 4096):
        for n, k in LAYERS:
            moved = m * k + n * k + 2 * m * n + 4 * (m * k + n * k / 128) / 128
            for peer, make in gemms:
                if installed.get(peer, "triton") not in missing or peer not in installed:
                    line("fp8 gemm", f"M {m} N {n} K {k}", peer, lambda make=make: make(m, n, k), 2 * m * n * k, moved)
    line("bf16 gemm", "M 4096 N 4096 K 7168", "PyTorch", lambda: torch_bf16(4096, 4096, 7168), 2 * 4096 * 4096 * 7168, 2 * (4096 * 4096 + 2 * 4096 * 7168))
    if "flash_mla" not in missing:
        for heads, tokens in ((128, 4096), (128, 8192), (16, 4096)):
            moved = 2 * 128 * tokens * 576 + 2 * 128 * heads * 1088
            line("mla decode", f"requests 128 heads {heads} tokens {tokens}", "FlashMLA", lambda: flash_mla_decode(128, heads, tokens), 2 * 128 * heads * tokens * 1088, moved)
    for heads, tokens in ((128, 4096), (16, 8192)):
        line("mla prefill", f"heads {heads} tokens {tokens} causal", "PyTorch", lambda: torch_prefill(heads, tokens), heads * tokens * (tokens + 1) * 320, 2 * heads * tokens * 704)
    line("rms norm", "rows 8192 x 7168", "PyTorch", lambda: torch_rms_norm(8192, 7168), 0, 4 * 8192 * 7168)


main()
