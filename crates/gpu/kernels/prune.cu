// Choosing neighbors by the rule of the crate `prune`.
#include "common.cuh"

// The longest list of candidates.
constexpr int MAX_CANDIDATES = 512;
constexpr u16 NOT_CHOSEN = 0xffff;
// Candidates that are judged at a time, and those that they are compared with at a time.
constexpr int BATCH = 32;
constexpr int OTHERS = 128;
// Numbers of a row that are loaded at a time: one for each lane.
constexpr int SLICE = LANES;
constexpr int PRUNE_THREADS = 256;
constexpr int WARPS = PRUNE_THREADS / LANES;

// Reasons to be in a list.
constexpr int FILLS = 0, LENIENT = 1, DIVERSE = 2;

struct Lists {
  // Numbers of candidates less the center, one row for each number. Rows end with four unused places,
  // which keep reads aligned and spread writes over the banks.
  float batch[SLICE][BATCH + 4];
  float others[SLICE][OTHERS + 4];
  u32 rows[MAX_CANDIDATES];
  float distances[MAX_CANDIDATES];
  float norms[MAX_CANDIDATES];
  int reasons[MAX_CANDIDATES];
};
// The size that launches ask for: src/cuda/launch.rs.
static_assert(sizeof(Lists) == 29696);

// The reason that a candidate has beside another which has the reason `other`.
__device__ inline int beside(int other, float distance, float leniency, float between) {
  if (other == FILLS || between > distance) return DIVERSE;
  if (leniency * between > distance) return other == LENIENT ? DIVERSE : LENIENT;
  return FILLS;
}

// Chooses up to `limit` candidates of a list of `width` places; see `Device::prune`. `norms` are those of
// rows less the center, without rounding.
//
// Grid: a block for each list. Shared memory: `Lists`, then BATCH rows of `width` rounded up to OTHERS
// floats.
extern "C" __global__ void __launch_bounds__(PRUNE_THREADS)
    prune(const float *rows, const float *center, const float *norms, const u32 *selected, u32 dims,
          u32 measure, u32 width, const u32 *ids, const float *distances, u32 limit, float leniency,
          u16 *chosen) {
  DYNAMIC_SHARED(shared);
  Lists &lists = *(Lists *)shared;
  // Distances of the batch from the candidates up to its end, one row for each of the batch.
  float *between = (float *)(&lists + 1);
  u32 stride = (width + OTHERS - 1) / OTHERS * OTHERS;
  int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
  ids += (u64)blockIdx.x * width;
  distances += (u64)blockIdx.x * width;
  chosen += (u64)blockIdx.x * limit;

  // Candidates that exist come first.
  u32 count = 0;
  for (u32 begin = 0; begin < width; begin += PRUNE_THREADS) {
    u32 i = begin + threadIdx.x;
    bool exists = i < width && ids[i] != NONE;
    if (exists) {
      u32 row = row_at(selected, ids[i]);
      lists.rows[i] = row;
      lists.distances[i] = distances[i];
      lists.norms[i] = norms[row];
    }
    count += __syncthreads_count(exists);
  }

  for (u32 first = 0; first < count; first += BATCH) {
    u32 end = min(first + BATCH, count);
    for (u32 others = 0; others < end; others += OTHERS) {
      // Of the products, each thread has four by four: of the candidates `warp * 4 ..` of the batch, and
      // of the others `lane * 4 ..`.
      float products[4][4] = {};
      for (u32 begin = 0; begin < dims; begin += SLICE) {
        u32 d = begin + lane;
        float middle = d < dims ? center[d] : 0;
        for (u32 i = warp; i < BATCH; i += WARPS)
          lists.batch[lane][i] =
              first + i < end && d < dims ? rows[(u64)lists.rows[first + i] * dims + d] - middle : 0;
        for (u32 i = warp; i < OTHERS; i += WARPS)
          lists.others[lane][i] =
              others + i < end && d < dims ? rows[(u64)lists.rows[others + i] * dims + d] - middle : 0;
        __syncthreads();
#pragma unroll 8
        for (int slice = 0; slice < SLICE; slice++) {
          float4 a = *(const float4 *)&lists.batch[slice][warp * 4];
          float4 b = *(const float4 *)&lists.others[slice][lane * 4];
          float left[4] = {a.x, a.y, a.z, a.w}, right[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
          for (int i = 0; i < 4; i++)
#pragma unroll
            for (int j = 0; j < 4; j++) products[i][j] += left[i] * right[j];
        }
        __syncthreads();
      }
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) {
          u32 one = first + warp * 4 + i, other = others + lane * 4 + j;
          if (one < end && other < end) {
            float product = products[i][j];
            float sum = lists.norms[one] + lists.norms[other] - 2 * product;
            between[(warp * 4 + i) * stride + other] =
                measure == L2 ? fmaxf(not_nan(sum), 0) : not_nan(-product);
          }
        }
    }
    __syncthreads();
    // Each candidate depends on the reasons of those before it.
    if (warp == 0)
      for (u32 i = first; i < end; i++) {
        int least = DIVERSE;
        for (u32 other = lane; other < i; other += LANES)
          least = min(least, beside(lists.reasons[other], lists.distances[i], leniency,
                                    between[(i - first) * stride + other]));
        least = __reduce_min_sync(ALL, least);
        if (lane == 0) lists.reasons[i] = least;
        __syncwarp();
      }
    __syncthreads();
  }

  // Rows are no longer needed: from here on, whether each candidate is chosen.
  u32 kept = min(count, limit);
  for (u32 i = threadIdx.x; i < count; i += PRUNE_THREADS) {
    int reason = lists.reasons[i];
    u32 better = 0;
    for (u32 other = 0; other < count; other++)
      better += lists.reasons[other] > reason || (lists.reasons[other] == reason && other < i);
    lists.rows[i] = better < kept;
  }
  __syncthreads();
  for (u32 i = threadIdx.x; i < count; i += PRUNE_THREADS)
    if (lists.rows[i]) {
      u32 place = 0;
      for (u32 other = 0; other < i; other++) place += lists.rows[other];
      chosen[place] = (u16)i;
    }
  for (u32 i = kept + threadIdx.x; i < limit; i += PRUNE_THREADS) chosen[i] = NOT_CHOSEN;
}
