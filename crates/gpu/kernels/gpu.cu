// All kernels, compiled to gpu.ptx by scripts/compile-kernels.sh.
#include "exact.cu"
#include "nearest.cu"
#include "prune.cu"
#include "rounded.cu"
