#!/usr/bin/env python3
"""Compiles crates/gpu/kernels/gpu.cu and prints the PTX.

compile-kernels.sh calls it with the library of NVRTC. The same version gives the same text everywhere.
"""
import ctypes
import glob
import os
import sys
import zlib

# The oldest GPUs that have what the kernels use: Ampere.
OPTIONS = ["--gpu-architecture=compute_80", "--std=c++17"]


def check(library, result):
    if result != 0:
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        sys.exit("nvrtc: " + library.nvrtcGetErrorString(result).decode())


def text(library, program, size, get):
    length = ctypes.c_size_t()
    check(library, size(program, ctypes.byref(length)))
    buffer = ctypes.create_string_buffer(length.value)
    check(library, get(program, buffer))
    return buffer.value.decode()


def compiled(library, folder):
    with open(os.path.join(folder, "gpu.cu"), encoding="utf-8") as file:
        source = file.read().encode()
    program = ctypes.c_void_p()
    check(library, library.nvrtcCreateProgram(
        ctypes.byref(program), source, b"gpu.cu", 0, None, None))
    options = [option.encode() for option in OPTIONS] + [b"--include-path=" + folder.encode()]
    array = (ctypes.c_char_p * len(options))(*options)
    result = library.nvrtcCompileProgram(program, len(options), array)
    log = text(library, program, library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog)
    if log.strip():
        print(log, file=sys.stderr)
    check(library, result)
    return text(library, program, library.nvrtcGetPTXSize, library.nvrtcGetPTX)


def checksum(folder):
    """Of all sources; crates/gpu/tests/ptx.rs compares it."""
    sum = 0
    for path in sorted(glob.glob(os.path.join(folder, "*.cu*"))):
        with open(path, "rb") as file:
            sum = zlib.crc32(file.read(), sum)
    return sum


def main():
    library, folder = ctypes.CDLL(sys.argv[1]), sys.argv[2]
    # The driver needs neither comments nor indentation, and the library is smaller without them.
    lines = [line.split("//")[0].strip() for line in compiled(library, folder).splitlines()]
    ptx = "".join(line + "\n" for line in lines if line)
    sums = checksum(folder), zlib.crc32(ptx.encode())
    print("// Made by scripts/compile-kernels.sh; CRC-32 of the sources: %08x, of the rest: %08x" % sums)
    print(ptx, end="")


main()
