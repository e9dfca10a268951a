//! `[members]`: the people who answer for incidents, in the configuration or in a table of their own.
//!
//! Everything is read and compared when the bot starts, since a name that two people have would page the
//! wrong one at night. Problems name the line and never what stands in it: these are people.

mod csv;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::problems::Problems;

/// More people than any on-call list has.
const MEMBERS_MAX: usize = 10_000;

/// The largest table that is read.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The longest name. Names stand on buttons and cards, and are keys of the store.
const NAME_CHARS_MAX: usize = 64;

/// How many problems of a table are told one by one.
const TOLD_MAX: usize = 20;

/// What the columns of a table may be called, in lower case.
const COLUMNS: [(&str, &[&str]); 5] = [
    ("name", &["name", "姓名", "名字", "成员"]),
    (
        "email",
        &["email", "e-mail", "mail", "邮箱", "电子邮箱", "邮件"],
    ),
    (
        "mobile",
        &["mobile", "phone", "手机", "手机号", "手机号码", "电话"],
    ),
    ("roles", &["roles", "role", "角色"]),
    ("teams", &["teams", "team", "团队", "小组", "组"]),
];

/// `[members]`: the people who answer for incidents.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MembersConfig {
    /// Whether it takes a linked member to do anything to an incident. Holds only where there are members.
    pub linked_only: bool,
    /// A table of members, beside those of `list`.
    pub file: Option<PathBuf>,
    /// Members that are written down here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<Member>,
    /// Those of the table, once it was read.
    #[serde(skip)]
    read: Vec<Member>,
}

impl Default for MembersConfig {
    fn default() -> Self {
        Self {
            linked_only: true,
            file: None,
            list: Vec::new(),
            read: Vec::new(),
        }
    }
}

/// Somebody who answers for incidents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Member {
    /// What schedules and policies call them. No two have the same.
    pub name: String,
    /// The e-mail they log in with, in lower case; empty for none.
    pub email: String,
    /// Their mobile number, as [`canonical_mobile`] writes it; empty for none.
    pub mobile: String,
    /// What they are, in your words.
    pub roles: Vec<String>,
    /// Where they belong, in your words.
    pub teams: Vec<String>,
}

impl Member {
    /// Written the one way in which things are compared.
    fn tidied(&self) -> Self {
        let words = |list: &[String]| {
            let words = list.iter().map(|word| word.trim().to_owned());
            words.filter(|word| !word.is_empty()).collect()
        };
        Self {
            name: self.name.trim().to_owned(),
            email: self.email.trim().to_lowercase(),
            mobile: canonical_mobile(&self.mobile).unwrap_or_default(),
            roles: words(&self.roles),
            teams: words(&self.teams),
        }
    }
}

impl MembersConfig {
    /// Every member, those of the configuration first.
    pub fn all(&self) -> impl Iterator<Item = &Member> {
        self.list.iter().chain(&self.read)
    }

    /// Reads the table, compares everybody with everybody, and tells what is wrong.
    pub(super) fn check(&mut self, problems: &mut Problems) {
        let inline = self.list.iter().zip(1..);
        let mut members: Vec<(String, Member)> = inline
            .map(|(member, n)| (format!("`members.list`, entry {n}"), member.clone()))
            .collect();
        let mut found = Vec::new();
        if let Some(file) = &self.file {
            match read(file) {
                Ok(text) => members.extend(table(&text, &mut found)),
                Err(why) => found.push(format!("`members.file`: {why}")),
            }
        }
        if members.len() > MEMBERS_MAX {
            found.push(format!("`members` holds more than {MEMBERS_MAX} people"));
            members.truncate(MEMBERS_MAX);
        }
        compare(&members, &mut found);
        let untold = found.len().saturating_sub(TOLD_MAX);
        found
            .into_iter()
            .take(TOLD_MAX)
            .for_each(|one| problems.add(one));
        if untold > 0 {
            problems.add(format!("`members`: and {untold} more problems like these"));
        }
        let mut members = members.into_iter().map(|(_, member)| member.tidied());
        self.list = members.by_ref().take(self.list.len()).collect();
        self.read = members.collect();
    }
}

/// A mobile number in one way of writing: digits only for mainland China, with `+` and the country's code
/// for all others, as the platform wants it. `None` where it is neither.
pub fn canonical_mobile(text: &str) -> Option<String> {
    let is_filler = |c: char| c.is_whitespace() || matches!(c, '-' | '(' | ')' | '.');
    let mut number: String = text.chars().filter(|c| !is_filler(*c)).collect();
    if let Some(rest) = number.strip_prefix("00") {
        number = format!("+{rest}");
    }
    let is_mainland =
        |digits: &str| digits.len() == 11 && digits.starts_with('1') && is_digits(digits);
    match number.strip_prefix('+') {
        Some(rest) => match rest.strip_prefix("86") {
            Some(mainland) if is_mainland(mainland) => Some(mainland.to_owned()),
            _ => {
                let fits =
                    is_digits(rest) && (7..=15).contains(&rest.len()) && !rest.starts_with('0');
                fits.then_some(number)
            }
        },
        None => is_mainland(&number).then_some(number),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read(file: &Path) -> Result<String, String> {
    let shown = file.display();
    let cannot = |error: std::io::Error| format!("cannot read {shown}: {error}");
    let size_bytes = std::fs::metadata(file).map_err(cannot)?.len();
    if size_bytes > FILE_BYTES_MAX {
        return Err(format!("{shown} is larger than 4 MiB"));
    }
    let bytes = std::fs::read(file).map_err(cannot)?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!(
            "line {line} of {shown} is not UTF-8: have the spreadsheet save it as \"CSV UTF-8\""
        )
    })
}

/// The members of a table, each with where it stands.
fn table(text: &str, problems: &mut Vec<String>) -> Vec<(String, Member)> {
    let rows = match csv::rows(text) {
        Ok(rows) => rows,
        Err(line) => {
            problems.push(format!(
                "`members.file`, line {line}: a quote begins here and never ends"
            ));
            return Vec::new();
        }
    };
    let mut rows = rows.into_iter();
    let Some(header) = rows.next() else {
        problems.push("`members.file` is empty: its first line names the columns".to_owned());
        return Vec::new();
    };
    let columns = match columns(&header.fields) {
        Ok(columns) => columns,
        Err(why) => {
            problems.push(format!("`members.file`, line {}: {why}", header.line));
            return Vec::new();
        }
    };
    let mut members = Vec::new();
    for row in rows {
        let place = format!("`members.file`, line {}", row.line);
        let is_beyond = |field: &String| !field.is_empty();
        if row.fields.iter().skip(columns.len()).any(is_beyond) {
            problems.push(format!("{place}: it has more fields than the first line"));
            continue;
        }
        members.push((place, member(&columns, &row.fields)));
    }
    members
}

/// Which column is which, by our names.
fn columns(header: &[String]) -> Result<Vec<&'static str>, String> {
    let mut columns = Vec::new();
    for (name, n) in header.iter().zip(1..) {
        let name = name.to_lowercase();
        let known = COLUMNS
            .iter()
            .find(|(_, names)| names.contains(&name.as_str()));
        let Some((known, _)) = known else {
            return Err(format!(
                "column {n} has no name that is known: they are name, email, mobile, roles, teams (姓名, 邮箱, 手机, 角色, 团队)"
            ));
        };
        if columns.contains(known) {
            return Err(format!("column {n} is `{known}` a second time"));
        }
        columns.push(*known);
    }
    match columns.contains(&"name") {
        true => Ok(columns),
        false => Err("there is no column `name` (姓名)".to_owned()),
    }
}

fn member(columns: &[&str], fields: &[String]) -> Member {
    let mut member = Member::default();
    let several = |field: &String| field.split([';', '；']).map(str::to_owned).collect();
    for (column, field) in columns.iter().zip(fields) {
        match *column {
            "name" => field.clone_into(&mut member.name),
            "email" => field.clone_into(&mut member.email),
            "mobile" => field.clone_into(&mut member.mobile),
            "roles" => member.roles = several(field),
            _ => member.teams = several(field),
        }
    }
    member
}

/// What is wrong with each by itself, and who is taken for somebody else.
fn compare(members: &[(String, Member)], problems: &mut Vec<String>) {
    let mut first: HashMap<(&str, String), &str> = HashMap::new();
    for (place, member) in members {
        for problem in malformed(member) {
            problems.push(format!("{place}: {problem}"));
        }
        let tidied = member.tidied();
        for (what, value) in [
            // Two who differ in capitals only would be mistaken for each other all the same.
            ("name", tidied.name.to_lowercase()),
            ("e-mail", tidied.email),
            ("mobile", tidied.mobile),
        ] {
            if value.is_empty() {
                continue;
            }
            match first.entry((what, value)) {
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(place);
                }
                std::collections::hash_map::Entry::Occupied(taken) => {
                    problems.push(format!("{place}: the same {what} as in {}", taken.get()));
                }
            }
        }
    }
}

fn malformed(member: &Member) -> Vec<&'static str> {
    let mut problems = Vec::new();
    let name = member.name.trim();
    if name.is_empty() {
        problems.push("there is no name");
    } else if name.chars().count() > NAME_CHARS_MAX {
        problems.push("the name is longer than 64 characters");
    } else if name.chars().any(char::is_control) || name.starts_with(['@', '/']) {
        problems.push("a name has no line breaks, and begins with neither @ nor /");
    }
    if !is_email(member.email.trim()) {
        problems.push("the e-mail is none");
    }
    if !member.mobile.trim().is_empty() && canonical_mobile(&member.mobile).is_none() {
        problems.push(
            "the mobile number is none: write 11 digits for mainland China, and +, country code and number for all others (and have the spreadsheet keep it as text)",
        );
    }
    problems
}

fn is_email(text: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    text.is_empty()
        || text
            .split_once('@')
            .is_some_and(|(who, at)| is_word(who) && is_word(at) && !at.contains('@'))
}
