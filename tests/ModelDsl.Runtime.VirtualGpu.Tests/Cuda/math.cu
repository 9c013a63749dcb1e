extern "C" __global__ void double_math(const double* x, double* y, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    double v = x[i], a = fabs(v) + 1e-3;
    double* o = y + 24 * (size_t)i;
    o[0] = exp(v); o[1] = log(a); o[2] = sin(v); o[3] = cos(v); o[4] = tan(v); o[5] = atan(v); o[6] = tanh(v); o[7] = pow(a, 1.7);
    o[8] = sqrt(a); o[9] = 1.0 / v; o[10] = rsqrt(a); o[11] = cbrt(v); o[12] = erf(v); o[13] = exp2(v); o[14] = log10(a); o[15] = fmod(v * 100, 3.3);
    o[16] = floor(v * 10); o[17] = rint(v * 10); o[18] = hypot(v, 2.0); o[19] = atan2(v, 1.5); o[20] = tgamma(a); o[21] = log1p(a); o[22] = expm1(v); o[23] = v / a;
}
extern "C" __global__ void float_math(const float* x, float* y, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = x[i], a = fabsf(v) + 1e-3f;
    float* o = y + 24 * (size_t)i;
    o[0] = expf(v); o[1] = logf(a); o[2] = sinf(v); o[3] = cosf(v); o[4] = tanf(v); o[5] = atanf(v); o[6] = tanhf(v); o[7] = powf(a, 1.7f);
    o[8] = sqrtf(a); o[9] = 1.f / v; o[10] = rsqrtf(a); o[11] = cbrtf(v); o[12] = erff(v); o[13] = exp2f(v); o[14] = log10f(a); o[15] = fmodf(v * 100, 3.3f);
    o[16] = floorf(v * 10); o[17] = rintf(v * 10); o[18] = hypotf(v, 2.f); o[19] = atan2f(v, 1.5f); o[20] = lgammaf(a); o[21] = __expf(v); o[22] = __sinf(v); o[23] = __fdividef(v, a);
}
extern "C" __global__ void mandelbrot(int* out, int width, double x0, double y0, double step, int limit)
{
    int px = blockIdx.x * blockDim.x + threadIdx.x, py = blockIdx.y;
    double cx = x0 + px * step, cy = y0 + py * step, x = 0, y = 0;
    int n = 0;
    while (n < limit && x * x + y * y < 4.0) { double t = x * x - y * y + cx; y = 2 * x * y + cy; x = t; n++; }
    out[py * width + px] = n;
}

// Results rounded in a direction, as interval arithmetic wants them.
extern "C" __global__ void intervals(const double* a, const double* b, double* out)
{
    int i = threadIdx.x;
    double* o = out + 8 * i;
    o[0] = __dadd_rd(a[i], b[i]); o[1] = __dadd_ru(a[i], b[i]); o[2] = __dmul_rd(a[i], b[i]); o[3] = __dmul_ru(a[i], b[i]);
    o[4] = __ddiv_rd(a[i], b[i]); o[5] = __ddiv_ru(a[i], b[i]); o[6] = __dsqrt_rd(fabs(a[i])); o[7] = __dsqrt_ru(fabs(a[i]));
}
