#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <cuda_fp8.h>
extern "C" __global__ void halves(const float* x, const float* y, float* out)
{
    int i = threadIdx.x;
    __half a = __float2half(x[i]), b = __float2half(y[i]);
    __half2 p = __halves2half2(a, b), q = __half2half2(__float2half(0.5f));
    float* o = out + 24 * i;
    o[0] = __half2float(a + b); o[1] = __half2float(a - b); o[2] = __half2float(a * b); o[3] = __half2float(__hfma(a, b, a)); o[4] = __half2float(__hfma_relu(a, b, __hneg(a))); o[5] = __half2float(__hadd_sat(a, b));
    __half2 r = __hfma2(p, q, p); o[6] = __low2float(r); o[7] = __high2float(r);
    r = h2exp2(p); o[8] = __low2float(r); o[9] = __high2float(r);
    r = __hmax2(p, q); o[10] = __low2float(r); o[11] = __high2float(r);
    r = __hgt2(p, q); o[12] = __low2float(r); o[13] = __high2float(r);
    o[14] = __hlt(a, b) ? 1.f : 0.f; o[15] = __hbeq2(p, p) ? 1.f : 0.f; o[16] = __half2float(hsqrt(__habs(a))); o[17] = __half2float(hexp(a)); o[18] = (float)__half2int_rn(a * __float2half(10.f)); o[19] = __half2float(hrint(a * __float2half(10.f)));
    o[20] = __half2float(htrunc(a * __float2half(10.f))); o[21] = __half2float(__hdiv(a, b)); o[22] = __half2float(hsin(a)); o[23] = __half2float(__ushort2half_rn((unsigned short)(i * 7)));
}
extern "C" __global__ void bfloats(const float* x, const float* y, float* out)
{
    int i = threadIdx.x;
    __nv_bfloat16 a = __float2bfloat16(x[i]), b = __float2bfloat16(y[i]);
    __nv_bfloat162 p = __halves2bfloat162(a, b), q = __bfloat162bfloat162(__float2bfloat16(0.5f));
    float* o = out + 16 * i;
    o[0] = __bfloat162float(__hadd(a, b)); o[1] = __bfloat162float(__hsub(a, b)); o[2] = __bfloat162float(__hmul(a, b)); o[3] = __bfloat162float(__hfma(a, b, a));
    __nv_bfloat162 r = __hfma2(p, q, p); o[4] = __low2float(r); o[5] = __high2float(r);
    r = __hmin2(p, q); o[6] = __low2float(r); o[7] = __high2float(r); r = __habs2(__hneg2(p)); o[8] = __low2float(r); o[9] = __high2float(r);
    o[10] = __hgt(a, b) ? 1.f : 0.f; o[11] = __bfloat162float(hexp(a)); o[12] = __bfloat162float(__float2bfloat16_rz(x[i] * 3)); o[13] = (float)__bfloat162int_rz(a * __float2bfloat16(10.f));
    __nv_fp8_e4m3 e(x[i]); __nv_fp8_e5m2 f(x[i]); o[14] = (float)e; o[15] = (float)f;
}
