#include <assert.h>
// Textbook kernels that use one thing each in earnest.
extern "C" __global__ void bitonic_sort(int* data)
{
    extern __shared__ int s[];
    int n = blockDim.x, t = threadIdx.x;
    s[t] = data[blockIdx.x * n + t];
    __syncthreads();
    for (int k = 2; k <= n; k <<= 1)
        for (int j = k >> 1; j > 0; j >>= 1) {
            int o = t ^ j;
            if (o > t) {
                bool up = (t & k) == 0;
                int a = s[t], b = s[o];
                if ((a > b) == up) { s[t] = b; s[o] = a; }
            }
            __syncthreads();
        }
    data[blockIdx.x * n + t] = s[t];
}

extern "C" __global__ void transpose(const float* in, float* out, int w, int h)
{
    __shared__ float tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) if (x < w && y + j < h) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * w + x];
    __syncthreads();
    x = blockIdx.y * 32 + threadIdx.x;
    y = blockIdx.x * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) if (x < h && y + j < w) out[(y + j) * h + x] = tile[threadIdx.x][threadIdx.y + j];
}

extern "C" __global__ void fft256(const float2* in, float2* out)
{
    __shared__ float2 s[256];
    int t = threadIdx.x;
    s[__brev(t) >> 24] = in[256 * blockIdx.x + t];
    __syncthreads();
    for (int m = 1; m < 256; m <<= 1) {
        float2 u, v;
        int i = 0, j = 0;
        if (t < 128) {
            int k = t & (m - 1);
            i = ((t & ~(m - 1)) << 1) | k;
            j = i + m;
            float si, co;
            sincospif(-(float)k / m, &si, &co);
            float2 a = s[i], b = s[j], w = make_float2(b.x * co - b.y * si, b.x * si + b.y * co);
            u = make_float2(a.x + w.x, a.y + w.y);
            v = make_float2(a.x - w.x, a.y - w.y);
        }
        __syncthreads();
        if (t < 128) { s[i] = u; s[j] = v; }
        __syncthreads();
    }
    out[256 * blockIdx.x + t] = s[t];
}

extern "C" __global__ void sparse_product(const int* rows, const int* columns, const float* values, const float* x, float* y, int n)
{
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x & 31;
    if (row >= n) return;
    float s = 0;
    for (int j = rows[row] + lane; j < rows[row + 1]; j += 32) s += values[j] * __ldg(&x[columns[j]]);
    for (int o = 16; o; o >>= 1) s += __shfl_down_sync(~0u, s, o);
    if (lane == 0) y[row] = s;
}

// Every thread takes the same lock three times.
extern "C" __global__ void locks(int* lock, int* counter)
{
    for (int i = 0; i < 3; i++) {
        bool done = false;
        while (!done) {
            if (atomicCAS(lock, 0, 1) == 0) {
                int c = *(volatile int*)counter;
                *(volatile int*)counter = c + 1;
                __threadfence();
                atomicExch(lock, 0);
                done = true;
            }
        }
    }
}

template <int N> struct Polynomial
{
    float c[N];
    __device__ float operator()(float x) const { float r = c[N - 1]; for (int i = N - 2; i >= 0; i--) r = r * x + c[i]; return r; }
};
extern "C" __global__ void by_value(Polynomial<7> p, const float* x, float* y, int k) { y[threadIdx.x] = p(x[threadIdx.x]) + p.c[(threadIdx.x + k) % 7]; }
extern "C" __global__ void grid_constant(const __grid_constant__ Polynomial<9> p, float* y) { const float* q = p.c; y[threadIdx.x] = q[threadIdx.x % 9]; }

__device__ void philox_round(unsigned* c, unsigned* k)
{
    unsigned h0 = __umulhi(0xD2511F53u, c[0]), l0 = 0xD2511F53u * c[0], h1 = __umulhi(0xCD9E8D57u, c[2]), l1 = 0xCD9E8D57u * c[2];
    unsigned r[4] = { h1 ^ c[1] ^ k[0], l1, h0 ^ c[3] ^ k[1], l0 };
    for (int i = 0; i < 4; i++) c[i] = r[i];
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
}
extern "C" __global__ void philox(unsigned* out, unsigned seed)
{
    unsigned c[4] = { threadIdx.x, blockIdx.x, 0, 0 }, k[2] = { seed, 77 };
#pragma unroll 1
    for (int i = 0; i < 10; i++) philox_round(c, k);
    for (int i = 0; i < 4; i++) out[4 * (blockIdx.x * blockDim.x + threadIdx.x) + i] = c[i];
}

extern "C" __global__ void asserts(const int* x) { assert(x[threadIdx.x] < 5 && "small numbers only"); }
