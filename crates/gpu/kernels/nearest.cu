// The columns nearest to each row by rounded products: a product of matrices on tensor cores, whose
// results never leave the multiprocessor; only the lists of the nearest do.
#include "lists.cuh"
#include "tensor.cuh"

// Rows and columns of a tile, which a block computes at a time.
constexpr int TILE = 128;
// Numbers of a row that are loaded at a time.
constexpr int DEPTH = 32;
// Loads that are under way at a time, or in use.
constexpr int STAGES = 3;
constexpr int THREADS = 256;
// Warps are 2 by 4 in a tile: each computes 64 rows by 32 columns, in fragments of 16 by 8.
constexpr int WARP_ROWS = 64, WARP_COLUMNS = 32;
constexpr int ROW_FRAGMENTS = WARP_ROWS / 16, COLUMN_FRAGMENTS = WARP_COLUMNS / 8;
// Candidates of a row that wait to be merged into its list, at most.
constexpr int PENDING = 24;

// Shared memory of a block.
struct Tiles {
  u16 rows[STAGES][TILE * DEPTH];
  u16 columns[STAGES][TILE * DEPTH];
  u64 pending[TILE][PENDING];
  // The last key of each list: others must be less.
  u64 last[TILE];
  // Number of pending candidates; more than PENDING if some found no place.
  int waiting[TILE];
  float row_norms[TILE];
};
// The size that launches ask for: src/cuda/launch.rs.
static_assert(sizeof(Tiles) == 75776);

// Where numbers `part * 8 ..` of a row of a tile are. Swapping them keeps the eight rows that a warp
// reads at a time in different banks.
__device__ inline int swizzled(int row, int part) { return row * DEPTH + (part ^ (row >> 1 & 3)) * 8; }

// What a thread copies to shared memory at each step: two pieces of 8 numbers, of two rows of a tile.
struct Loader {
  const u16 *matrix;
  const u32 *selected;
  u32 end; // positions from here on are zeros
  u32 padded;
  const u16 *from[2]; // null for zeros

  // Begins with the tile whose first row has this position.
  __device__ void begin(u32 first) {
#pragma unroll
    for (int i = 0; i < 2; i++) {
      int piece = threadIdx.x + i * THREADS;
      u64 position = (u64)first + piece / 4;
      from[i] = nullptr;
      if (position < end)
        from[i] = matrix + (u64)row_at(selected, (u32)position) * padded + piece % 4 * 8;
    }
  }

  __device__ void load(u16 *stage, int chunk) const {
#pragma unroll
    for (int i = 0; i < 2; i++) {
      int piece = threadIdx.x + i * THREADS;
      // The address must be one of memory also where nothing is read.
      const u16 *address = from[i] ? from[i] + chunk * DEPTH : matrix;
      copy_async(stage + swizzled(piece / 4, piece % 4), address, from[i] ? 16 : 0);
    }
  }
};

// Adds the products of one stage to those of this warp's part of the tile.
__device__ inline void multiply(const u16 *rows, const u16 *columns, int warp_row, int warp_column,
                                float sums[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4]) {
  int lane = threadIdx.x % LANES;
#pragma unroll
  for (int step = 0; step < DEPTH / 16; step++) {
    u32 a[ROW_FRAGMENTS][4], b[COLUMN_FRAGMENTS][2];
#pragma unroll
    for (int i = 0; i < ROW_FRAGMENTS; i++) {
      // Matrices of a fragment of rows: upper and lower eight, of the first, then of the last eight numbers.
      int row = warp_row + i * 16 + lane % 16;
      load_matrices(a[i], rows + swizzled(row, step * 2 + lane / 16));
    }
#pragma unroll
    for (int j = 0; j < COLUMN_FRAGMENTS; j += 2) {
      // Of two fragments of columns: the first and the last eight numbers of one, then of the other.
      int column = warp_column + j * 8 + lane / 16 * 8 + lane % 8;
      u32 both[4];
      load_matrices(both, columns + swizzled(column, step * 2 + lane / 8 % 2));
      b[j][0] = both[0];
      b[j][1] = both[1];
      b[j + 1][0] = both[2];
      b[j + 1][1] = both[3];
    }
#pragma unroll
    for (int i = 0; i < ROW_FRAGMENTS; i++)
#pragma unroll
      for (int j = 0; j < COLUMN_FRAGMENTS; j++) multiply_add(sums[i][j], a[i], b[j]);
  }
}

// Where the first element of a fragment that a lane has is in a tile; see `multiply_add`.
__device__ inline int row_of(int warp_row, int lane, int i) { return warp_row + i * 16 + lane / 4; }
__device__ inline int column_of(int warp_column, int lane, int j) {
  return warp_column + j * 8 + lane % 4 * 2;
}

// A bit for the element `e` of a fragment, in the word `i / 2`.
__device__ inline u32 bit_of(int i, int j, int e) { return 1u << (i % 2 * 16 + j * 4 + e); }

// For each of the rows at the positions `first .. first + count`: a list of the `length` columns with the
// least rounded distances, as ascending keys, NO_KEY at its end if there are fewer. If `without_self`,
// the column at a row's own position is left out.
//
// Grid: x, tiles of rows; y, parts of the columns, `tiles_per_part` tiles each. The part y writes the
// lists at `lists + y * count * length`.
extern "C" __global__ void __launch_bounds__(THREADS, 2)
    nearest(const u16 *rows, const float *row_norms, const u32 *selected_rows, u32 first, u32 count,
            const u16 *columns, const float *column_norms, const u32 *selected_columns, u32 column_count,
            u32 padded, u32 measure, u32 without_self, u32 tiles_per_part, u32 length, u64 *lists) {
  DYNAMIC_SHARED(shared);
  Tiles &tiles = *(Tiles *)shared;
  int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
  int warp_row = warp / 4 * WARP_ROWS, warp_column = warp % 4 * WARP_COLUMNS;
  u32 first_of_tile = first + blockIdx.x * TILE;
  int tile_rows = (int)min((u32)TILE, count - blockIdx.x * TILE);
  u64 *own_lists = lists + ((u64)blockIdx.y * count + blockIdx.x * TILE) * length;
  u32 tile = blockIdx.y * tiles_per_part;
  u32 end_tile = min(tile + tiles_per_part, column_count / TILE + (column_count % TILE != 0));
  int chunks = padded / DEPTH;

  for (u32 i = threadIdx.x; i < tile_rows * length; i += THREADS) own_lists[i] = NO_KEY;
  for (int row = threadIdx.x; row < TILE; row += THREADS) {
    // Of a row that does not exist, nothing is less than the last key.
    tiles.last[row] = row < tile_rows ? NO_KEY : 0;
    tiles.waiting[row] = 0;
    tiles.row_norms[row] =
        row < tile_rows ? row_norms[row_at(selected_rows, first_of_tile + row)] : 0;
  }

  Loader row_loader = {rows, selected_rows, first + count, padded, {}};
  Loader column_loader = {columns, selected_columns, column_count, padded, {}};
  row_loader.begin(first_of_tile);
  // The next to load.
  u32 ahead_tile = tile;
  int ahead_chunk = 0, ahead_stage = 0;
  auto load_next = [&] {
    if (ahead_tile < end_tile) {
      if (ahead_chunk == 0) column_loader.begin(ahead_tile * TILE);
      row_loader.load(tiles.rows[ahead_stage], ahead_chunk);
      column_loader.load(tiles.columns[ahead_stage], ahead_chunk);
      if (++ahead_chunk == chunks) {
        ahead_chunk = 0;
        ahead_tile++;
      }
      ahead_stage = ahead_stage + 1 == STAGES ? 0 : ahead_stage + 1;
    }
    commit_copies(); // also without a copy, so that waiting by number is right
  };
  for (int i = 0; i < STAGES - 1; i++) load_next();

  int stage = 0;
  for (; tile < end_tile; tile++) {
    float sums[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4] = {};
    for (int chunk = 0; chunk < chunks; chunk++) {
      wait_for_copies<STAGES - 2>();
      __syncthreads();
      load_next();
      multiply(tiles.rows[stage], tiles.columns[stage], warp_row, warp_column, sums);
      stage = stage + 1 == STAGES ? 0 : stage + 1;
    }

    // Products become the upper halves of keys.
    u32 halves[ROW_FRAGMENTS][COLUMN_FRAGMENTS][4];
    u32 left[2] = {0, 0}; // a bit for each that may be a candidate
#pragma unroll
    for (int j = 0; j < COLUMN_FRAGMENTS; j++)
#pragma unroll
      for (int odd = 0; odd < 2; odd++) {
        u32 column = tile * TILE + column_of(warp_column, lane, j) + odd;
        bool exists = column < column_count;
        float norm = exists ? column_norms[row_at(selected_columns, column)] : 0;
#pragma unroll
        for (int i = 0; i < ROW_FRAGMENTS; i++)
#pragma unroll
          for (int half = 0; half < 2; half++) {
            int row = row_of(warp_row, lane, i) + half * 8, e = half * 2 + odd;
            float product = sums[i][j][e];
            float distance =
                not_nan(measure == L2 ? tiles.row_norms[row] + norm - 2 * product : -product);
            halves[i][j][e] = ascending(distance);
            if (exists && !(without_self && column == first_of_tile + row))
              left[i / 2] |= bit_of(i, j, e);
          }
      }
    // Candidates go to the places of their rows. Where these are full, they are merged into the lists,
    // and those left out try again.
    bool again;
    do {
#pragma unroll
      for (int i = 0; i < ROW_FRAGMENTS; i++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
          int row = row_of(warp_row, lane, i) + half * 8;
          u64 last = *(volatile u64 *)&tiles.last[row]; // kept in registers no longer than for a row
#pragma unroll
          for (int j = 0; j < COLUMN_FRAGMENTS; j++)
#pragma unroll
            for (int odd = 0; odd < 2; odd++) {
              int e = half * 2 + odd;
              u32 column = tile * TILE + column_of(warp_column, lane, j) + odd;
              u64 key = (u64)halves[i][j][e] << 32 | column;
              bool candidate = (left[i / 2] & bit_of(i, j, e)) && key < last;
              if (candidate) {
                int place = atomicAdd(&tiles.waiting[row], 1);
                if (place < PENDING) tiles.pending[row][place] = key;
                candidate = place >= PENDING;
              }
              if (!candidate) left[i / 2] &= ~bit_of(i, j, e);
            }
        }
      again = __syncthreads_or((left[0] | left[1]) != 0);
      if (again) {
        for (int row = warp; row < tile_rows; row += THREADS / LANES)
          if (tiles.waiting[row] > PENDING) {
            sort(tiles.pending[row], PENDING);
            u64 last = merge(own_lists + (u64)row * length, (int)length, tiles.pending[row], PENDING);
            if (lane == 0) {
              tiles.last[row] = last;
              tiles.waiting[row] = 0;
            }
          }
        __syncthreads();
      }
    } while (again);
  }
  __syncthreads();
  for (int row = warp; row < tile_rows; row += THREADS / LANES) {
    sort(tiles.pending[row], tiles.waiting[row]);
    merge(own_lists + (u64)row * length, (int)length, tiles.pending[row], tiles.waiting[row]);
  }
}

// Merges the lists of `parts` parts of the columns, as `nearest` wrote them, into those of the first.
//
// Grid: one warp for each of `count` lists.
extern "C" __global__ void merge_parts(u32 count, u32 parts, u32 length, u64 *lists) {
  u64 index = (u64)blockIdx.x * (blockDim.x / LANES) + threadIdx.x / LANES;
  if (index >= count) return;
  u64 *list = lists + index * length;
  for (u32 part = 1; part < parts; part++) {
    const u64 *other = lists + ((u64)part * count + index) * length;
    for (u32 at = 0; at < length && other[at] < list[length - 1]; at += LANES)
      merge(list, (int)length, other + at, (int)min((u32)LANES, length - at));
  }
}
