// What runs the threads of a block.
#pragma once
#include "../kernels/common.cuh"

namespace emulator {

// Whether threads run in the reversed order, to find those that do not wait for each other.
extern bool reversed;

// Runs a kernel for one block.
void run_block(Index index, int count, void (*kernel)(void **), void **arguments);

} // namespace emulator
