//! Requests as the platform posts them, and as nobody should get them taken.

use aes::Aes256;
use base64::{Engine, engine::general_purpose::STANDARD};
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::feishu::Event;

const KEY: &str = "a key of the console";
const TOKEN: &str = "v-token";
const NOW: &str = "1700000000";

fn webhook(token: &str, key: &str) -> Webhook {
    Webhook::new(&FeishuConfig {
        app_id: "cli_a".into(),
        verification_token: token.into(),
        encrypt_key: key.into(),
        ..FeishuConfig::default()
    })
}

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

/// As the platform encrypts, with a vector that is always the same.
fn encrypted(json: &Value) -> Vec<u8> {
    let key: [u8; 32] = Sha256::digest(KEY).into();
    let vector = [7; 16];
    let encryptor = Encryptor::<Aes256>::new(&key.into(), &vector.into());
    let blocks = encryptor.encrypt_padded_vec::<Pkcs7>(json.to_string().as_bytes());
    let bytes = [&vector[..], &blocks].concat();
    json!({"encrypt": STANDARD.encode(bytes)})
        .to_string()
        .into_bytes()
}

/// A request with everything that it owns.
#[derive(Clone)]
struct Post {
    timestamp: String,
    nonce: String,
    signature: String,
    body: Vec<u8>,
}

impl Post {
    fn unsigned(body: Vec<u8>) -> Self {
        Self {
            timestamp: NOW.into(),
            nonce: "nonce".into(),
            signature: String::new(),
            body,
        }
    }

    fn signed(json: &Value) -> Self {
        Self::unsigned(encrypted(json)).signed_with(KEY)
    }

    fn signed_with(mut self, key: &str) -> Self {
        self.signature = cipher::hex(&EncryptKey::new(key).sign(&self.request()));
        self
    }

    fn signed_as_old_card(mut self) -> Self {
        self.signature = cipher::hex(&cipher::sign_old_card(TOKEN, &self.request()));
        self
    }

    fn at(mut self, timestamp: &str) -> Self {
        self.timestamp = timestamp.into();
        self
    }

    fn request(&self) -> Request<'_> {
        Request {
            timestamp: &self.timestamp,
            nonce: &self.nonce,
            signature: &self.signature,
            body: &self.body,
        }
    }

    fn read(&self, webhook: &Webhook) -> Result<Posted, Refusal> {
        webhook.read(&self.request(), now())
    }

    fn refused(&self, webhook: &Webhook) -> Refusal {
        match self.read(webhook) {
            Err(refusal) => refusal,
            Ok(posted) => panic!("taken: {posted:?}"),
        }
    }

    fn taken(&self, webhook: &Webhook) -> Taken {
        match self.read(webhook) {
            Ok(Posted::Event(taken)) => taken,
            other => panic!("not taken: {other:?}"),
        }
    }
}

fn plain(json: &Value) -> Vec<u8> {
    json.to_string().into_bytes()
}

fn event(kind: &str) -> Value {
    json!({"schema": "2.0", "header": {"event_id": "e1", "event_type": kind, "token": TOKEN,
        "app_id": "cli_a", "tenant_key": "t"}, "event": {"anything": "at all"}})
}

fn old_click() -> Value {
    json!({"open_id": "ou_a", "open_message_id": "om_a", "token": "c-1", "tenant_key": "t",
        "action": {"value": {"stop": "a"}, "tag": "button"}})
}

fn question() -> Value {
    json!({"challenge": "42", "token": TOKEN, "type": "url_verification"})
}

fn challenge(posted: Result<Posted, Refusal>) -> String {
    match posted {
        Ok(Posted::Challenge(challenge)) => challenge,
        other => panic!("no challenge: {other:?}"),
    }
}

#[test]
fn a_signed_event_is_decrypted_and_remembered_once_it_is_accepted() {
    let webhook = webhook(TOKEN, KEY);
    let post = Post::signed(&event("im.something.new_v9"));
    let taken = post.taken(&webhook);
    assert_eq!(taken.wants, Wants::Acknowledgement);
    assert_eq!(Event::decode(&taken.payload).unwrap().id.as_str(), "e1");
    assert_eq!(post.refused(&webhook), Refusal::UnderWay);
    // It could not be kept, and the platform posts the very same bytes again.
    drop(taken);
    post.taken(&webhook).claim.accept();
    assert!(matches!(post.read(&webhook), Ok(Posted::Repetition)));
    assert_eq!(webhook.memory().len(), 1);
}

#[test]
fn a_press_that_was_accepted_is_not_taken_twice() {
    let webhook = webhook(TOKEN, KEY);
    for post in [
        Post::signed(&event("card.action.trigger")),
        Post::unsigned(plain(&old_click())).signed_as_old_card(),
    ] {
        let taken = post.taken(&webhook);
        assert_ne!(taken.wants, Wants::Acknowledgement);
        assert_eq!(post.refused(&webhook), Refusal::Repeated);
        taken.claim.accept();
        assert_eq!(post.refused(&webhook), Refusal::Repeated);
    }
}

#[test]
fn the_same_signature_under_another_nonce_is_no_other_request() {
    let webhook = webhook(TOKEN, KEY);
    let mut post = Post::unsigned(encrypted(&event("im.message.receive_v1")));
    post.nonce = "123abc".into();
    let post = post.signed_with(KEY);
    post.taken(&webhook).claim.accept();
    let mut moved = post.clone().at("1700000000123");
    moved.nonce = "abc".into();
    assert!(matches!(moved.read(&webhook), Ok(Posted::Repetition)));
    let mut moved = post.at("170000000");
    moved.nonce = "0123abc".into();
    assert_eq!(moved.refused(&webhook), Refusal::Stale);
}

#[test]
fn what_is_not_signed_with_our_key_is_refused() {
    let webhook = webhook(TOKEN, KEY);
    let event = event("im.message.receive_v1");
    let good = Post::signed(&event);
    let check = |post: Post, expected: Refusal| {
        assert_eq!(post.refused(&webhook), expected);
        assert!(webhook.memory().is_empty());
    };
    check(Post::unsigned(plain(&event)), Refusal::Unsigned);
    check(Post::unsigned(encrypted(&event)), Refusal::Unsigned);
    check(good.clone().signed_with("another"), Refusal::BadSignature);
    check(good.clone().at("1700000001"), Refusal::BadSignature);
    let mut longer = good.clone();
    longer.body.push(b' ');
    check(longer, Refusal::BadSignature);
    let mut shorter = good.clone();
    shorter.signature.pop();
    check(shorter, Refusal::BadSignature);
    let old = Post::unsigned(encrypted(&event)).signed_as_old_card();
    check(old, Refusal::BadSignature);
    let stale = Post::unsigned(encrypted(&event)).at("1699999000");
    check(stale.signed_with(KEY), Refusal::Stale);
    let timeless = Post::unsigned(encrypted(&event)).at("");
    check(timeless.signed_with(KEY), Refusal::Stale);
}

#[test]
fn what_is_signed_and_makes_no_sense_is_told_apart_only_for_who_has_the_key() {
    let webhook = webhook(TOKEN, KEY);
    let signed = |body: &[u8]| Post::unsigned(body.to_vec()).signed_with(KEY);
    for (body, expected) in [
        (&br#"{"encrypt":"abc"}"#[..], Refusal::Undecryptable),
        (
            br#"{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}"#,
            Refusal::Undecryptable,
        ),
        (b"", Refusal::Malformed),
        (b"\xff\xfe", Refusal::Malformed),
        (b"{}", Refusal::Malformed),
        // What an attack by lengthening would add.
        (b"{}\x80\0\0\0", Refusal::Malformed),
    ] {
        assert_eq!(signed(body).refused(&webhook), expected, "{body:?}");
        assert_eq!(
            Post::unsigned(body.to_vec()).refused(&webhook),
            Refusal::Unsigned
        );
    }
    let mut wrong_token = event("im.message.receive_v1");
    wrong_token["header"]["token"] = json!("another");
    assert_eq!(
        Post::signed(&wrong_token).refused(&webhook),
        Refusal::BadToken
    );
    assert!(webhook.memory().is_empty());
}

#[test]
fn without_an_encrypt_key_the_token_decides() {
    let webhook = webhook(TOKEN, "");
    let taken = Post::unsigned(plain(&event("im.message.receive_v1"))).taken(&webhook);
    assert_eq!(taken.wants, Wants::Acknowledgement);
    let taken = Post::unsigned(plain(&event("card.action.trigger"))).taken(&webhook);
    assert_eq!(taken.wants, Wants::Reply);
    let old = json!({"ts": "1", "uuid": "u", "token": TOKEN, "type": "event_callback", "event": {"type": "x"}});
    Post::unsigned(plain(&old)).taken(&webhook);
    for wrong in [json!("another"), json!(""), json!(null), json!(["v-token"])] {
        let mut event = event("im.message.receive_v1");
        event["header"]["token"] = wrong;
        assert_eq!(
            Post::unsigned(plain(&event)).refused(&webhook),
            Refusal::BadToken
        );
    }
    let sealed = Post::unsigned(encrypted(&event("im.message.receive_v1")));
    assert_eq!(sealed.refused(&webhook), Refusal::NoEncryptKey);
}

#[test]
fn the_old_card_callback_needs_its_own_signature() {
    let keyed = webhook(TOKEN, KEY);
    let tokened = webhook(TOKEN, "");
    let post = Post::unsigned(plain(&old_click()));
    for webhook in [&keyed, &tokened] {
        assert_eq!(post.refused(webhook), Refusal::Unsigned);
        let taken = post.clone().signed_as_old_card().taken(webhook);
        assert_eq!(taken.wants, Wants::OldReply);
        let event = Event::decode(&taken.payload).unwrap();
        assert_eq!(event.kind, "card.action.trigger");
    }
    // It may be encrypted too, and then the signature is over what was encrypted.
    let sealed = Post::unsigned(encrypted(&old_click())).signed_as_old_card();
    assert_eq!(sealed.taken(&keyed).wants, Wants::OldReply);
    let keyless = webhook("", KEY);
    let signed = post.signed_as_old_card();
    assert_eq!(signed.refused(&keyless), Refusal::BadSignature);
}

#[test]
fn a_question_about_our_address_is_answered_to_who_has_the_token() {
    let (keyed, tokened, keyless) = (webhook(TOKEN, KEY), webhook(TOKEN, ""), webhook("", KEY));
    for post in [
        Post::unsigned(plain(&question())),
        Post::unsigned(encrypted(&question())),
        Post::signed(&question()),
        Post::unsigned(encrypted(&question())).signed_with("another"),
        Post::unsigned(plain(&question())).signed_as_old_card(),
    ] {
        assert_eq!(challenge(post.read(&keyed)), "42");
    }
    assert!(keyed.memory().is_empty(), "there is nothing to remember");
    assert_eq!(
        challenge(Post::unsigned(plain(&question())).read(&tokened)),
        "42"
    );
    assert_eq!(
        challenge(Post::unsigned(encrypted(&question())).read(&keyless)),
        "42"
    );
    assert_eq!(
        Post::unsigned(plain(&question())).refused(&keyless),
        Refusal::Unsigned
    );
    let mut wrong = question();
    wrong["token"] = json!("another");
    assert_eq!(
        Post::unsigned(plain(&wrong)).refused(&keyed),
        Refusal::Unsigned
    );
    assert_eq!(
        Post::unsigned(encrypted(&wrong)).refused(&keyed),
        Refusal::Unsigned
    );
    assert_eq!(
        Post::unsigned(plain(&wrong)).refused(&tokened),
        Refusal::BadToken
    );
}

#[test]
fn no_output_shows_a_key() {
    let shown = format!("{:?}", webhook(TOKEN, KEY));
    assert!(!shown.contains(TOKEN) && !shown.contains(KEY), "{shown}");
}

proptest! {
    #[test]
    fn reading_never_panics_and_takes_nothing_that_is_not_signed(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        timestamp in ".{0,20}",
        nonce in ".{0,20}",
        signature in "[0-9a-f]{0,64}",
    ) {
        let post = Post { timestamp, nonce, signature, body };
        for webhook in [webhook(TOKEN, KEY), webhook(TOKEN, ""), webhook("", KEY)] {
            prop_assert!(post.read(&webhook).is_err());
            // Whoever has the key may still post anything.
            let _ = post.clone().at(NOW).signed_with(KEY).read(&webhook);
            let _ = post.clone().at(NOW).signed_as_old_card().read(&webhook);
        }
    }

    #[test]
    fn a_signed_request_with_one_changed_byte_is_refused(at: usize, byte: u8) {
        let webhook = webhook(TOKEN, KEY);
        let mut post = Post::signed(&event("im.message.receive_v1"));
        let at = at % post.body.len();
        prop_assume!(post.body[at] != byte);
        post.body[at] = byte;
        prop_assert_eq!(post.refused(&webhook), Refusal::BadSignature);
    }

    #[test]
    fn whatever_was_encrypted_with_the_key_does_no_harm(
        text in "\\PC{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..120)
    ) {
        let webhook = webhook(TOKEN, KEY);
        let _ = Post::signed(&json!(text)).read(&webhook);
        let sealed = json!({"encrypt": STANDARD.encode(bytes)});
        let _ = Post::unsigned(plain(&sealed)).signed_with(KEY).read(&webhook);
        let _ = Post::unsigned(plain(&sealed)).read(&webhook);
    }
}
