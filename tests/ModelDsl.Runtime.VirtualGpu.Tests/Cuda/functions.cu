__device__ __noinline__ long long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
extern "C" __global__ void fibonacci(long long* out) { out[threadIdx.x] = fib(threadIdx.x % 15); }

__device__ __noinline__ int ackermann(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
extern "C" __global__ void ack(int* out) { out[threadIdx.x] = ackermann(threadIdx.x % 3, threadIdx.x / 3); }

__device__ __noinline__ bool odd(unsigned n);
__device__ __noinline__ bool even(unsigned n) { return n == 0 || odd(n - 1); }
__device__ __noinline__ bool odd(unsigned n) { return n != 0 && even(n - 1); }
extern "C" __global__ void parity(int* out) { out[threadIdx.x] = even(threadIdx.x) ? 1 : odd(threadIdx.x) ? 2 : 3; }

// Quicksort of a row per thread, each half by recursion.
__device__ void sort(int* a, int low, int high)
{
    if (low >= high) return;
    int pivot = a[(low + high) / 2], i = low, j = high;
    while (i <= j) {
        while (a[i] < pivot) i++;
        while (a[j] > pivot) j--;
        if (i <= j) { int t = a[i]; a[i++] = a[j]; a[j--] = t; }
    }
    sort(a, low, j);
    sort(a, i, high);
}
extern "C" __global__ void quicksort(int* data, int n) { sort(data + n * threadIdx.x, 0, n - 1); }

// Recursion that hands pointers to its own locals down.
__device__ __noinline__ void digits(int n, int* path, int depth, int* sum)
{
    int local[4];
    for (int i = 0; i < 4; i++) local[i] = path[i] * 10 + n % 10;
    if (depth == 0) { for (int i = 0; i < 4; i++) *sum += local[i] * (i + 1); return; }
    digits(n / 10, local, depth - 1, sum);
    *sum += local[depth & 3];
}
extern "C" __global__ void locals(int* out) { int path[4] = {1, 2, 3, 4}; int sum = 0; digits(threadIdx.x * 37, path, threadIdx.x % 5, &sum); out[threadIdx.x] = sum; }

typedef float (*Operation)(float, float);
__device__ __noinline__ float plus(float a, float b) { return a + b; }
__device__ __noinline__ float minus(float a, float b) { return a - b; }
__device__ __noinline__ float times(float a, float b) { return a * b; }
__device__ Operation operations[3] = { plus, minus, times };
extern "C" __global__ void by_pointer(const float* a, const float* b, float* out) { int i = threadIdx.x; out[i] = operations[i % 3](a[i], b[i]); }

struct Shape { float x; __device__ Shape(float x) : x(x) {} __device__ virtual float area() const = 0; __device__ virtual float scaled(float s) const { return area() * s * s; } };
struct Square : Shape { __device__ Square(float x) : Shape(x) {} __device__ float area() const override { return x * x; } };
struct Circle : Shape { __device__ Circle(float x) : Shape(x) {} __device__ float area() const override { return 3.14159265f * x * x; } __device__ float scaled(float s) const override { return area() * s; } };
extern "C" __global__ void virtuals(const float* x, float* out)
{
    Square s(x[threadIdx.x]); Circle c(x[threadIdx.x]);
    const Shape* shape = threadIdx.x % 2 ? (const Shape*)&s : (const Shape*)&c;
    out[threadIdx.x] = shape->scaled(2.f) + shape->area();
}

struct Pair { int a; double b; char c[5]; };
__device__ __noinline__ Pair combine(Pair p, Pair q) { Pair r; r.a = p.a + q.a; r.b = p.b * q.b; for (int i = 0; i < 5; i++) r.c[i] = p.c[i] ^ q.c[4 - i]; return r; }
extern "C" __global__ void structs(Pair p, double* out)
{
    Pair q = { (int)threadIdx.x, threadIdx.x * 0.5, { (char)threadIdx.x, 1, 2, 3, 4 } };
    Pair r = combine(p, q);
    out[3 * threadIdx.x] = r.a; out[3 * threadIdx.x + 1] = r.b; out[3 * threadIdx.x + 2] = r.c[0] + 256.0 * r.c[4];
}

extern "C" __global__ void table(const int* x, int* out)
{
    int v = x[threadIdx.x], r;
    switch (v) {
        case 0: r = v * 7 + 1; break; case 1: r = __popc(v + 12345); break; case 2: r = v << 9; break; case 3: r = ~v; break;
        case 4: r = v * v * v; break; case 5: r = __clz(v); break; case 6: r = __brev(v); break; case 7: r = v / 3 + 99; break;
        case 8: r = v % 5 - 9; break; case 9: r = __ffs(v * 1024); break; case 10: r = __byte_perm(v, 0x12345678, 0x3412); break; case 11: r = -v; break;
        default: r = 1000 + v; break;
    }
    out[threadIdx.x] = r;
}
