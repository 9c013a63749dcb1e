extern "C" __global__ void integers(const unsigned* a, const unsigned* b, unsigned long long* out)
{
    int i = threadIdx.x;
    unsigned x = a[i], y = b[i] | 1; int s = (int)x, t = (int)y;
    unsigned long long X = ((unsigned long long)x << 32) | y, Y = ((unsigned long long)y << 20) | x | 1; long long S = (long long)X, T = (long long)Y;
    unsigned long long* o = out + 40 * i;
    o[0] = X / Y; o[1] = X % Y; o[2] = (unsigned long long)(S / T); o[3] = (unsigned long long)(S % T); o[4] = __umul64hi(X, Y); o[5] = (unsigned long long)__mul64hi(S, T);
    o[6] = X * Y + 3; o[7] = __umulhi(x, y); o[8] = (unsigned)__mulhi(s, t); o[9] = __popcll(X); o[10] = __clzll(X >> (x & 63)); o[11] = __ffsll(X << (x & 63)); o[12] = __brevll(X); o[13] = __brev(x);
    o[14] = __byte_perm(x, y, 0x5140 ^ (x & 0x7777)); o[15] = __funnelshift_l(x, y, x & 63); o[16] = __funnelshift_rc(x, y, y & 63); o[17] = (unsigned)__dp4a(s, t, 7); o[18] = __dp4a(x, y, 9u);
    o[19] = (unsigned)__dp2a_lo((int)x, (int)y, 5); o[20] = __dp2a_hi(x, y, 5u); o[21] = __usad(x, y, 10u); o[22] = (unsigned)__sad(s, t, 3u); o[23] = __umul24(x, y); o[24] = (unsigned)__mul24(s, t);
    o[25] = __vadd4(x, y); o[26] = __vaddss2(x, y); o[27] = __vabsdiffu4(x, y); o[28] = __vcmpgtu4(x, y); o[29] = __vmaxs2(x, y); o[30] = __uhadd(x, y); o[31] = (unsigned)__rhadd(s, t);
    o[32] = x >> (y & 31); o[33] = (unsigned)(s >> (y & 31)); o[34] = X >> (x & 63); o[35] = (unsigned long long)(S >> (x & 63)); o[36] = (unsigned)(s / t) | ((unsigned long long)(unsigned)(s % t) << 32); o[37] = x / y + ((unsigned long long)(x % y) << 32);
    o[38] = (unsigned)max(min(s, 100), -100); o[39] = (x & y) ^ (~x | 0x0F0F0F0F) ^ (y & 0x33333333);
}
// 256-bit sums by carry chains.
extern "C" __global__ void long_sum(const unsigned* a, const unsigned* b, unsigned* out)
{
    const unsigned *x = a + 8 * threadIdx.x, *y = b + 8 * threadIdx.x; unsigned *z = out + 17 * threadIdx.x; unsigned r[8];
    asm("add.cc.u32 %0, %8, %16; addc.cc.u32 %1, %9, %17; addc.cc.u32 %2, %10, %18; addc.cc.u32 %3, %11, %19; addc.cc.u32 %4, %12, %20; addc.cc.u32 %5, %13, %21; addc.cc.u32 %6, %14, %22; addc.u32 %7, %15, %23;"
        : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]), "=r"(r[4]), "=r"(r[5]), "=r"(r[6]), "=r"(r[7])
        : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(x[4]), "r"(x[5]), "r"(x[6]), "r"(x[7]), "r"(y[0]), "r"(y[1]), "r"(y[2]), "r"(y[3]), "r"(y[4]), "r"(y[5]), "r"(y[6]), "r"(y[7]));
    for (int i = 0; i < 8; i++) z[i] = r[i];
    asm("sub.cc.u32 %0, %4, %8; subc.cc.u32 %1, %5, %9; subc.cc.u32 %2, %6, %10; subc.u32 %3, %7, %11;" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[0]), "r"(y[1]), "r"(y[2]), "r"(y[3]));
    for (int i = 0; i < 4; i++) z[8 + i] = r[i];
    unsigned lo, mid, hi, top, last;
    asm("mul.lo.u32 %0, %5, %7; mul.hi.u32 %1, %5, %7; mad.lo.cc.u32 %1, %5, %8, %1; madc.hi.u32 %2, %5, %8, 0; mad.lo.cc.u32 %1, %6, %7, %1; madc.hi.cc.u32 %2, %6, %7, %2; addc.u32 %3, 0, 0; mad.lo.cc.u32 %2, %6, %8, %2; madc.hi.u32 %3, %6, %8, %3; mov.u32 %4, %3;"
        : "=&r"(lo), "=&r"(mid), "=&r"(hi), "=&r"(top), "=&r"(last) : "r"(x[0]), "r"(x[1]), "r"(y[0]), "r"(y[1]));
    z[12] = lo; z[13] = mid; z[14] = hi; z[15] = top; z[16] = last;
}
__constant__ unsigned rounds[64] = {
0x428a2f98,0x71374491,0xb5c0fbcf,0xe9b5dba5,0x3956c25b,0x59f111f1,0x923f82a4,0xab1c5ed5,0xd807aa98,0x12835b01,0x243185be,0x550c7dc3,0x72be5d74,0x80deb1fe,0x9bdc06a7,0xc19bf174,
0xe49b69c1,0xefbe4786,0x0fc19dc6,0x240ca1cc,0x2de92c6f,0x4a7484aa,0x5cb0a9dc,0x76f988da,0x983e5152,0xa831c66d,0xb00327c8,0xbf597fc7,0xc6e00bf3,0xd5a79147,0x06ca6351,0x14292967,
0x27b70a85,0x2e1b2138,0x4d2c6dfc,0x53380d13,0x650a7354,0x766a0abb,0x81c2c92e,0x92722c85,0xa2bfe8a1,0xa81a664b,0xc24b8b70,0xc76c51a3,0xd192e819,0xd6990624,0xf40e3585,0x106aa070,
0x19a4c116,0x1e376c08,0x2748774c,0x34b0bcb5,0x391c0cb3,0x4ed8aa4a,0x5b9cca4f,0x682e6ff3,0x748f82ee,0x78a5636f,0x84c87814,0x8cc70208,0x90befffa,0xa4506ceb,0xbef9a3f7,0xc67178f2};
__device__ unsigned start[8] = {0x6a09e667,0xbb67ae85,0x3c6ef372,0xa54ff53a,0x510e527f,0x9b05688c,0x1f83d9ab,0x5be0cd19};
__device__ const unsigned* const where = start;
#define ROR(x, n) __funnelshift_r(x, x, n)
// SHA-256 of one padded 64-byte message per thread.
extern "C" __global__ void sha256(const unsigned char* in, unsigned* out)
{
    unsigned w[64]; const unsigned char* p = in + 64 * (blockIdx.x * blockDim.x + threadIdx.x);
    for (int i = 0; i < 16; i++) w[i] = p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) { unsigned a = w[i - 15], b = w[i - 2]; w[i] = w[i - 16] + (ROR(a, 7) ^ ROR(a, 18) ^ a >> 3) + w[i - 7] + (ROR(b, 17) ^ ROR(b, 19) ^ b >> 10); }
    unsigned h[8]; for (int i = 0; i < 8; i++) h[i] = where[i];
    for (int i = 0; i < 64; i++) {
        unsigned t1 = h[7] + (ROR(h[4], 6) ^ ROR(h[4], 11) ^ ROR(h[4], 25)) + (h[4] & h[5] ^ ~h[4] & h[6]) + rounds[i] + w[i];
        unsigned t2 = (ROR(h[0], 2) ^ ROR(h[0], 13) ^ ROR(h[0], 22)) + (h[0] & h[1] ^ h[0] & h[2] ^ h[1] & h[2]);
        h[7] = h[6]; h[6] = h[5]; h[5] = h[4]; h[4] = h[3] + t1; h[3] = h[2]; h[2] = h[1]; h[1] = h[0]; h[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) out[8 * (blockIdx.x * blockDim.x + threadIdx.x) + i] = h[i] + where[i];
}

// 128 bits by 32: the compiler's own routine, which adds with the carry that subtractions leave.
extern "C" __global__ void long_division(const unsigned long long* a, const unsigned* b, unsigned long long* q)
{
    unsigned __int128 v = ((unsigned __int128)a[2 * threadIdx.x] << 64) | a[2 * threadIdx.x + 1], r = v / b[threadIdx.x];
    q[2 * threadIdx.x] = (unsigned long long)(r >> 64);
    q[2 * threadIdx.x + 1] = (unsigned long long)r;
}
