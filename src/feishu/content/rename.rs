//! Names in the place of the keys that stand for mentions.

use crate::feishu::Mention;

/// The names that stand for mention keys.
pub(super) struct Names<'a> {
    /// Longest key first, so that `@_user_1` does not eat the beginning of `@_user_10`.
    mentions: Vec<&'a Mention>,
    omitted: &'a [&'a str],
}

impl<'a> Names<'a> {
    pub(super) fn new(mentions: &'a [Mention], omitted: &'a [&'a str]) -> Self {
        let mut mentions: Vec<_> = mentions.iter().collect();
        mentions.sort_by_key(|mention| std::cmp::Reverse(mention.key.len()));
        Self { mentions, omitted }
    }

    /// Puts names in place of keys. It goes through the text once, so a name that looks like a key stays.
    pub(super) fn put_into(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        // Every key begins so; all other `@` are the writer's own.
        while let Some(at) = rest.find("@_") {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let (name, length) = self.at_start(rest).unwrap_or(("@_".into(), "@_".len()));
            let is_name = length > "@_".len();
            out.push_str(&name);
            rest = &rest[length..];
            if is_name && runs_on(&name, rest) {
                out.push(' ');
            }
        }
        out.push_str(rest);
        out
    }

    /// The name for the key that `text` begins with, and that key's length.
    pub(super) fn at_start(&self, text: &str) -> Option<(String, usize)> {
        let is_key = |mention: &&&Mention| {
            let after = text.strip_prefix(mention.key.as_str());
            // `@_user_1` in front of a further digit is another key, which nobody told us of.
            !mention.key.is_empty()
                && after.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_digit()))
        };
        match self.mentions.iter().find(is_key) {
            Some(mention) => Some((self.name(mention), mention.key.len())),
            None if text.starts_with("@_all") => Some(("@all".into(), "@_all".len())),
            None => None,
        }
    }

    fn name(&self, mention: &Mention) -> String {
        match &mention.id {
            Some(id) if self.omitted.contains(&id.as_str()) => String::new(),
            _ if mention.key == "@_all" => "@all".into(),
            _ => format!("@{}", mention.name),
        }
    }
}

/// Whether a text would run into the name before it: `@Nightjar` and `the pool`.
pub(super) fn runs_on(name: &str, text: &str) -> bool {
    name.ends_with(char::is_alphanumeric) && text.starts_with(char::is_alphanumeric)
}
