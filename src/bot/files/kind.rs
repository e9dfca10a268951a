//! What a file may be, by its name alone; what it is shows when it is read.

use crate::{config::Language, feishu::AttachmentKind};

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is read as text.
    Text,
    /// The same, after unpacking.
    Gzip,
    /// It is shown to the model.
    Image,
    /// It is fetched, and read if it turns out to be text.
    Unknown,
    /// It is named and not fetched.
    Other,
}

/// Endings of what is not text, so that megabytes need not be fetched to find that out.
const OTHERS: &[&str] = &[
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "key", "numbers",
    "pages", "zip", "rar", "7z", "tar", "tgz", "bz2", "xz", "zst", "jar", "war", "apk", "exe",
    "dll", "so", "bin", "iso", "dmg", "rpm", "deb", "mp3", "wav", "m4a", "ogg", "opus", "flac",
    "mp4", "mov", "avi", "mkv", "webm", "pcap", "pcapng", "hprof", "core", "dmp", "db", "sqlite",
    "parquet", "class", "pyc", "woff", "woff2", "ttf", "heic", "tiff", "tif", "bmp", "ico", "psd",
];
/// Endings of images that are sent as files.
const IMAGES: &[&str] = &["png", "jpg", "jpeg", "gif", "webp"];
/// Endings of text.
const TEXTS: &[&str] = &[
    "log",
    "txt",
    "out",
    "err",
    "json",
    "jsonl",
    "ndjson",
    "csv",
    "tsv",
    "yaml",
    "yml",
    "toml",
    "ini",
    "conf",
    "cfg",
    "properties",
    "env",
    "xml",
    "html",
    "md",
    "diff",
    "patch",
    "sql",
    "sh",
    "py",
    "go",
    "rs",
    "java",
    "js",
    "ts",
    "c",
    "h",
    "cpp",
    "tf",
    "lua",
    "service",
    "trace",
];

impl Kind {
    /// By the ending of a name.
    pub(super) fn of(name: &str) -> Self {
        let lower = name.to_lowercase();
        let ending = lower.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending {
            _ if lower.ends_with(".tar.gz") => Kind::Other,
            "gz" => Kind::Gzip,
            ending if TEXTS.contains(&ending) => Kind::Text,
            ending if IMAGES.contains(&ending) => Kind::Image,
            ending if OTHERS.contains(&ending) => Kind::Other,
            _ => Kind::Unknown,
        }
    }
}

/// What an attachment is called that has no name.
pub(super) fn word(kind: AttachmentKind, language: Language) -> &'static str {
    match (kind, language) {
        (AttachmentKind::Image, Language::En) => "image",
        (AttachmentKind::File, Language::En) => "file",
        (AttachmentKind::Audio, Language::En) => "voice message",
        (AttachmentKind::Video, Language::En) => "video",
        (AttachmentKind::Image, Language::Zh) => "图片",
        (AttachmentKind::File, Language::Zh) => "文件",
        (AttachmentKind::Audio, Language::Zh) => "语音",
        (AttachmentKind::Video, Language::Zh) => "视频",
    }
}

/// A size as people write it.
pub(super) fn size(bytes: u64) -> String {
    let number = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} KB", number / 1e3),
        _ => format!("{:.1} MB", number / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_is_worth_fetching() {
        for (name, expected) in [
            ("build.LOG", Kind::Text),
            ("app.2026-11-20.log.gz", Kind::Gzip),
            ("dump.tar.gz", Kind::Other),
            ("report.pdf", Kind::Other),
            ("Dockerfile", Kind::Unknown),
            ("app.log.1", Kind::Unknown),
            ("screen.png", Kind::Image),
            ("", Kind::Unknown),
        ] {
            assert_eq!(Kind::of(name), expected, "{name}");
        }
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(12_345), "12 KB");
        assert_eq!(size(1_234_567), "1.2 MB");
    }
}
