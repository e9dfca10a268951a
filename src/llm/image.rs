//! An image that a model is shown.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// What an image costs, about: servers count some hundred to some thousand by its size, and say so nowhere.
pub const IMAGE_TOKENS: usize = 1_200;

/// An image in one of the formats that servers take. Clones share its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    media_type: &'static str,
    bytes: Bytes,
}

impl Image {
    /// The image in these bytes, which are looked at and not believed: PNG, JPEG, GIF or WebP. Nothing for
    /// anything else, because a server would refuse the whole request for it.
    pub fn of(bytes: Bytes) -> Option<Self> {
        let media_type = match bytes.as_ref() {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => "image/webp",
            _ => return None,
        };
        Some(Self { media_type, bytes })
    }

    /// As a request carries it.
    pub(super) fn data_url(&self) -> String {
        let prefix = format!("data:{};base64,", self.media_type);
        let mut url = String::with_capacity(prefix.len() + self.bytes.len() / 3 * 4 + 4);
        url.push_str(&prefix);
        STANDARD.encode_string(&self.bytes, &mut url);
        url
    }
}

/// Without the bytes, which say nothing to anyone who reads a log.
impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_first_bytes() {
        let url = |bytes: &'static [u8]| {
            Image::of(Bytes::from_static(bytes)).map(|image| image.data_url())
        };
        assert_eq!(
            url(b"\x89PNG\r\n\x1a\n").unwrap(),
            "data:image/png;base64,iVBORw0KGgo="
        );
        assert!(
            url(b"\xff\xd8\xff\xe0..")
                .unwrap()
                .starts_with("data:image/jpeg;")
        );
        assert!(url(b"GIF89a..").unwrap().starts_with("data:image/gif;"));
        assert!(
            url(b"RIFF....WEBPVP8 ")
                .unwrap()
                .starts_with("data:image/webp;")
        );
        for other in [&b"BM...."[..], b"II*\0....", b"", b"<svg>", b"RIFF....WAVE"] {
            assert_eq!(url(other), None);
        }
    }
}
