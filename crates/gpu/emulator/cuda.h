// The part of CUDA C that the kernels use, for C++ on the CPU. Needs clang, but no C++ library.
#pragma once

#include <math.h>
#include <string.h>

#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)
#define DYNAMIC_SHARED(name) uint4 *name = (uint4 *)emulator::dynamic_shared

struct alignas(16) uint4 {
  u32 x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

namespace emulator {

struct Index {
  u32 x, y, z;
};

extern Index thread_index, block_index, block_size;
extern void *dynamic_shared;

// Gives `size` bytes of this lane to the others of its warp. Returns theirs, those of lane i at
// i * MAX_GIVEN, valid until the next call.
constexpr int MAX_GIVEN = 32;
const char *exchange(const void *given, int size);

// Waits for all threads of the block; returns the sum of their values.
u32 barrier(u32 value);

// What `lane` gave.
template <class T> T given(const char *all, int lane) {
  T value;
  memcpy(&value, all + lane * MAX_GIVEN, sizeof value);
  return value;
}

void copy_later(void *to, const void *from, int bytes);
void commit();
void wait(int groups);

} // namespace emulator

#define threadIdx emulator::thread_index
#define blockIdx emulator::block_index
#define blockDim emulator::block_size

inline float __uint_as_float(u32 x) {
  float y;
  memcpy(&y, &x, 4);
  return y;
}
inline u32 __float_as_uint(float x) {
  u32 y;
  memcpy(&y, &x, 4);
  return y;
}
inline int __popc(u32 x) { return __builtin_popcount(x); }
template <class T> T min(T a, T b) { return b < a ? b : a; }
inline int atomicAdd(int *to, int x) {
  int before = *to;
  *to += x;
  return before;
}

inline void __syncthreads() { emulator::barrier(0); }
inline int __syncthreads_or(int x) { return emulator::barrier(x != 0) != 0; }
inline int __syncthreads_count(int x) { return (int)emulator::barrier(x != 0); }
inline void __syncwarp() { emulator::exchange("", 1); }

template <class T> T __shfl_sync(u32, T x, int lane) {
  return emulator::given<T>(emulator::exchange(&x, sizeof x), lane);
}
template <class T> T __shfl_xor_sync(u32, T x, int mask) {
  const char *all = emulator::exchange(&x, sizeof x);
  return emulator::given<T>(all, (int)(threadIdx.x % 32) ^ mask);
}
inline u32 __ballot_sync(u32, int x) {
  const char *all = emulator::exchange(&x, sizeof x);
  u32 bits = 0;
  for (int lane = 0; lane < 32; lane++) bits |= (u32)(emulator::given<int>(all, lane) != 0) << lane;
  return bits;
}
inline int __reduce_min_sync(u32, int x) {
  const char *all = emulator::exchange(&x, sizeof x);
  for (int lane = 0; lane < 32; lane++) x = min(x, emulator::given<int>(all, lane));
  return x;
}

inline void copy_async(u16 *to, const u16 *from, int bytes) { emulator::copy_later(to, from, bytes); }
inline void commit_copies() { emulator::commit(); }
template <int groups> void wait_for_copies() { emulator::wait(groups); }

// `ldmatrix`, as PTX's manual has it: lane i gives the address of row i % 8 of matrix i / 8.
inline void load_matrices(u32 to[4], const u16 *row) {
  const char *all = emulator::exchange(&row, sizeof row);
  int lane = threadIdx.x % 32;
  for (int matrix = 0; matrix < 4; matrix++)
    memcpy(&to[matrix], emulator::given<const u16 *>(all, matrix * 8 + lane / 4) + lane % 4 * 2, 4);
}

// `mma.m16n8k16`, as PTX's manual has it: with g = lane / 4 and t = lane % 4, register r of a lane holds
// the elements (g + 8 (r % 2), 2 t + 8 (r / 2)) of A and the next of its row, (2 t + 8 r, g) of B and the
// next of its column.
inline void multiply_add(float sums[4], const u32 a[4], const u32 b[2]) {
  struct Given {
    u32 a[4], b[2];
  } mine;
  memcpy(mine.a, a, sizeof mine.a);
  memcpy(mine.b, b, sizeof mine.b);
  const char *all = emulator::exchange(&mine, sizeof mine);
  int lane = threadIdx.x % 32;
  auto number = [](u32 word, int half) { return __uint_as_float(half ? word & 0xffff0000 : word << 16); };
  for (int element = 0; element < 4; element++) {
    int row = lane / 4 + element / 2 * 8, column = lane % 4 * 2 + element % 2;
    for (int k = 0; k < 16; k++) {
      const u32 *left = (const u32 *)(all + (row % 8 * 4 + k % 8 / 2) * emulator::MAX_GIVEN);
      const u32 *right = (const u32 *)(all + (column * 4 + k % 8 / 2) * emulator::MAX_GIVEN);
      sums[element] += number(left[k / 8 * 2 + row / 8], k % 2) * number(right[4 + k / 8], k % 2);
    }
  }
}
