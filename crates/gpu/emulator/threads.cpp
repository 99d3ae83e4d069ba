// Runs the threads of a block one at a time, each on a stack of its own. A thread runs until it waits for
// others.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include "threads.h"

namespace emulator {

Index thread_index, block_index, block_size;
void *dynamic_shared;
bool reversed;

namespace {

constexpr int MAX_THREADS = 1024, LANES_OF_WARP = 32, STACK = 256 << 10, MAX_COPIES = 64;

struct Copy {
  void *to;
  const void *from;
  int bytes, group;
};

struct Thread {
  jmp_buf place;
  ucontext_t context;
  char *stack;
  bool begun, done;
  // What it waits for: a count that changes.
  const unsigned *awaited;
  unsigned seen;
  Copy copies[MAX_COPIES];
  int copy_count, groups;
};

struct Warp {
  unsigned generation;
  int arrived;
  alignas(16) char given[2][LANES_OF_WARP * MAX_GIVEN];
};

Thread threads[MAX_THREADS];
Warp warps[MAX_THREADS / LANES_OF_WARP];
int thread_count, running;
jmp_buf scheduler;
void (*body)(void **);
void **body_arguments;
// The barrier of the block.
unsigned block_generation;
int block_arrived;
u32 block_sum, block_result;

[[noreturn]] void fail(const char *why) {
  fprintf(stderr, "emulator: %s (block %u, %u)\n", why, block_index.x, block_index.y);
  abort();
}

void enter() {
  body(body_arguments);
  threads[running].done = true;
  _longjmp(scheduler, 1);
}

void resume(int number) {
  Thread &thread = threads[number];
  running = number;
  thread_index = {(u32)number, 0, 0};
  if (_setjmp(scheduler)) return;
  if (thread.begun) _longjmp(thread.place, 1);
  thread.begun = true;
  if (!thread.stack) thread.stack = (char *)malloc(STACK);
  getcontext(&thread.context);
  thread.context.uc_stack.ss_sp = thread.stack;
  thread.context.uc_stack.ss_size = STACK;
  thread.context.uc_link = nullptr;
  makecontext(&thread.context, enter, 0);
  setcontext(&thread.context);
}

// Waits until `count` changes.
void wait_for(const unsigned &count) {
  Thread &thread = threads[running];
  thread.awaited = &count;
  thread.seen = count;
  if (!_setjmp(thread.place)) _longjmp(scheduler, 1);
}

bool can_run(const Thread &thread) {
  return !thread.done && (!thread.awaited || *thread.awaited != thread.seen);
}

// Runs threads of a warp until all wait for others. Returns whether any ran.
bool run_warp(int warp) {
  bool ran = false;
  for (bool more = true; more;) {
    more = false;
    for (int i = 0; i < LANES_OF_WARP; i++) {
      int number = warp * LANES_OF_WARP + (reversed ? LANES_OF_WARP - 1 - i : i);
      if (number >= thread_count || !can_run(threads[number])) continue;
      threads[number].awaited = nullptr;
      resume(number);
      more = ran = true;
    }
  }
  return ran;
}

} // namespace

const char *exchange(const void *given, int size) {
  int lane = running % LANES_OF_WARP;
  Warp &warp = warps[running / LANES_OF_WARP];
  if (size > MAX_GIVEN) fail("too much is given to a warp");
  char *all = warp.given[warp.generation % 2];
  memcpy(all + lane * MAX_GIVEN, given, (size_t)size);
  if (++warp.arrived == LANES_OF_WARP) {
    warp.arrived = 0;
    warp.generation++;
  } else {
    wait_for(warp.generation);
  }
  return all;
}

u32 barrier(u32 value) {
  block_sum += value;
  if (++block_arrived == thread_count) {
    block_arrived = 0;
    block_result = block_sum;
    block_sum = 0;
    block_generation++;
  } else {
    wait_for(block_generation);
  }
  return block_result;
}

// Copies arrive as late as they may, or, where threads run in the reversed order, at once.
void copy_later(void *to, const void *from, int bytes) {
  Thread &thread = threads[running];
  if (((size_t)to | (size_t)from) % 16 != 0) fail("a copy is not aligned");
  if (thread.copy_count == MAX_COPIES) fail("too many copies");
  Copy copy = {to, from, bytes, thread.groups};
  thread.copies[thread.copy_count++] = copy;
  if (reversed) {
    thread.groups++;
    wait(0);
    thread.groups--;
  }
}

void commit() { threads[running].groups++; }

void wait(int groups) {
  Thread &thread = threads[running];
  int left = 0;
  for (int i = 0; i < thread.copy_count; i++) {
    Copy copy = thread.copies[i];
    if (copy.group < thread.groups - groups) {
      memset(copy.to, 0, 16);
      memcpy(copy.to, copy.from, (size_t)copy.bytes);
    } else {
      thread.copies[left++] = copy;
    }
  }
  thread.copy_count = left;
}

void run_block(Index index, int count, void (*kernel)(void **), void **arguments) {
  if (count > MAX_THREADS) fail("too many threads");
  block_index = index;
  thread_count = count;
  body = kernel;
  body_arguments = arguments;
  block_arrived = 0;
  block_sum = 0;
  int warp_count = (count + LANES_OF_WARP - 1) / LANES_OF_WARP;
  for (int i = 0; i < warp_count; i++) warps[i].arrived = 0;
  for (int i = 0; i < count; i++) {
    Thread &thread = threads[i];
    thread.begun = thread.done = false;
    thread.awaited = nullptr;
    thread.copy_count = thread.groups = 0;
  }
  bool ran = true;
  while (ran) {
    ran = false;
    for (int i = 0; i < warp_count; i++) ran |= run_warp(reversed ? warp_count - 1 - i : i);
  }
  for (int i = 0; i < count; i++)
    if (!threads[i].done) fail("threads wait for others that do not come");
}

} // namespace emulator
