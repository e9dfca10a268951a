//! Pictures that the bot uploads: counted and named, and not kept.

use axum::{body::Bytes, extract::State, http::HeaderMap};
use serde_json::json;

use super::{
    super::{app, hub::Hub, refusal::Refusal},
    envelope::{Answer, Answered},
};

const WRITE: &[&str] = &["im:resource", "im:resource:upload"];

/// `POST /open-apis/im/v1/images`
pub(super) async fn upload(State(hub): State<Hub>, headers: HeaderMap, body: Bytes) -> Answered {
    hub.scopes().require(WRITE)?;
    let kind = headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    let boundary = kind
        .filter(|kind| kind.starts_with("multipart/form-data"))
        .and_then(|kind| kind.split_once("boundary="))
        .map(|(_, boundary)| boundary.trim_matches('"'));
    let invalid = || Refusal::new(234_001, "Invalid request param.");
    let boundary = boundary.ok_or_else(invalid)?;
    let image_type = part(&body, boundary, "image_type").ok_or_else(invalid)?;
    if !matches!(image_type, b"message" | b"avatar") {
        return Err(invalid());
    }
    match part(&body, boundary, "image").ok_or_else(invalid)? {
        b"" => Err(Refusal::new(234_010, "File's size can't be 0.")),
        image if !is_picture(image) => {
            Err(Refusal::new(234_011, "Can't recognize the image format."))
        }
        _ => {
            let noise = hub.act(|world, _| app::hex(&mut world.random, 24));
            Ok(Answer::Data(
                json!({"image_key": format!("img_v3_{noise}")}),
            ))
        }
    }
}

/// The content of the part with this name.
fn part<'a>(body: &'a [u8], boundary: &str, name: &str) -> Option<&'a [u8]> {
    let mark = format!("--{boundary}");
    let mut rest = body;
    loop {
        let start = find(rest, mark.as_bytes())? + mark.len();
        rest = &rest[start..];
        let head = find(rest, b"\r\n\r\n")?;
        let end = find(rest, format!("\r\n{mark}").as_bytes())?;
        let is_it =
            String::from_utf8_lossy(&rest[..head.min(end)]).contains(&format!("name=\"{name}\""));
        if is_it && head + 4 <= end {
            return Some(&rest[head + 4..end]);
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// By the first bytes of PNG, JPEG, GIF, BMP and WEBP.
fn is_picture(bytes: &[u8]) -> bool {
    let starts: [&[u8]; 5] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF"];
    starts.iter().any(|start| bytes.starts_with(start))
}
