//! Images as texts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::out_of_memory;
use crate::{Error, ErrorKind};

/// The media type of an image, by its first bytes.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for other formats than PNG, JPEG, GIF, and WebP.
pub(super) fn media_type(image: &[u8]) -> Result<&'static str, Error> {
    match image {
        [0x89, b'P', b'N', b'G', ..] => Ok("image/png"),
        [0xff, 0xd8, 0xff, ..] => Ok("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Ok("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok("image/webp"),
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "input is not an image in the format PNG, JPEG, GIF, or WebP",
        )),
    }
}

/// `image` in base 64, after `prefix`.
pub(super) fn base64(prefix: &str, image: &[u8]) -> Result<String, Error> {
    let len = base64::encoded_len(image.len(), true).and_then(|len| len.checked_add(prefix.len()));
    let mut text = String::new();
    text.try_reserve_exact(len.unwrap_or(usize::MAX))
        .map_err(|_| out_of_memory(memory::OutOfMemory))?;
    text.push_str(prefix);
    STANDARD.encode_string(image, &mut text);
    Ok(text)
}

/// `image` as a URL of the scheme `data`.
pub(super) fn data_url(image: &[u8]) -> Result<String, Error> {
    base64(&format!("data:{};base64,", media_type(image)?), image)
}
