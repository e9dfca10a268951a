//! How a version of a report differs from the newest one, and who made it so.

use crate::{
    bot::{Bot, war_room::Trouble},
    feishu::OpenId,
    postmortem::{Section, write::Content},
};

use super::records::{Report, Version};

/// How the sections of a version stand in the newest one.
pub(super) struct Differences {
    /// The sections of the version.
    pub first: Vec<Section>,
    /// What its citations are of.
    hash: String,
    /// The version that was looked at last.
    pub last: Vec<Section>,
    /// What the citations of that one are of.
    last_hash: String,
    /// Which version gave a section its words, and who made that: the latest, by heading.
    pub changes: Vec<(String, u32, OpenId)>,
}

impl Differences {
    fn of(version: &Version) -> Self {
        let sections = sections(version);
        Self {
            first: sections.clone(),
            hash: version.frozen.hash.clone(),
            last: sections,
            last_hash: version.frozen.hash.clone(),
            changes: Vec::new(),
        }
    }

    /// Takes the next version in.
    fn step(&mut self, version: &Version) {
        let next = sections(version);
        let same_room = self.last_hash == version.frozen.hash;
        for section in &next {
            let before = find(&self.last, &section.heading);
            if before.is_none_or(|before| !is_same(before, section, same_room)) {
                let heading = &section.heading;
                self.changes.retain(|(known, ..)| known != heading);
                let by = version.by.clone();
                self.changes.push((heading.clone(), version.number, by));
            }
        }
        self.last_hash.clone_from(&version.frozen.hash);
        self.last = next;
    }

    /// Whether a section says the same now.
    pub(super) fn is_same(&self, section: &Section, now: &Section) -> bool {
        is_same(section, now, self.hash == self.last_hash)
    }

    /// The headings of all that is not as it was.
    pub(super) fn headings(&self) -> Vec<&str> {
        let changed = self.first.iter().filter(|section| {
            let now = find(&self.last, &section.heading);
            now.is_none_or(|now| !self.is_same(section, now))
        });
        let new = self.last.iter();
        let new = new.filter(|now| find(&self.first, &now.heading).is_none());
        changed.chain(new).map(|one| &*one.heading).collect()
    }
}

fn sections(version: &Version) -> Vec<Section> {
    let sections = version.document.sections.iter();
    let sections = sections.filter(|section| section.content != Content::About);
    sections.cloned().collect()
}

/// The section with this heading.
pub(super) fn find<'a>(sections: &'a [Section], heading: &str) -> Option<&'a Section> {
    sections.iter().find(|one| one.heading == heading)
}

/// Whether two sections say the same. In a room that was frozen at another time the same message has another
/// short name, so there only the words count.
fn is_same(one: &Section, other: &Section, same_room: bool) -> bool {
    if same_room {
        return one.lines == other.lines;
    }
    let words = |section: &Section| -> Vec<_> {
        let lines = section.lines.iter();
        lines
            .map(|line| (line.at, line.form, line.words()))
            .collect()
    };
    words(one) == words(other)
}

/// Compares a version with the newest one, by way of all in between.
pub(super) async fn compare(
    bot: &Bot,
    report: &Report,
    version: &Version,
) -> Result<Differences, Trouble> {
    let mut differences = Differences::of(version);
    for one in version.number + 1..=report.version {
        if let Some(next) = bot.reports().version(report.number, one).await? {
            differences.step(&next);
        }
    }
    Ok(differences)
}
