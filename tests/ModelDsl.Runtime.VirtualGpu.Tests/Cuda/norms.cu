// A row per block: maximum, sum of exponentials, quotient.
extern "C" __global__ void softmax(const float* __restrict__ x, float* __restrict__ y, int columns)
{
    extern __shared__ float scratch[];
    const float* row = x + (size_t)blockIdx.x * columns;
    float high = -INFINITY;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) high = fmaxf(high, row[i]);
    scratch[threadIdx.x] = high;
    __syncthreads();
    for (int d = blockDim.x / 2; d > 0; d /= 2) {
        if (threadIdx.x < d) scratch[threadIdx.x] = fmaxf(scratch[threadIdx.x], scratch[threadIdx.x + d]);
        __syncthreads();
    }
    high = scratch[0];
    __syncthreads();
    float sum = 0.f;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += expf(row[i] - high);
    scratch[threadIdx.x] = sum;
    __syncthreads();
    for (int d = blockDim.x / 2; d > 0; d /= 2) {
        if (threadIdx.x < d) scratch[threadIdx.x] += scratch[threadIdx.x + d];
        __syncthreads();
    }
    sum = scratch[0];
    for (int i = threadIdx.x; i < columns; i += blockDim.x) y[(size_t)blockIdx.x * columns + i] = expf(row[i] - high) / sum;
}

// Layer norm by Welford's recurrence, a warp per row.
extern "C" __global__ void layer_norm(const float* x, const float* gain, const float* bias, float* y, int columns, float eps)
{
    int row = blockIdx.x * blockDim.y + threadIdx.y;
    const float* in = x + (size_t)row * columns;
    float mean = 0.f, m2 = 0.f, n = 0.f;
    for (int i = threadIdx.x; i < columns; i += 32) {
        n += 1.f;
        float d = in[i] - mean;
        mean += d / n;
        m2 += d * (in[i] - mean);
    }
    for (int o = 16; o > 0; o >>= 1) {
        float mean2 = __shfl_xor_sync(~0u, mean, o), m22 = __shfl_xor_sync(~0u, m2, o), n2 = __shfl_xor_sync(~0u, n, o);
        float all = n + n2, d = mean2 - mean;
        if (all > 0.f) { mean += d * n2 / all; m2 += m22 + d * d * n * n2 / all; n = all; }
    }
    float scale = rsqrtf(m2 / columns + eps);
    for (int i = threadIdx.x; i < columns; i += 32) y[(size_t)row * columns + i] = (in[i] - mean) * scale * gain[i] + bias[i];
}
