//! What the platform posts to us: from headers and a body to an event, or to the reason why it is none.
//!
//! No I/O: [`Webhook::read`] decides with what it is given, the time included, and [`Memory`] is all that it
//! remembers. The route that asks it is in `web`.
//!
//! # Who is believed
//! - With an Encrypt Key, whoever signs with it: SHA-256 over time, nonce, key and the bytes as they came.
//!   Nothing is decrypted before its signature holds, but for the one request that the platform need not
//!   sign: the question whether an address is ours (`url_verification`). That one is answered only when it
//!   carries the Verification Token, and whatever else is wrong with an unsigned body gets one and the same
//!   answer, so that nobody can learn from our answers how a padding came out.
//! - Without one, whoever knows the Verification Token, which stands in the event.
//! - The old card callback (`card.action.trigger_v1`) is signed with SHA-1 and the Verification Token. That
//!   proof is good for such a callback and for nothing else.
//!
//! Both signatures hash a secret in front of the body, so somebody who overheard a request can lengthen its
//! body and compute the new signature. What is added begins with a byte that no JSON has outside of a text,
//! so bodies are read strictly to their end.
//!
//! # What is repeated
//! The platform sends an event again when we did not answer 200, with the same event id. Whether it signs
//! anew is not documented. So a request is remembered only once it was accepted: after a 500 of ours the
//! very same bytes are as good as before. A repetition of what was accepted is answered 200 and goes
//! nowhere, because anything else would have the platform send it yet again. A press of a button is never
//! repeated by the platform, so a second one with the same signature is refused.
//!
//! What is remembered is the signature and not the nonce: time and nonce are hashed without anything
//! between them, so the same signature fits another nonce when a digit is moved from the one to the other.
//!
//! After a restart nothing is remembered. Events are then told apart by their ids, which the bot keeps on
//! disk; a press that is replayed within the allowed clock skew counts as a second press, which every
//! button has to bear in any case.

mod body;
mod cipher;
mod memory;
mod refusal;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::config::FeishuConfig;

use body::{Plain, Shape};
use cipher::{EncryptKey, is_same};
use memory::{Known, Signature};

pub use body::old_reply;
pub use memory::{Claim, Memory};
pub use refusal::Refusal;

/// An unsigned body that is longer is not looked into: a question about an address has some hundred bytes.
const UNSIGNED_BYTES_MAX: usize = 4096;

/// A request as it came. Headers that are absent are empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// `X-Lark-Request-Timestamp`
    pub timestamp: &'a str,
    /// `X-Lark-Request-Nonce`
    pub nonce: &'a str,
    /// `X-Lark-Signature`
    pub signature: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// What was posted, by somebody who is believed.
#[derive(Debug)]
pub enum Posted {
    /// The platform asks whether the address is ours, and wants this back within a second.
    Challenge(String),
    /// Something that happened.
    Event(Taken),
    /// An event that was accepted before, byte for byte. It is answered as if it were new.
    Repetition,
}

/// Something that happened, to be handed on.
#[derive(Debug)]
pub struct Taken {
    /// The event's JSON, in an envelope that [`Event::decode`](super::Event::decode) reads.
    pub payload: Bytes,
    /// What the platform waits for.
    pub wants: Wants,
    /// Its place in the memory. Dropped before it was accepted, the same request may come again.
    pub claim: Claim,
}

/// What the platform waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// That the event is kept. Otherwise it comes again.
    Acknowledgement,
    /// The answer to a callback, such as a press of a button. It does not come again.
    Reply,
    /// The same in the shape of the old callback, see [`old_reply`].
    OldReply,
}

/// One app's keys, and what was accepted of late.
#[derive(Debug)]
pub struct Webhook {
    app_id: String,
    verification_token: SecretString,
    encrypt_key: Option<EncryptKey>,
    memory: Memory,
}

/// Why a request is believed.
enum Proof {
    /// The signature of events.
    Signed(Signature),
    /// The signature of the old card callback.
    SignedAsOldCard(Signature),
    /// There is no signature that fits.
    None(Refusal),
}

impl Webhook {
    /// For the app of `config`, which has a Verification Token, an Encrypt Key, or both.
    pub fn new(config: &FeishuConfig) -> Self {
        let key = config.encrypt_key.expose_secret();
        Self {
            app_id: config.app_id.clone(),
            verification_token: config.verification_token.clone(),
            encrypt_key: (!key.is_empty()).then(|| EncryptKey::new(key)),
            memory: Memory::new(config.webhook_clock_skew_max),
        }
    }

    /// What was accepted of late.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Reads a request.
    ///
    /// # Errors
    /// Why it is not taken. Nothing of it was remembered then.
    pub fn read(&self, request: &Request<'_>, now: Timestamp) -> Result<Posted, Refusal> {
        match self.proof(request) {
            Proof::None(refusal) => self.read_unsigned(request.body, refusal),
            Proof::Signed(signature) => self.read_signed(request, signature, now, false),
            Proof::SignedAsOldCard(signature) => self.read_signed(request, signature, now, true),
        }
    }

    fn proof(&self, request: &Request<'_>) -> Proof {
        let given = request.signature.as_bytes();
        if given.is_empty() {
            return Proof::None(Refusal::Unsigned);
        }
        if let Some(key) = &self.encrypt_key {
            let digest = key.sign(request);
            if is_same(cipher::hex(&digest).as_bytes(), given) {
                return Proof::Signed(Signature::new(&digest));
            }
        }
        let token = self.verification_token.expose_secret();
        if !token.is_empty() {
            let digest = cipher::sign_old_card(token, request);
            if is_same(cipher::hex(&digest).as_bytes(), given) {
                return Proof::SignedAsOldCard(Signature::new(&digest));
            }
        }
        Proof::None(Refusal::BadSignature)
    }

    fn read_signed(
        &self,
        request: &Request<'_>,
        signature: Signature,
        now: Timestamp,
        as_old_card: bool,
    ) -> Result<Posted, Refusal> {
        let known = self.memory.claim(signature, request.timestamp, now)?;
        let opened = self.open(request.body)?;
        let body = Plain::read(&opened)?;
        let shape = body.shape()?;
        let has_token = self.verification_token.expose_secret().is_empty()
            || self.is_token(body.verification_token());
        let wants = match shape {
            Shape::Challenge(challenge) if has_token => return Ok(Posted::Challenge(challenge)),
            // It carries a token of its own and not this one.
            Shape::OldClick => Wants::OldReply,
            _ if as_old_card => return Err(Refusal::BadSignature),
            _ if !has_token => return Err(Refusal::BadToken),
            Shape::Callback => Wants::Reply,
            Shape::Event | Shape::Challenge(_) => Wants::Acknowledgement,
        };
        let payload = match wants {
            Wants::OldReply => body::as_new_click(&opened, &self.app_id, request.timestamp)?,
            _ => opened,
        };
        match known {
            Known::Fresh(claim) => Ok(Posted::Event(Taken {
                payload,
                wants,
                claim,
            })),
            Known::Accepted if wants == Wants::Acknowledgement => Ok(Posted::Repetition),
            Known::UnderWay if wants == Wants::Acknowledgement => Err(Refusal::UnderWay),
            Known::Accepted | Known::UnderWay => Err(Refusal::Repeated),
        }
    }

    /// Reads a body whose token has to speak for it. `otherwise` is the answer to all that needs more.
    fn read_unsigned(&self, body: &[u8], otherwise: Refusal) -> Result<Posted, Refusal> {
        if self.encrypt_key.is_some() {
            let asked = (body.len() <= UNSIGNED_BYTES_MAX)
                .then(|| self.asked_for_address(body))
                .flatten();
            return asked.map(Posted::Challenge).ok_or(otherwise);
        }
        let opened = self.open(body)?;
        let body = Plain::read(&opened)?;
        let shape = body.shape()?;
        if shape == Shape::OldClick {
            return Err(otherwise);
        }
        if !self.is_token(body.verification_token()) {
            return Err(Refusal::BadToken);
        }
        Ok(match shape {
            Shape::Challenge(challenge) => Posted::Challenge(challenge),
            shape => Posted::Event(Taken {
                payload: opened,
                wants: match shape {
                    Shape::Callback => Wants::Reply,
                    _ => Wants::Acknowledgement,
                },
                claim: Claim::none(),
            }),
        })
    }

    /// The challenge of an unsigned question about our address. Without a token of ours, that it was
    /// encrypted with our key has to do.
    fn asked_for_address(&self, body: &[u8]) -> Option<String> {
        let opened = self.open(body).ok()?;
        let was_encrypted = opened != body;
        let body = Plain::read(&opened).ok()?;
        let is_ours = match self.verification_token.expose_secret().is_empty() {
            true => was_encrypted,
            false => self.is_token(body.verification_token()),
        };
        match body.shape().ok()? {
            Shape::Challenge(challenge) if is_ours => Some(challenge),
            _ => None,
        }
    }

    /// The JSON inside of a body, decrypted where it was encrypted.
    fn open(&self, body: &[u8]) -> Result<Bytes, Refusal> {
        match (body::encrypted(body)?, &self.encrypt_key) {
            (None, _) => Ok(Bytes::copy_from_slice(body)),
            (Some(_), None) => Err(Refusal::NoEncryptKey),
            (Some(encrypted), Some(key)) => key
                .decrypt(&encrypted)
                .map(Bytes::from)
                .ok_or(Refusal::Undecryptable),
        }
    }

    /// Whether `given` is the Verification Token. Nothing is, where there is none.
    fn is_token(&self, given: Option<&str>) -> bool {
        let token = self.verification_token.expose_secret();
        !token.is_empty() && is_same(token.as_bytes(), given.unwrap_or_default().as_bytes())
    }
}
