// Counts in shared memory, added to the global histogram.
extern "C" __global__ void histogram(const unsigned char* data, unsigned* bins, int n)
{
    __shared__ unsigned local[256];
    for (int i = threadIdx.x; i < 256; i += blockDim.x) local[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&local[data[i]], 1u);
    __syncthreads();
    for (int i = threadIdx.x; i < 256; i += blockDim.x) if (local[i]) atomicAdd(&bins[i], local[i]);
}

__device__ float atomic_max(float* at, float value)
{
    int* bits = (int*)at;
    int old = *bits, assumed;
    do {
        assumed = old;
        old = atomicCAS(bits, assumed, __float_as_int(fmaxf(value, __int_as_float(assumed))));
    } while (old != assumed);
    return __int_as_float(old);
}

extern "C" __global__ void max_by_cas(const float* x, float* out, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomic_max(out, x[i]);
}

// Every operation and width once. out has 16 words of 64 bits.
extern "C" __global__ void all_atomics(unsigned long long* out, int* words, float* f, double* d)
{
    unsigned t = threadIdx.x;
    atomicAdd(&words[0], 1); atomicSub(&words[1], 2); atomicMin(&words[2], (int)t - 5); atomicMax(&words[3], (int)t * 3);
    atomicAnd(&words[4], ~(1 << (t & 31))); atomicOr(&words[5], 1 << (t & 31)); atomicXor(&words[6], t);
    atomicInc((unsigned*)&words[7], 9); atomicDec((unsigned*)&words[8], 9); atomicExch(&words[9], 42);
    atomicMin((unsigned*)&words[10], t + 7); atomicMax((unsigned*)&words[11], t + 7);
    atomicAdd(&out[0], 1ull << 33); atomicMin(&out[1], (unsigned long long)t + (1ull << 40)); atomicMax(&out[2], (unsigned long long)t << 34);
    atomicAnd(&out[3], ~(1ull << t)); atomicOr(&out[4], 1ull << t); atomicXor(&out[5], (unsigned long long)t << 32);
    atomicExch(&out[6], 77ull); atomicCAS(&out[7], 5ull, 6ull); atomicMin((long long*)&out[8], -(long long)t); atomicMax((long long*)&out[9], -(long long)t);
    atomicAdd(f, 0.5f); atomicAdd(d, 0.25);
}

// A lane of each group of equal keys adds for all of them.
extern "C" __global__ void aggregated(const int* keys, int* counts, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned active = __activemask(), peers = __match_any_sync(active, keys[i]);
    if ((threadIdx.x & 31) == __ffs(peers) - 1) atomicAdd(&counts[keys[i]], __popc(peers));
}
