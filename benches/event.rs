//! From the bytes of a frame to a typed event, which is on the path of every event before it is kept.
//!
//! `cargo bench --bench event`

use bytes::Bytes;
use divan::{Bencher, black_box};
use nightjar::feishu::{
    Event,
    ws::{Frame, Header},
};
use serde_json::json;

fn main() {
    divan::main();
}

/// A frame that carries a message of so many bytes, as a group's event with one mention.
fn frame(text_bytes: usize) -> Bytes {
    let text = format!("@_user_1 {}", "连接池 pool ".repeat(text_bytes / 15));
    let event = json!({
        "schema": "2.0",
        "header": {
            "event_id": "5e3702a84e847582be8db7fb73283c02", "event_type": "im.message.receive_v1",
            "create_time": "1795183605136", "token": "token", "app_id": "cli_f7cbe2011d315589",
            "tenant_key": "736588c9260f175e"
        },
        "event": {
            "sender": {
                "sender_id": { "open_id": "ou_a06dbcd9e56a123e4965c6ad20004c7d", "union_id": "on_1" },
                "sender_type": "user", "tenant_key": "736588c9260f175e"
            },
            "message": {
                "message_id": "om_7938a1d709708475935a81a27cdc04c2",
                "chat_id": "oc_41fc0cc8837b584235a3a6a7491a40e6", "chat_type": "group",
                "create_time": "1795183605136", "message_type": "text",
                "content": json!({ "text": text }).to_string(),
                "mentions": [{
                    "key": "@_user_1", "id": { "open_id": "ou_bb3a09b4c2ac52904f35763a4add2a32" },
                    "name": "Nightjar", "tenant_key": "736588c9260f175e"
                }]
            }
        }
    });
    let header = |key: &str, value: &str| Header {
        key: key.into(),
        value: value.into(),
    };
    let frame = Frame {
        service: 7,
        method: 1,
        headers: vec![
            header("type", "event"),
            header("message_id", "c5dd4759b5c309ad"),
            header("sum", "1"),
            header("seq", "0"),
            header("trace_id", "9a2271ad"),
        ],
        payload: Some(event.to_string().into()),
        ..Frame::default()
    };
    frame.to_bytes()
}

#[divan::bench(args = [100, 2_000, 20_000])]
fn frame_to_event(bencher: Bencher, text_bytes: usize) {
    let bytes = frame(text_bytes);
    bencher.bench(|| {
        let frame = Frame::read(black_box(bytes.clone())).expect("it is a frame");
        let payload = frame.payload.expect("it has a payload");
        Event::decode(&payload).expect("it is an event")
    });
}
