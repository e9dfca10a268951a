//! Mentions: from what was typed to keys in the text.
//!
//! On the wire the text holds `@_user_1` and a list says who that is. The same person mentioned
//! twice has two keys. `@_all` stands in the text only; the list leaves it out, as most real
//! payloads do.

/// One mention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) struct Mention {
    /// `@_user_1`
    pub(in crate::sandbox) key: String,
    pub(in crate::sandbox) open_id: String,
    /// Bots have one.
    pub(in crate::sandbox) app_id: Option<String>,
    pub(in crate::sandbox) name: String,
}

/// Someone who can be mentioned.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) open_id: String,
    pub(super) app_id: Option<String>,
    pub(super) name: String,
}

/// Collects the mentions of one message.
#[derive(Debug)]
pub(super) struct Mentions<'a> {
    candidates: &'a [Candidate],
    pub(super) found: Vec<Mention>,
}

/// The key of everybody.
const ALL: &str = "@_all";

impl<'a> Mentions<'a> {
    pub(super) fn of(candidates: &'a [Candidate]) -> Self {
        Self {
            candidates,
            found: Vec::new(),
        }
    }

    /// Replaces `<at user_id="…">Name</at>` by keys; an id that nobody here has stays as written.
    pub(super) fn key_tags(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("<at ") {
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let Some(tag) = Tag::parse(rest) else {
                out.push_str("<at ");
                rest = &rest["<at ".len()..];
                continue;
            };
            match self.key_of(tag.user_id) {
                Some(key) => out.push_str(&key),
                None => out.push_str(&rest[..tag.length]),
            }
            rest = &rest[tag.length..];
        }
        out.push_str(rest);
        out
    }

    /// Replaces `@Name` by keys, the longest name that fits first.
    pub(super) fn key_names(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            out.push_str(&rest[..at]);
            let before_is_word = out
                .chars()
                .next_back()
                .is_some_and(|c| c.is_ascii_alphanumeric());
            rest = &rest[at + 1..];
            match self.named_at_start_of(rest).filter(|_| !before_is_word) {
                Some(candidate) => {
                    let key = self.add(&candidate);
                    out.push_str(&key);
                    rest = &rest[candidate.name.len()..];
                }
                None => out.push('@'),
            }
        }
        out.push_str(rest);
        out
    }

    /// The key for an id, new in the list; none for an id that nobody here has.
    pub(super) fn key_of(&mut self, open_id: &str) -> Option<String> {
        if open_id == "all" {
            return Some(ALL.to_owned());
        }
        let candidate = self.candidates.iter().find(|one| one.open_id == open_id)?;
        Some(self.add(&candidate.clone()))
    }

    fn named_at_start_of(&self, text: &str) -> Option<Candidate> {
        let fits = |candidate: &&Candidate| {
            text.strip_prefix(candidate.name.as_str())
                .is_some_and(|after| !goes_on(&candidate.name, after))
        };
        let longest = |candidate: &&Candidate| candidate.name.len();
        self.candidates
            .iter()
            .filter(fits)
            .max_by_key(longest)
            .cloned()
    }

    fn add(&mut self, candidate: &Candidate) -> String {
        let key = format!("@_user_{}", self.found.len() + 1);
        self.found.push(Mention {
            key: key.clone(),
            open_id: candidate.open_id.clone(),
            app_id: candidate.app_id.clone(),
            name: candidate.name.clone(),
        });
        key
    }
}

/// Whether a Latin name goes on in `after`, as Tom does in Tommy. Chinese has no spaces to tell.
fn goes_on(name: &str, after: &str) -> bool {
    name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && after.starts_with(|c: char| c.is_ascii_alphanumeric())
}

struct Tag<'a> {
    user_id: &'a str,
    length: usize,
}

impl<'a> Tag<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let open_ends = text.find('>')?;
        let (_, attribute) = text[..open_ends].split_once("user_id=")?;
        let user_id = attribute
            .trim_end_matches('/')
            .trim()
            .trim_matches(['"', '\'']);
        let length = match text[open_ends..].find("</at>") {
            Some(close) => open_ends + close + "</at>".len(),
            None => open_ends + 1,
        };
        Some(Self { user_id, length })
    }
}

/// The text as people see it: keys replaced by names, the longest key first.
pub(in crate::sandbox) fn with_names(text: &str, mentions: &[Mention]) -> String {
    let mut sorted: Vec<&Mention> = mentions.iter().collect();
    sorted.sort_by_key(|mention| std::cmp::Reverse(mention.key.len()));
    let named = sorted.iter().fold(text.to_owned(), |text, mention| {
        text.replace(&mention.key, &format!("@{}", mention.name))
    });
    named.replace(ALL, "@all")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Vec<Candidate> {
        ["Tom", "Tommy", "李雷"]
            .into_iter()
            .enumerate()
            .map(|(number, name)| Candidate {
                open_id: format!("ou_{number}"),
                app_id: None,
                name: name.to_owned(),
            })
            .collect()
    }

    #[test]
    fn the_longest_name_is_mentioned_and_comes_back_as_it_was_typed() {
        let candidates = candidates();
        let mut mentions = Mentions::of(&candidates);
        let text = mentions.key_names("@Tommy and @李雷看看 a@Tom.example @Tomcat @Tom");
        assert_eq!(
            text,
            "@_user_1 and @_user_2看看 a@Tom.example @Tomcat @_user_3"
        );
        let ids: Vec<_> = mentions
            .found
            .iter()
            .map(|one| one.open_id.as_str())
            .collect();
        assert_eq!(ids, ["ou_1", "ou_2", "ou_0"]);
        assert_eq!(
            with_names(&text, &mentions.found),
            "@Tommy and @李雷看看 a@Tom.example @Tomcat @Tom"
        );
    }

    #[test]
    fn tags_become_keys_and_unknown_ids_stay() {
        let candidates = candidates();
        let mut mentions = Mentions::of(&candidates);
        let text = mentions.key_tags(
            "<at user_id=\"ou_0\">Tom</at> <at user_id=\"all\"></at> <at user_id=\"ou_9\">X</at> <at",
        );
        assert_eq!(text, "@_user_1 @_all <at user_id=\"ou_9\">X</at> <at");
    }

    #[test]
    fn the_tenth_key_is_not_eaten_by_the_first() {
        let candidates = candidates();
        let mut mentions = Mentions::of(&candidates);
        let text = mentions.key_names(&"@Tom ".repeat(11));
        assert_eq!(with_names(&text, &mentions.found), "@Tom ".repeat(11));
    }
}
