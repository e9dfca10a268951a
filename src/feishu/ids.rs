//! The platform's ids, one type each, so that none is passed for another.
//!
//! They are opaque: the prefixes (`oc_`, `om_`, …) are habits of the platform and nothing here relies
//! on them. A clone shares the text.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the platform's text as it is.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }

            /// The platform's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// A chat, group or direct alike: `oc_…`.
    ChatId;
    /// A message: `om_…`.
    MessageId;
    /// A topic or thread inside a chat: `omt_…`.
    ThreadId;
    /// A person or a bot as one app sees them: `ou_…`. Another app sees the same person under another id.
    OpenId;
    /// A CardKit card entity: a decimal text of at most 20 digits.
    CardId;
    /// One emoji that somebody put on a message.
    ReactionId;
    /// One event. Every redelivery of it carries the same id.
    EventId;
    /// An image or a file: `img_…`, `file_…`. One that came with a message is fetched together with that
    /// message's id, and only what the app uploaded itself can be sent.
    ResourceKey;
    /// An organisation.
    TenantKey;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_plain_text_in_json_and_in_messages() {
        let id = ChatId::new("oc_a");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"oc_a\"");
        assert_eq!(serde_json::from_str::<ChatId>("\"oc_a\"").unwrap(), id);
        assert_eq!(
            (id.to_string(), format!("{id:?}")),
            ("oc_a".into(), "ChatId(oc_a)".into())
        );
    }
}
