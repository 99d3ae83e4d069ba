#!/bin/bash
# Compiles the kernels for GPUs, crates/gpu/kernels/*.cu, to gpu.ptx, which is committed. Then assembles it
# for some GPUs, to see that no kernel keeps variables in memory for lack of registers.
#
# With --check, compares gpu.ptx with what would be made, and changes nothing.
#
# Needs python3 with pip, on x86-64, but neither a GPU nor CUDA: NVIDIA's compiler comes from two Python
# packages, which are installed in target/cuda the first time (170 MB).
set -euo pipefail
cd "$(dirname "$0")/.."

kernels=crates/gpu/kernels
tools=${CARGO_TARGET_DIR:-target}/cuda
# The version of NVRTC decides which drivers load the result: 12.2 makes PTX 8.2, for drivers from 535 on.
nvrtc=nvidia-cuda-nvrtc-cu12==12.2.140
ptxas=nvidia-cuda-nvcc-cu12==12.9.86

[ -d "$tools/nvidia/cuda_nvrtc" ] && [ -d "$tools/nvidia/cuda_nvcc" ] ||
  python3 -m pip install --quiet --no-deps --target "$tools" "$nvrtc" "$ptxas"
chmod +x "$tools/nvidia/cuda_nvcc/bin/ptxas"

made=$(mktemp)
trap 'rm -f "$made" "$made.cubin"' EXIT
# NVRTC finds its second library there.
LD_LIBRARY_PATH="$tools/nvidia/cuda_nvrtc/lib" python3 scripts/compile-kernels.py libnvrtc.so.12 "$kernels" >"$made"

# A100, H100 and H200, B200: all registers suffice. Others have room for one block of `nearest` at a time,
# and may spill some registers of it.
for arch in 80 90 100; do
  report=$("$tools/nvidia/cuda_nvcc/bin/ptxas" -v "-arch=sm_$arch" "$made" -o "$made.cubin" 2>&1)
  if grep 'spill' <<<"$report" | grep -qv ' 0 bytes spill stores, 0 bytes spill loads'; then
    echo "sm_$arch: a kernel spills registers" >&2
    grep -B1 'spill' <<<"$report" >&2
    exit 1
  fi
done

if [ "${1:-}" = --check ]; then
  cmp "$made" "$kernels/gpu.ptx"
else
  cat "$made" >"$kernels/gpu.ptx"
fi
