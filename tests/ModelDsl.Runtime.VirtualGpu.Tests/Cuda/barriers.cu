#include <cuda/barrier>
#include <cuda/pipeline>
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
namespace cg = cooperative_groups;

// Producers and consumers meet at barriers that are objects in shared memory.
extern "C" __global__ void phases(const int* x, int* out)
{
    __shared__ cuda::barrier<cuda::thread_scope_block> ready;
    __shared__ int stage[2][128];
    if (threadIdx.x == 0) init(&ready, blockDim.x);
    __syncthreads();
    int sum = 0;
    for (int step = 0; step < 6; step++) {
        stage[step & 1][threadIdx.x] = x[threadIdx.x] * (step + 1);
        auto token = ready.arrive();
        ready.wait(std::move(token));
        sum += stage[step & 1][(threadIdx.x + 1 + step * 37) % blockDim.x];
    }
    out[threadIdx.x] = sum;
}

// Tiles are copied while those before them are added up.
extern "C" __global__ void pipelined(const float* x, float* out, int tiles)
{
    __shared__ float buffer[2][128];
    auto pipe = cuda::make_pipeline();
    float sum = 0.f;
    pipe.producer_acquire();
    cuda::memcpy_async(&buffer[0][threadIdx.x], &x[threadIdx.x], cuda::aligned_size_t<4>(sizeof(float)), pipe);
    pipe.producer_commit();
    for (int t = 0; t < tiles; t++) {
        if (t + 1 < tiles) {
            pipe.producer_acquire();
            cuda::memcpy_async(&buffer[(t + 1) & 1][threadIdx.x], &x[(t + 1) * 128 + threadIdx.x], cuda::aligned_size_t<4>(sizeof(float)), pipe);
            pipe.producer_commit();
            cuda::pipeline_consumer_wait_prior<1>(pipe);
        } else cuda::pipeline_consumer_wait_prior<0>(pipe);
        __syncthreads();
        sum += buffer[t & 1][127 - threadIdx.x];
        __syncthreads();
        pipe.consumer_release();
    }
    out[threadIdx.x] = sum;
}

extern "C" __global__ void group_copy(const float4* x, float* out)
{
    __shared__ float4 tile[64];
    auto block = cg::this_thread_block();
    cg::memcpy_async(block, tile, x + 64 * blockIdx.x, sizeof(tile));
    cg::wait(block);
    float4 v = tile[63 - threadIdx.x];
    out[blockIdx.x * blockDim.x + threadIdx.x] = v.x + 2 * v.y + 3 * v.z + 4 * v.w;
}

extern "C" __global__ void barrier_copy(const int* x, int* out)
{
    __shared__ alignas(16) int tile[256];
    __shared__ cuda::barrier<cuda::thread_scope_block> bar;
    auto block = cg::this_thread_block();
    if (block.thread_rank() == 0) init(&bar, block.size());
    block.sync();
    for (int k = 0; k < 3; k++) {
        cuda::memcpy_async(block, tile, x + 256 * k, cuda::aligned_size_t<16>(sizeof(tile)), bar);
        bar.arrive_and_wait();
        out[256 * k + threadIdx.x] = tile[threadIdx.x ^ 5] + tile[255 - threadIdx.x];
        block.sync();
    }
}
