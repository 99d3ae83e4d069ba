// Sorted lists of the least keys, each kept by a warp.
#pragma once
#include "common.cuh"

// The longest list.
constexpr int MAX_LIST = 9 * LANES;

// Sorts up to 32 keys, `count` of them, in shared memory. All but NO_KEY are distinct. A whole warp calls
// it.
__device__ inline void sort(u64 *keys, int count) {
  int lane = threadIdx.x % LANES;
  u64 mine = lane < count ? keys[lane] : NO_KEY;
  int place = 0;
#pragma unroll 1
  for (int i = 0; i < count; i++) place += __shfl_sync(ALL, mine, i) < mine;
  // None is written before all are read: the lanes have waited for each other.
  if (lane < count) keys[place] = mine;
  __syncwarp();
}

// Merges up to 32 ascending keys, `fresh` of them, into the ascending `list` of `length` keys, which keeps
// the least. All keys but NO_KEY are distinct. Returns the last key of the list. A whole warp calls it.
__device__ inline u64 merge(u64 *list, int length, const u64 *keys, int fresh) {
  int lane = threadIdx.x % LANES;
  u64 mine = lane < fresh ? keys[lane] : NO_KEY;
  // The place of `mine`: after the fresh ones before it, and the keys of the list that are less.
  int low = 0, high = length;
  while (low < high) {
    int middle = (low + high) / 2;
    if (list[middle] < mine)
      low = middle + 1;
    else
      high = middle;
  }
  int place = lane + low;
  // Keys of the list move up by as many fresh ones as are less, the last 32 first: they leave their
  // places to those before them.
#pragma unroll 1
  for (int begin = (length - 1) / LANES * LANES; begin >= 0; begin -= LANES) {
    int at = begin + lane;
    u64 old = at < length ? list[at] : NO_KEY;
    int less = 0;
#pragma unroll 1
    for (int step = LANES / 2; step > 0; step /= 2)
      if (__shfl_sync(ALL, mine, less + step - 1) < old) less += step;
    if (__shfl_sync(ALL, mine, less) < old) less++;
    if (at + less < length) list[at + less] = old;
    __syncwarp();
  }
  if (lane < fresh && place < length) list[place] = mine;
  __syncwarp();
  return list[length - 1];
}
