#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
namespace cg = cooperative_groups;

extern "C" __global__ void group_sums(const int* x, int* out, int n)
{
    cg::thread_block block = cg::this_thread_block();
    auto tile = cg::tiled_partition<16>(block);
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int v = i < n ? x[i] : 0;
    int sum = cg::reduce(tile, v, cg::plus<int>());
    int high = cg::reduce(tile, v, cg::greater<int>());
    int before = cg::exclusive_scan(tile, v, cg::plus<int>());
    auto half = cg::tiled_partition<8>(tile);
    half.sync();
    int first = half.shfl(v, 0);
    out[4 * i] = sum; out[4 * i + 1] = high; out[4 * i + 2] = before; out[4 * i + 3] = first + (int)half.meta_group_rank();
}

extern "C" __global__ void coalesced(const int* x, int* counter, int* out)
{
    int v = x[threadIdx.x];
    if (v & 1) {
        cg::coalesced_group g = cg::coalesced_threads();
        int base = 0;
        if (g.thread_rank() == 0) base = atomicAdd(counter, (int)g.size());
        base = g.shfl(base, 0);
        out[base + g.thread_rank()] = v;
    }
}

extern "C" __global__ void float_reduce(const float* x, float* out)
{
    auto tile = cg::tiled_partition<32>(cg::this_thread_block());
    float s = cg::reduce(tile, x[threadIdx.x + blockIdx.x * blockDim.x], cg::plus<float>());
    auto odd = cg::binary_partition(tile, threadIdx.x % 3 == 0);
    float t = cg::reduce(odd, x[threadIdx.x + blockIdx.x * blockDim.x], cg::plus<float>());
    out[2 * (threadIdx.x + blockIdx.x * blockDim.x)] = s;
    out[2 * (threadIdx.x + blockIdx.x * blockDim.x) + 1] = t;
}

// Eight tiles of a warp vote at once, each with a mask of its own.
extern "C" __global__ void tile_votes(const int* x, int* out)
{
    auto t = cg::tiled_partition<4>(cg::this_thread_block());
    int v = x[threadIdx.x];
    out[threadIdx.x] = t.any(v > 50) + 2 * t.all(v > -90) + 4 * t.ballot(v & 1) + 1000 * cg::reduce(t, v, cg::less<int>());
}

// A tile of two warps keeps what it exchanges in shared memory.
extern "C" __global__ void wide_tile(const int* x, int* out)
{
    __shared__ cg::block_tile_memory<128> memory;
    auto t = cg::tiled_partition<64>(cg::this_thread_block(memory));
    int v = x[threadIdx.x];
    out[threadIdx.x] = cg::reduce(t, v, cg::plus<int>()) + t.shfl(v, 40);
}
