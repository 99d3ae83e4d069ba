// What all kernels share. The kernels are CUDA C without any header of CUDA, so that NVRTC alone
// compiles them. The emulator in ../emulator compiles the same text as C++ for the CPU; what differs
// there is between `#ifdef EMULATOR` and `#endif`.
#pragma once

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef EMULATOR
#include "../emulator/cuda.h"
#else
#define DYNAMIC_SHARED(name) extern __shared__ uint4 name[]
#endif

// Lanes of a warp, and the mask of all of them.
constexpr int LANES = 32;
constexpr u32 ALL = 0xffffffff;

// Values of the parameter `measure`.
constexpr u32 L2 = 0;
constexpr u32 INNER_PRODUCT = 1;

// Fills places of neighbors that do not exist.
constexpr u32 NONE = 0xffffffff;

// A key is a distance and a position in one number, which sorts by distance, then by position.
// No distance is NaN, so this key is larger than those of all candidates.
constexpr u64 NO_KEY = 0xffffffffffffffffULL;

__device__ inline float infinity() { return __uint_as_float(0x7f800000); }

// `distance`, or infinity if it is NaN, because numbers overflowed. Zero has no sign, so that keys of equal
// distances are ordered by position.
__device__ inline float not_nan(float distance) {
  return distance == distance ? distance + 0.0f : infinity();
}

// A number that sorts as `x` does, which is not NaN.
__device__ inline u32 ascending(float x) {
  u32 bits = __float_as_uint(x);
  return bits >> 31 ? ~bits : bits | 0x80000000;
}

__device__ inline u64 key_of(float distance, u32 position) {
  return (u64)ascending(distance) << 32 | position;
}

__device__ inline u32 position_of(u64 key) { return (u32)key; }

// The distance of a key; of NO_KEY, NaN.
__device__ inline float distance_of(u64 key) {
  u32 half = (u32)(key >> 32);
  return __uint_as_float(half >> 31 ? half & 0x7fffffff : ~half);
}

// The number of the row at a position in a selection; without a selection, the position.
__device__ inline u32 row_at(const u32 *selected, u32 position) {
  return selected ? selected[position] : position;
}

// The sum over the lanes of a warp, the same in each, in a fixed order.
__device__ inline float warp_sum(float x) {
  for (int distance = LANES / 2; distance > 0; distance /= 2) x += __shfl_xor_sync(ALL, x, distance);
  return x;
}
