//! Terms as the index stores them.

use std::borrow::Cow;

/// The most bytes of a stored term.
pub const MAX_TERM: usize = 255;

/// Bytes of a hash, which ends a term that is too long.
const HASH: usize = 16;

/// The stored form of a token: the token, or its beginning and a hash of all of it if it is longer than
/// [`MAX_TERM`].
pub fn stored(token: &[u8]) -> Cow<'_, [u8]> {
    if token.len() <= MAX_TERM {
        return Cow::Borrowed(token);
    }
    let mut term = token[..MAX_TERM - HASH].to_vec();
    term.extend(fnv_1a(token).to_be_bytes());
    Cow::Owned(term)
}

/// The stored form of a dimension of a sparse vector; orders as dimensions do.
pub fn dimension(dimension: u32) -> [u8; 4] {
    dimension.to_be_bytes()
}

/// The 128-bit FNV-1a hash.
fn fnv_1a(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tokens_become_terms() {
        assert_eq!(&*stored(b"word"), b"word");
        let long = vec![b'x'; 255];
        assert_eq!(&*stored(&long), long);
        let [mut a, mut b] = [long.clone(), long];
        a.push(b'y');
        b.push(b'z');
        assert_eq!(stored(&a).len(), MAX_TERM);
        assert_ne!(stored(&a), stored(&b));
    }
}
