// Sums by shuffles, with the leftover of each warp in shared memory.
extern "C" __global__ void sum_shuffle(const float* __restrict__ x, float* __restrict__ out, int n)
{
    __shared__ float partial[32];
    float s = 0.f;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) s += x[i];
    for (int d = 16; d > 0; d >>= 1) s += __shfl_down_sync(0xffffffffu, s, d);
    if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = s;
    __syncthreads();
    if (threadIdx.x < 32) {
        s = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0.f;
        for (int d = 16; d > 0; d >>= 1) s += __shfl_xor_sync(0xffffffffu, s, d);
        if (threadIdx.x == 0) atomicAdd(out, s);
    }
}

// Integer sum, minimum and maximum of a warp in one instruction each (sm_80).
extern "C" __global__ void redux(const int* x, int* out)
{
    int v = x[blockIdx.x * 32 + threadIdx.x];
    int sum = __reduce_add_sync(0xffffffffu, v), low = __reduce_min_sync(0xffffffffu, v), high = __reduce_max_sync(0xffffffffu, v);
    unsigned bits = __reduce_xor_sync(0xffffffffu, (unsigned)v);
    if (threadIdx.x == 0) { int* o = out + 4 * blockIdx.x; o[0] = sum; o[1] = low; o[2] = high; o[3] = (int)bits; }
}

// Predicates counted by barriers and votes.
extern "C" __global__ void votes(const int* x, int* out)
{
    int v = x[threadIdx.x];
    int count = __syncthreads_count(v > 0);
    int all = __syncthreads_and(v > -1000), any = __syncthreads_or(v == 77);
    unsigned ballot = __ballot_sync(0xffffffffu, v & 1);
    unsigned same = __match_any_sync(0xffffffffu, v % 5);
    int agreed; unsigned everyone = __match_all_sync(0xffffffffu, v > -100000, &agreed);
    int* o = out + 8 * threadIdx.x;
    o[0] = count; o[1] = all; o[2] = any; o[3] = (int)ballot; o[4] = (int)same; o[5] = (int)everyone; o[6] = agreed; o[7] = __popc(__activemask());
}
