// Exact distances: from rows as they were uploaded, in single precision.
#include "lists.cuh"

// Of each row's list of `length` columns, the `k` columns with the least exact distance, ascending by
// distance, then position; NONE and infinity if there are fewer. Any of `ids` and `distances` may be
// null.
//
// Grid: a block for each row.
extern "C" __global__ void refine(const float *rows, const u32 *selected_rows, u32 first,
                                  const float *columns, const u32 *selected_columns, u32 dims,
                                  u32 measure, const u64 *lists, u32 length, u32 k, u32 *ids,
                                  float *distances) {
  __shared__ u64 keys[MAX_LIST];
  int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, warps = blockDim.x / LANES;
  const u64 *list = lists + (u64)blockIdx.x * length;
  const float *row = rows + (u64)row_at(selected_rows, first + blockIdx.x) * dims;
  for (u32 i = warp; i < length; i += warps) {
    u64 key = list[i];
    if (key != NO_KEY) {
      u32 position = position_of(key);
      const float *column = columns + (u64)row_at(selected_columns, position) * dims;
      float sum = 0;
      if (measure == L2) {
#pragma unroll 4
        for (u32 d = lane; d < dims; d += LANES) {
          float difference = row[d] - column[d];
          sum += difference * difference;
        }
      } else {
#pragma unroll 4
        for (u32 d = lane; d < dims; d += LANES) sum -= row[d] * column[d];
      }
      key = key_of(not_nan(warp_sum(sum)), position);
    }
    if (lane == 0) keys[i] = key;
  }
  __syncthreads();
  u64 out = (u64)blockIdx.x * k;
  for (u32 i = threadIdx.x; i < length; i += blockDim.x) {
    u64 key = keys[i];
    // Keys that do not exist follow those that do, in the order of their places.
    u32 rank = 0;
    for (u32 other = 0; other < length; other++)
      rank += keys[other] < key || (keys[other] == key && other < i);
    if (rank < k) {
      if (ids) ids[out + rank] = key == NO_KEY ? NONE : position_of(key);
      if (distances) distances[out + rank] = key == NO_KEY ? infinity() : distance_of(key);
    }
  }
}

// Sums of the rows at the positions `members[starts[i]] .. members[starts[i + 1]]`, for each cluster i, in
// this order, in double precision.
//
// Grid: x, clusters; y, as many blocks as there are dims to a thread each.
extern "C" __global__ void sums(const float *rows, const u32 *selected, u32 dims, const u32 *members,
                                const u32 *starts, double *sums) {
  u32 d = blockIdx.y * blockDim.x + threadIdx.x;
  if (d >= dims) return;
  double sum = 0;
#pragma unroll 8
  for (u32 i = starts[blockIdx.x]; i < starts[blockIdx.x + 1]; i++)
    sum += (double)rows[(u64)row_at(selected, members[i]) * dims + d];
  sums[(u64)blockIdx.x * dims + d] = sum;
}
