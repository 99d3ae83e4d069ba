// A libcuda.so.1 for tests: the functions of CUDA's driver that the crate calls, for a device that is the
// CPU. Calls complete before they return.
//
// EMULATOR_MEMORY=BYTES   memory of the device, by default 1 GB
// EMULATOR_REVERSED=1     threads run in the reversed order
// EMULATOR_INIT=ERROR     the error of cuInit
// EMULATOR_DRIVER=VERSION EMULATOR_CAPABILITY=MAJOR   what the device says of itself
// EMULATOR_FAILS=N        call number N that may fail fails, and all later ones
// EMULATOR_COUNT=FILE     writes the number of these calls to a file when the process ends
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../kernels/gpu.cu"
#include "threads.h"

namespace {

constexpr int SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, NOT_FOUND = 500,
              LAUNCH_FAILED = 719;
constexpr size_t PAGE = 4096, MAX_SHARED = 163 << 10;

// Calls a kernel with arguments as cuLaunchKernel takes them: pointers to each.
template <class T, T... numbers> struct Numbers {};
template <class... A, int... i>
void call(void (*kernel)(A...), void **arguments, Numbers<int, i...>) {
  kernel(*(A *)arguments[i]...);
}
template <class... A> void call(void (*kernel)(A...), void **arguments) {
  call(kernel, arguments, __make_integer_seq<Numbers, int, sizeof...(A)>());
}

struct Kernel {
  const char *name;
  void (*run)(void **);
  int shared;
};
#define KERNEL(name) {#name, [](void **arguments) { call(name, arguments); }, 48 << 10}
Kernel kernels[] = {KERNEL(round_rows), KERNEL(nearest), KERNEL(merge_parts),
                    KERNEL(refine),     KERNEL(sums),    KERNEL(prune)};

// Memory that ends at a page which may not be touched.
struct Allocation {
  char *memory;
  size_t bytes, mapped;
};
Allocation allocations[1024];
size_t allocated;
void *current_context;

size_t memory_of_device() {
  const char *bytes = getenv("EMULATOR_MEMORY");
  return bytes ? strtoull(bytes, nullptr, 10) : (size_t)1 << 30;
}

// The number that a variable of the environment holds.
int setting(const char *name, int otherwise) {
  const char *value = getenv(name);
  return value ? atoi(value) : otherwise;
}

int calls;

void write_count() {
  if (FILE *file = fopen(getenv("EMULATOR_COUNT"), "w")) {
    fprintf(file, "%d\n", calls);
    fclose(file);
  }
}

// Whether this call is to fail.
bool fails() {
  if (calls == 0 && getenv("EMULATOR_COUNT")) atexit(write_count);
  return calls++ >= setting("EMULATOR_FAILS", 1 << 30);
}

int allocate(char **to, size_t bytes, bool of_device) {
  if (!bytes) return INVALID_VALUE;
  if (of_device && bytes > memory_of_device() - allocated) return OUT_OF_MEMORY;
  size_t rounded = (bytes + 15) / 16 * 16, pages = (rounded + PAGE - 1) / PAGE * PAGE;
  for (Allocation &place : allocations) {
    if (place.memory) continue;
    char *mapped = (char *)mmap(nullptr, pages + PAGE, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return OUT_OF_MEMORY;
    mprotect(mapped + pages, PAGE, PROT_NONE);
    memset(mapped, 0xab, pages);
    place = {mapped + pages - rounded, of_device ? bytes : 0, pages + PAGE};
    allocated += place.bytes;
    *to = place.memory;
    return SUCCESS;
  }
  return OUT_OF_MEMORY;
}

int release(char *memory) {
  for (Allocation &place : allocations)
    if (memory && place.memory == memory) {
      size_t pages = place.mapped - PAGE;
      munmap((char *)((size_t)memory / PAGE * PAGE), pages + PAGE);
      allocated -= place.bytes;
      place = {};
      return SUCCESS;
    }
  fprintf(stderr, "emulator: memory is freed that is not allocated\n");
  abort();
}

} // namespace

#define API extern "C" __attribute__((visibility("default"))) int

API cuInit(u32) {
  emulator::reversed = setting("EMULATOR_REVERSED", 0);
  return setting("EMULATOR_INIT", SUCCESS);
}
API cuDriverGetVersion(int *version) {
  *version = setting("EMULATOR_DRIVER", 12020);
  return SUCCESS;
}
API cuDeviceGetCount(int *count) {
  *count = 1;
  return SUCCESS;
}
API cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 ? SUCCESS : 101;
}
API cuDeviceGetName(char *name, int length, int) {
  snprintf(name, (size_t)length, "emulator");
  return SUCCESS;
}
API cuDeviceGetAttribute(int *value, int attribute, int) {
  switch (attribute) {
  case 16: *value = 2; return SUCCESS;               // multiprocessors
  case 75: *value = setting("EMULATOR_CAPABILITY", 8); return SUCCESS; // its major number
  case 76: *value = 0; return SUCCESS;               // and minor
  case 97: *value = (int)MAX_SHARED; return SUCCESS; // shared memory of a block
  case 115: *value = 1; return SUCCESS;              // memory pools
  }
  fprintf(stderr, "emulator: unknown attribute %d\n", attribute);
  abort();
}
API cuDeviceTotalMem_v2(size_t *bytes, int) {
  *bytes = memory_of_device();
  return SUCCESS;
}
API cuCtxCreate_v3(void **context, void *, int, u32, int) {
  if (fails()) return LAUNCH_FAILED;
  current_context = *context = &current_context;
  return SUCCESS;
}
API cuCtxDestroy_v2(void *) {
  current_context = nullptr;
  return SUCCESS;
}
API cuCtxGetCurrent(void **context) {
  *context = current_context;
  return SUCCESS;
}
API cuCtxSetCurrent(void *context) {
  current_context = context;
  return SUCCESS;
}
API cuModuleLoadData(void **module, const void *) {
  if (fails()) return LAUNCH_FAILED;
  *module = &kernels;
  return SUCCESS;
}
API cuModuleUnload(void *) { return SUCCESS; }
API cuModuleGetFunction(void **function, void *, const char *name) {
  for (Kernel &kernel : kernels)
    if (strcmp(kernel.name, name) == 0) {
      *function = &kernel;
      return SUCCESS;
    }
  return NOT_FOUND;
}
API cuFuncSetAttribute(void *function, int attribute, int value) {
  if (attribute != 8 || (size_t)value > MAX_SHARED) return INVALID_VALUE;
  ((Kernel *)function)->shared = value;
  return SUCCESS;
}
API cuMemGetInfo_v2(size_t *available, size_t *total) {
  if (!current_context) return INVALID_CONTEXT;
  *total = memory_of_device();
  *available = *total - allocated;
  return SUCCESS;
}
API cuMemAlloc_v2(char **to, size_t bytes) {
  return fails() ? LAUNCH_FAILED : allocate(to, bytes, true);
}
API cuMemFree_v2(char *memory) { return release(memory); }
API cuMemAllocAsync(char **to, size_t bytes, void *) {
  return fails() ? LAUNCH_FAILED : allocate(to, bytes, true);
}
API cuMemFreeAsync(char *memory, void *) { return release(memory); }
API cuMemHostAlloc(char **to, size_t bytes, u32) {
  return fails() ? LAUNCH_FAILED : allocate(to, bytes, false);
}
API cuMemFreeHost(char *memory) { return release(memory); }
API cuMemsetD8Async(char *to, unsigned char value, size_t bytes, void *) {
  if (fails()) return LAUNCH_FAILED;
  memset(to, value, bytes);
  return SUCCESS;
}
API cuMemcpyHtoDAsync_v2(char *to, const void *from, size_t bytes, void *) {
  if (fails()) return LAUNCH_FAILED;
  memcpy(to, from, bytes);
  return SUCCESS;
}
API cuMemcpyDtoHAsync_v2(void *to, const char *from, size_t bytes, void *) {
  if (fails()) return LAUNCH_FAILED;
  memcpy(to, from, bytes);
  return SUCCESS;
}
API cuEventCreate(void **event, u32) {
  *event = &calls;
  return SUCCESS;
}
API cuEventDestroy_v2(void *) { return SUCCESS; }
API cuEventRecord(void *, void *) { return SUCCESS; }
API cuEventSynchronize(void *) { return fails() ? LAUNCH_FAILED : SUCCESS; }
API cuStreamWaitEvent(void *, void *, u32) { return SUCCESS; }
API cuStreamSynchronize(void *) { return fails() ? LAUNCH_FAILED : SUCCESS; }
API cuGetErrorName(int, const char **name) {
  *name = "CUDA_ERROR_OF_EMULATOR";
  return SUCCESS;
}
API cuGetErrorString(int error, const char **text) {
  *text = error == LAUNCH_FAILED ? "unspecified launch failure" : "another error";
  return SUCCESS;
}
API cuLaunchKernel(void *function, u32 grid_x, u32 grid_y, u32 grid_z, u32 block_x, u32 block_y,
                   u32 block_z, u32 shared, void *, void **arguments, void **) {
  if (fails()) return LAUNCH_FAILED;
  Kernel *kernel = (Kernel *)function;
  if (!grid_x || grid_x > 0x7fffffff || !grid_y || grid_y > 0xffff || grid_z != 1 || !block_x ||
      block_x > 1024 || block_y != 1 || block_z != 1 || shared > (u32)kernel->shared)
    return INVALID_VALUE;
  // Ends at a page which may not be touched, like memory of the device.
  char *memory = nullptr;
  if (shared && allocate(&memory, shared, false)) return OUT_OF_MEMORY;
  emulator::dynamic_shared = memory;
  emulator::block_size = {block_x, 1, 1};
  u64 blocks = (u64)grid_x * grid_y;
  for (u64 i = 0; i < blocks; i++) {
    u64 block = emulator::reversed ? blocks - 1 - i : i;
    if (memory) memset(memory, 0xab, shared);
    emulator::run_block({(u32)(block % grid_x), (u32)(block / grid_x), 0}, (int)block_x, kernel->run,
                        arguments);
  }
  if (memory) release(memory);
  return SUCCESS;
}
