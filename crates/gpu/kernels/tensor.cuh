// Instructions of tensor cores, and copies to shared memory that go on beside them.
#pragma once
#include "common.cuh"

#ifndef EMULATOR

// Begins to copy 16 bytes to shared memory; zeros if `bytes` is 0. Both ends are aligned to 16 bytes.
__device__ inline void copy_async(u16 *to, const u16 *from, int bytes) {
  u32 address = (u32)__cvta_generic_to_shared(to);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes)
               : "memory");
}

// Ends a group of copies.
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until all groups but the last `groups` of this thread have arrived.
template <int groups> __device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(groups) : "memory");
}

// Loads four matrices of 8 by 8 numbers of 16 bits. Lane 8 i + r gives the address of row r of matrix i;
// of each, lane 4 r + c gets the numbers 2 c and 2 c + 1 of row r.
__device__ inline void load_matrices(u32 to[4], const u16 *row) {
  u32 address = (u32)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

// Adds the product of a 16 by 16 and a 16 by 8 matrix of bfloat16, in single precision. Of the sums, lane
// 4 r + c has the columns 2 c and 2 c + 1 of row r, then those of row r + 8.
__device__ inline void multiply_add(float sums[4], const u32 a[4], const u32 b[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#endif
