// Rows less the center, rounded to bfloat16, and norms.
#include "common.cuh"

// To nearest, ties to even. `x` is not NaN.
__device__ inline u16 to_bfloat16(float x) {
  u32 bits = __float_as_uint(x);
  return (u16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

__device__ inline float from_bfloat16(u16 x) { return __uint_as_float((u32)x << 16); }

// Rounds the rows `first .. first + count` of `rows`, of `dims` numbers each, less `center`, to
// `rounded`, whose rows have `padded` numbers: zeros after the first `dims`. Writes the squared norms of
// the rounded rows, and those of the rows less the center without rounding.
//
// Grid: one warp for each row.
extern "C" __global__ void round_rows(const float *rows, const float *center, u32 first, u32 count,
                                      u32 dims, u32 padded, u16 *rounded, float *rounded_norms,
                                      float *norms) {
  u32 lane = threadIdx.x % LANES;
  u32 index = blockIdx.x * (blockDim.x / LANES) + threadIdx.x / LANES;
  if (index >= count) return;
  u64 row = (u64)first + index;
  const float *from = rows + row * dims;
  u16 *to = rounded + row * padded;
  float rounded_norm = 0, norm = 0;
  for (u32 i = lane; i < padded; i += LANES) {
    float x = i < dims ? from[i] - center[i] : 0;
    u16 bits = to_bfloat16(x);
    float y = from_bfloat16(bits);
    to[i] = bits;
    norm += x * x;
    rounded_norm += y * y;
  }
  norm = warp_sum(norm);
  rounded_norm = warp_sum(rounded_norm);
  if (lane == 0) {
    norms[row] = norm;
    rounded_norms[row] = rounded_norm;
  }
}
