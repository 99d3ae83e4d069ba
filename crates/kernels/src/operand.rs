//! What distances are taken of: elements that can be loaded into lanes.

use half::{bf16, f16};

use crate::lanes::{FloatLanes, IntLanes, Lanes, MAX_LANES};

/// A type of elements that lanes of type `V` can hold exactly.
pub(crate) trait Load<V: Lanes>: Copy {
    /// The `V::LANES` elements at `p`.
    ///
    /// # Safety
    /// They exist, and `V` may be used.
    unsafe fn load(p: *const Self) -> V;

    /// The `n` elements at `p`, then zeros.
    ///
    /// # Safety
    /// They exist, `0 < n < V::LANES`, and `V` may be used.
    unsafe fn load_first(p: *const Self, n: usize) -> V;
}

macro_rules! load {
    ($($element:ty: $lanes:ident, $load:ident, $load_first:ident;)*) => {
        $(impl<V: $lanes> Load<V> for $element {
            #[inline(always)]
            unsafe fn load(p: *const Self) -> V {
                // SAFETY: passed on to the caller.
                unsafe { V::$load(p) }
            }

            #[inline(always)]
            unsafe fn load_first(p: *const Self, n: usize) -> V {
                // SAFETY: passed on to the caller.
                unsafe { V::$load_first(p, n) }
            }
        })*
    };
}

load! {
    f32: FloatLanes, load, load_first;
    f16: FloatLanes, load_f16, load_first_f16;
    bf16: FloatLanes, load_bf16, load_first_bf16;
    i8: IntLanes, load, load_first;
}

/// A vector that can be loaded piece by piece.
pub(crate) trait Operand<V: Lanes>: Copy {
    fn len(self) -> usize;

    /// Elements `i..i + V::LANES`.
    ///
    /// # Safety
    /// They exist, and `V` may be used.
    unsafe fn load(self, i: usize) -> V;

    /// Elements `i..i + n`, then zeros.
    ///
    /// # Safety
    /// They exist, `0 < n < V::LANES`, and `V` may be used.
    unsafe fn load_first(self, i: usize, n: usize) -> V;
}

impl<V: Lanes, E: Load<V>> Operand<V> for &[E] {
    #[inline(always)]
    fn len(self) -> usize {
        <[E]>::len(self)
    }

    #[inline(always)]
    unsafe fn load(self, i: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe { E::load(self.as_ptr().add(i)) }
    }

    #[inline(always)]
    unsafe fn load_first(self, i: usize, n: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe { E::load_first(self.as_ptr().add(i), n) }
    }
}

/// Little-endian halves times a power of two, which rounds nothing.
#[derive(Clone, Copy)]
pub(crate) struct Halves<'a> {
    pub halves: &'a [[u8; 2]],
    pub scale: f32,
}

impl Halves<'_> {
    /// As `load` for the first `n` lanes, on a CPU with the other order of bytes.
    ///
    /// # Safety
    /// `n <= V::LANES`, and `V` may be used.
    #[inline(always)]
    unsafe fn load_swapped<V: FloatLanes>(self, i: usize, n: usize) -> V {
        let mut native = [f16::ZERO; MAX_LANES];
        for (half, bytes) in native.iter_mut().zip(&self.halves[i..i + n]) {
            *half = f16::from_le_bytes(*bytes);
        }
        // SAFETY: the buffer holds the lanes of every level.
        unsafe { V::load_f16(native.as_ptr()).scale(self.scale) }
    }
}

impl<V: FloatLanes> Operand<V> for Halves<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        self.halves.len()
    }

    #[inline(always)]
    unsafe fn load(self, i: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe {
            if cfg!(target_endian = "big") {
                return self.load_swapped(i, V::LANES);
            }
            V::load_f16(self.halves.as_ptr().add(i).cast()).scale(self.scale)
        }
    }

    #[inline(always)]
    unsafe fn load_first(self, i: usize, n: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe {
            if cfg!(target_endian = "big") {
                return self.load_swapped(i, n);
            }
            V::load_first_f16(self.halves.as_ptr().add(i).cast(), n).scale(self.scale)
        }
    }
}

/// Little-endian floats at any address.
#[derive(Clone, Copy)]
pub(crate) struct Floats<'a>(pub &'a [[u8; 4]]);

impl Floats<'_> {
    /// As `load` for the first `n` lanes, on a CPU with the other order of bytes.
    ///
    /// # Safety
    /// `n <= V::LANES`, and `V` may be used.
    #[inline(always)]
    unsafe fn load_swapped<V: FloatLanes>(self, i: usize, n: usize) -> V {
        let mut native = [0.0; MAX_LANES];
        for (float, bytes) in native.iter_mut().zip(&self.0[i..i + n]) {
            *float = f32::from_le_bytes(*bytes);
        }
        // SAFETY: the buffer holds the lanes of every level.
        unsafe { V::load(native.as_ptr()) }
    }
}

impl<V: FloatLanes> Operand<V> for Floats<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    unsafe fn load(self, i: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe {
            if cfg!(target_endian = "big") {
                return self.load_swapped(i, V::LANES);
            }
            V::load(self.0.as_ptr().add(i).cast())
        }
    }

    #[inline(always)]
    unsafe fn load_first(self, i: usize, n: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe {
            if cfg!(target_endian = "big") {
                return self.load_swapped(i, n);
            }
            V::load_first(self.0.as_ptr().add(i).cast(), n)
        }
    }
}

/// Integers of 8 bits, as floats.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a>(pub &'a [i8]);

impl<V: FloatLanes> Operand<V> for Bytes<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    unsafe fn load(self, i: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe { V::load_i8(self.0.as_ptr().add(i)) }
    }

    #[inline(always)]
    unsafe fn load_first(self, i: usize, n: usize) -> V {
        let mut first = [0; MAX_LANES];
        first[..n].copy_from_slice(&self.0[i..i + n]);
        // SAFETY: the buffer holds the lanes of every level.
        unsafe { V::load_i8(first.as_ptr()) }
    }
}

/// Integers of 4 bits, two a byte, as floats. Loads begin at whole bytes.
#[derive(Clone, Copy)]
pub(crate) struct Nibbles<'a>(pub &'a [u8]);

impl<V: FloatLanes> Operand<V> for Nibbles<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        2 * self.0.len()
    }

    #[inline(always)]
    unsafe fn load(self, i: usize) -> V {
        // SAFETY: the caller promises that the elements exist; lanes are even in number.
        unsafe { V::load_i4(self.0.as_ptr().add(i / 2)) }
    }

    #[inline(always)]
    unsafe fn load_first(self, i: usize, n: usize) -> V {
        let mut first = [0; MAX_LANES / 2];
        let bytes = n.div_ceil(2);
        first[..bytes].copy_from_slice(&self.0[i / 2..i / 2 + bytes]);
        if !n.is_multiple_of(2) {
            first[bytes - 1] &= 0x0F;
        }
        // SAFETY: the buffer holds the lanes of every level.
        unsafe { V::load_i4(first.as_ptr()) }
    }
}
