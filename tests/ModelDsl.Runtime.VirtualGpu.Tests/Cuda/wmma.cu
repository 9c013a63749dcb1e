#include <mma.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>
using namespace nvcuda;

// One tile of C = A B + C per warp, in every element type, shape and layout there is.
template <typename T, typename TAcc, int M, int N, int K, typename LA, typename LB, typename TStore = T>
__device__ void tile(const TStore* A, const TStore* B, const TAcc* C, TAcc* D, int depth, wmma::layout_t layout)
{
    wmma::fragment<wmma::matrix_a, M, N, K, T, LA> a;
    wmma::fragment<wmma::matrix_b, M, N, K, T, LB> b;
    wmma::fragment<wmma::accumulator, M, N, K, TAcc> c;
    constexpr bool ar = std::is_same<LA, wmma::row_major>::value, br = std::is_same<LB, wmma::row_major>::value;
    int ldc = layout == wmma::mem_row_major ? N : M;
    wmma::load_matrix_sync(c, C, ldc, layout);
    for (int k = 0; k < depth; k += K) {
        wmma::load_matrix_sync(a, A + (ar ? k : k * M), ar ? depth : M);
        wmma::load_matrix_sync(b, B + (br ? k * N : k), br ? N : depth);
        wmma::mma_sync(c, a, b, c);
    }
    wmma::store_matrix_sync(D, c, ldc, layout);
}
#define KERNEL(name, T, TAcc, M, N, K, LA, LB, L, TS) \
    extern "C" __global__ void name(const TS* A, const TS* B, const TAcc* C, TAcc* D, int depth) \
    { tile<T, TAcc, M, N, K, wmma::LA, wmma::LB, TS>(A, B, C, D, depth, wmma::L); }
KERNEL(h_f32_16_rr, half, float, 16, 16, 16, row_major, row_major, mem_row_major, half)
KERNEL(h_f32_16_rc, half, float, 16, 16, 16, row_major, col_major, mem_row_major, half)
KERNEL(h_f32_16_cr, half, float, 16, 16, 16, col_major, row_major, mem_col_major, half)
KERNEL(h_f32_16_cc, half, float, 16, 16, 16, col_major, col_major, mem_col_major, half)
KERNEL(h_f16_16_rr, half, half, 16, 16, 16, row_major, row_major, mem_row_major, half)
KERNEL(h_f16_32_cr, half, half, 32, 8, 16, col_major, row_major, mem_col_major, half)
KERNEL(h_f16_8_rc, half, half, 8, 32, 16, row_major, col_major, mem_col_major, half)
KERNEL(h_f32_32_rr, half, float, 32, 8, 16, row_major, row_major, mem_row_major, half)
KERNEL(h_f32_8_cc, half, float, 8, 32, 16, col_major, col_major, mem_row_major, half)
KERNEL(bf_16_rc, __nv_bfloat16, float, 16, 16, 16, row_major, col_major, mem_row_major, __nv_bfloat16)
KERNEL(bf_32_rr, __nv_bfloat16, float, 32, 8, 16, row_major, row_major, mem_row_major, __nv_bfloat16)
KERNEL(bf_8_cc, __nv_bfloat16, float, 8, 32, 16, col_major, col_major, mem_col_major, __nv_bfloat16)
KERNEL(s8_16_rc, signed char, int, 16, 16, 16, row_major, col_major, mem_row_major, signed char)
KERNEL(s8_16_cr, signed char, int, 16, 16, 16, col_major, row_major, mem_col_major, signed char)
KERNEL(u8_32_rr, unsigned char, int, 32, 8, 16, row_major, row_major, mem_row_major, unsigned char)
KERNEL(s8_8_cc, signed char, int, 8, 32, 16, col_major, col_major, mem_row_major, signed char)
KERNEL(tf32_rr, wmma::precision::tf32, float, 16, 16, 8, row_major, row_major, mem_row_major, float)
KERNEL(tf32_cc, wmma::precision::tf32, float, 16, 16, 8, col_major, col_major, mem_col_major, float)
KERNEL(f64_rc, double, double, 8, 8, 4, row_major, col_major, mem_row_major, double)
KERNEL(f64_cr, double, double, 8, 8, 4, col_major, row_major, mem_col_major, double)
