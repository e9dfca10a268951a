//! Why a request is not taken, with the status that it is answered with.

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// It needs a signature and has none.
    #[error("it is not signed: does the console have an Encrypt Key too?")]
    Unsigned,
    /// It has a signature, and not the one that fits.
    #[error("its signature does not fit: is `feishu.encrypt_key` the key of the console?")]
    BadSignature,
    /// It carries another Verification Token than ours, or none.
    #[error("its token does not fit: is `feishu.verification_token` the token of the console?")]
    BadToken,
    /// It is signed, and its time is too far from ours.
    #[error(
        "it was signed too long ago, or too far in the future: is the clock of this machine right?"
    )]
    Stale,
    /// A press of a button that was accepted before.
    #[error("a press of a button was posted again")]
    Repeated,
    /// The same request is being kept at this moment. The platform repeats it.
    #[error("the same request is being worked on")]
    UnderWay,
    /// It was signed, and what it holds cannot be decrypted.
    #[error("it cannot be decrypted")]
    Undecryptable,
    /// It is encrypted, and we have no key.
    #[error("it is encrypted, and `feishu.encrypt_key` is not set")]
    NoEncryptKey,
    /// It is not the JSON of an event or a callback.
    #[error("it is no event")]
    Malformed,
    /// Its body is longer than any event.
    #[error("its body is too long")]
    TooLarge,
    /// Its body did not come in time.
    #[error("its body did not come in time")]
    TooSlow,
}

impl Refusal {
    /// The HTTP status of the answer. What is left of the answer does not depend on the reason.
    pub fn status(self) -> u16 {
        match self {
            Refusal::Unsigned | Refusal::BadSignature | Refusal::BadToken | Refusal::Stale => 401,
            Refusal::Repeated => 409,
            Refusal::UnderWay => 503,
            Refusal::Undecryptable | Refusal::NoEncryptKey | Refusal::Malformed => 400,
            Refusal::TooLarge => 413,
            Refusal::TooSlow => 408,
        }
    }

    /// The reason in one word, for `nightjar_webhook_refusals_total`.
    pub fn reason(self) -> &'static str {
        match self {
            Refusal::Unsigned => "unsigned",
            Refusal::BadSignature => "bad_signature",
            Refusal::BadToken => "bad_token",
            Refusal::Stale => "stale",
            Refusal::Repeated => "repeated",
            Refusal::UnderWay => "under_way",
            Refusal::Undecryptable => "undecryptable",
            Refusal::NoEncryptKey => "no_encrypt_key",
            Refusal::Malformed => "malformed",
            Refusal::TooLarge => "too_large",
            Refusal::TooSlow => "too_slow",
        }
    }
}
