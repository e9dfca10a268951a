//! Text out of a file of any size: its two ends are kept, the middle is counted.
//!
//! Logs come in UTF-8, in UTF-16 from Windows, and in GB18030 from everything Chinese and old. Nothing in a
//! file says which, so its bytes are looked at.

use std::{collections::VecDeque, io::Read};

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;

use crate::agent::{Excerpt, Gap};

/// What is kept of each end, in bytes: more than any budget of tokens shows.
const END_BYTES_MAX: usize = 256 << 10;
/// What is unpacked of a compressed file, in bytes. A small file can hold endless nothing.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// Among so many characters one that cannot be read is damage and not another encoding.
const DAMAGE_IN: usize = 200;

/// The two ends of a file that is being read.
#[derive(Debug, Default)]
pub(super) struct Ends {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
    dropped_lines: u64,
    is_open: bool,
}

impl Ends {
    /// Takes the next piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        let room = END_BYTES_MAX - self.head.len();
        let (first, rest) = piece.split_at(room.min(piece.len()));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(END_BYTES_MAX);
        self.dropped += excess as u64;
        let lines = self
            .tail
            .drain(..excess)
            .filter(|byte| *byte == b'\n')
            .count();
        self.dropped_lines += lines as u64;
    }

    /// How long the file is, as far as it was read.
    pub(super) fn length(&self) -> u64 {
        self.head.len() as u64 + self.dropped + self.tail.len() as u64
    }

    /// The text, or nothing where this is none.
    pub(super) fn decode(self) -> Option<Excerpt> {
        let offset = self.head.len() as u64 + self.dropped;
        let (mut head, mut tail) = (self.head, Vec::from(self.tail));
        if self.dropped == 0 && !self.is_open {
            head.append(&mut tail);
            return Some(Excerpt::whole(read(&head, encoding_of(&head)?)));
        }
        let encoding = encoding_of(&head)?;
        let mut gap = Gap {
            bytes: self.dropped,
            // In UTF-16 a byte that looks like a line's end may be half of something else.
            lines: (!is_wide(encoding)).then_some(self.dropped_lines),
            is_open: self.is_open,
        };
        // Both ends are cut back to whole lines, which are whole characters, too.
        let kept = line_end(&head, encoding);
        gap.bytes += (head.len() - kept) as u64;
        head.truncate(kept);
        let from = line_start(&tail, encoding, offset);
        gap.bytes += from as u64;
        if let Some(lines) = &mut gap.lines {
            *lines += u64::from(from > 0);
        }
        Some(Excerpt {
            head: read(&head, encoding),
            gap: Some(gap),
            tail: read(&tail[from..], encoding),
        })
    }
}

/// The text in a file that was compressed with gzip; nothing where there is none.
pub(super) fn unpack(bytes: &[u8]) -> Option<Excerpt> {
    let mut unpacked = MultiGzDecoder::new(bytes).take(UNPACKED_BYTES_MAX);
    let mut ends = Ends::default();
    let mut piece = vec![0; 64 << 10];
    loop {
        match unpacked.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => ends.add(&piece[..read]),
            // A file that was cut off still has a beginning.
            Err(_) if ends.length() > 0 => {
                ends.is_open = true;
                break;
            }
            Err(_) => return None,
        }
    }
    ends.is_open |= ends.length() >= UNPACKED_BYTES_MAX;
    ends.decode()
}

/// The encoding of a text by its beginning; nothing for what is no text.
fn encoding_of(bytes: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Some(encoding);
    }
    let sample = &bytes[..bytes.len().min(64 << 10)];
    if let Some(wide) = wide_without_mark(sample) {
        return Some(wide);
    }
    if sample.contains(&0) {
        return None;
    }
    // Form feeds and escapes occur in logs; most other control characters are a sign of something else.
    let odd = |byte: &&u8| matches!(byte, 0x01..=0x06 | 0x0e..=0x1a | 0x1c..=0x1f);
    if sample.iter().filter(odd).count() * DAMAGE_IN > sample.len() {
        return None;
    }
    match std::str::from_utf8(sample) {
        Ok(_) => return Some(UTF_8),
        // Cut in the middle of a character.
        Err(error) if error.error_len().is_none() => return Some(UTF_8),
        Err(_) => {}
    }
    let (lossy, _) = UTF_8.decode_without_bom_handling(sample);
    let broken = lossy.matches('\u{fffd}').count();
    let good = lossy.chars().filter(|c| !c.is_ascii()).count() - broken;
    // Chinese in another encoding makes hardly any good characters by chance.
    let fits = |damage: usize| damage * DAMAGE_IN <= sample.len();
    match damage(sample, GB18030) {
        0 if good <= broken => Some(GB18030),
        _ if fits(broken) => Some(UTF_8),
        damage if fits(damage) => Some(GB18030),
        _ => None,
    }
}

/// UTF-16 without a byte-order mark: of text in Latin letters, every second byte is zero.
fn wide_without_mark(sample: &[u8]) -> Option<&'static Encoding> {
    let zeros = |from: usize| {
        sample
            .iter()
            .skip(from)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let pairs = sample.len() / 2;
    let (even, odd) = (zeros(0), zeros(1));
    let mostly = |many: usize, few: usize| many * 10 >= pairs * 4 && few * 50 <= pairs;
    match pairs >= 4 {
        true if mostly(odd, even) => Some(UTF_16LE),
        true if mostly(even, odd) => Some(UTF_16BE),
        _ => None,
    }
}

/// How many characters cannot be read in an encoding.
fn damage(sample: &[u8], encoding: &'static Encoding) -> usize {
    let (text, _) = encoding.decode_without_bom_handling(sample);
    text.matches('\u{fffd}').count()
}

fn is_wide(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// The text, without a byte-order mark.
fn read(bytes: &[u8], encoding: &'static Encoding) -> String {
    let (text, _) = encoding.decode_with_bom_removal(bytes);
    text.into_owned()
}

/// Where the last whole line ends; the end, back on a character's border, where there is no line.
fn line_end(bytes: &[u8], encoding: &'static Encoding) -> usize {
    if is_wide(encoding) {
        return bytes.len() & !1;
    }
    let found = bytes.iter().rposition(|byte| *byte == b'\n');
    found.map_or(bytes.len(), |at| at + 1)
}

/// Where the first whole line of a tail begins that stands so far in its file.
fn line_start(bytes: &[u8], encoding: &'static Encoding, offset: u64) -> usize {
    if is_wide(encoding) {
        return usize::from(offset % 2 == 1).min(bytes.len());
    }
    let found = bytes.iter().position(|byte| *byte == b'\n');
    match found {
        Some(at) if at + 1 < bytes.len() => at + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> Option<Excerpt> {
        let mut ends = Ends::default();
        // In pieces, as it comes over the wire.
        for piece in bytes.chunks(7_001) {
            ends.add(piece);
        }
        assert_eq!(ends.length(), bytes.len() as u64);
        ends.decode()
    }

    fn text(bytes: &[u8]) -> Option<String> {
        decode(bytes).map(|excerpt| excerpt.head)
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let units = text.encode_utf16();
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn every_encoding_that_logs_come_in_is_read() {
        let line = "10:02 连接池已满 pool exhausted\n";
        let (gb, _, _) = GB18030.encode(line);
        let with_mark = [&[0xff, 0xfe][..], &utf16(line, false)].concat();
        for bytes in [
            line.as_bytes().to_vec(),
            gb.into_owned(),
            with_mark,
            utf16(&line.repeat(3), false),
            utf16(&line.repeat(3), true),
        ] {
            let read = text(&bytes).unwrap();
            assert!(read.starts_with(line), "{read:?}");
        }
        assert_eq!(text(b"\xef\xbb\xbfa,b").unwrap(), "a,b");
        assert_eq!(text(b"").unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_told_from_it() {
        let noise: Vec<u8> = (0..4_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for bytes in [
            &b"\x7fELF\x02\x01\x01\0\0\0\0\0"[..],
            b"PK\x03\x04\x14\0\0\0",
            &noise,
        ] {
            assert_eq!(text(bytes), None);
        }
        // One damaged byte in a log is damage.
        let log = [&b"a line of a log\n".repeat(50)[..], b"\xff"].concat();
        assert!(text(&log).unwrap().ends_with('\u{fffd}'));
    }

    #[test]
    fn of_a_large_file_both_ends_are_kept_and_the_middle_is_counted() {
        let lines: Vec<String> = (0..60_000)
            .map(|n| format!("第 {n:05} 行 of the log\n"))
            .collect();
        let whole = lines.concat();
        let excerpt = decode(whole.as_bytes()).unwrap();
        assert!(excerpt.head.starts_with("第 00000 行") && excerpt.head.ends_with("log\n"));
        assert!(
            excerpt.tail.starts_with("第 ") && excerpt.tail.ends_with("第 59999 行 of the log\n")
        );
        let gap = excerpt.gap.unwrap();
        let shown = excerpt.head.len() + excerpt.tail.len();
        assert_eq!(gap.bytes as usize + shown, whole.len());
        let lines = excerpt.head.lines().count() + excerpt.tail.lines().count();
        assert_eq!(gap.lines.unwrap() as usize + lines, 60_000);
    }

    #[test]
    fn a_wide_file_is_cut_between_characters() {
        let whole = utf16(&"慢 line\n".repeat(90_000), false);
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(&whole);
        let excerpt = decode(&bytes).unwrap();
        assert!(!excerpt.tail.contains('\u{fffd}') && excerpt.tail.ends_with("慢 line\n"));
        assert_eq!(excerpt.gap.unwrap().lines, None);
    }

    #[test]
    fn a_compressed_log_is_unpacked_as_far_as_it_goes() {
        let log = "a line of a log\n".repeat(100_000);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(log.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let excerpt = unpack(&packed).unwrap();
        assert!(excerpt.tail.ends_with("a line of a log\n"));
        assert!(!excerpt.gap.unwrap().is_open);
        let half = unpack(&packed[..packed.len() / 2]).unwrap();
        assert!(half.gap.unwrap().is_open);
        assert_eq!(unpack(b"not gzip"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_text_or_none(bytes: Vec<u8>) {
            let _ = decode(&bytes);
            let _ = unpack(&bytes);
        }
    }
}
