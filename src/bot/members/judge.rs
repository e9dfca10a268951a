//! What becomes of each member: from what the platform said of their e-mail and mobile number, and from
//! the links there are, to a link or the reason why there is none. Nothing here asks anybody.

use std::collections::HashMap;

use crate::{config::Member, feishu::OpenId};

use super::links::{How, Link, Links};

/// What the platform says of one e-mail or mobile number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nobody who is there logs in with it, or nobody whom the app may see.
    Nobody,
    /// Whoever did has left the organisation.
    Gone,
    /// This person does.
    Person(OpenId),
}

/// What it says of both; none for what the member does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) by_email: Option<Sight>,
    pub(super) by_mobile: Option<Sight>,
}

/// What it says of all members that it was asked about.
#[derive(Debug, Default)]
pub(super) struct Seen {
    sightings: HashMap<String, Sighting>,
    by_person: HashMap<OpenId, Vec<String>>,
    /// The names people have on the platform, of those it shows; none where it was not asked, or did not say.
    pub(super) profiles: Option<HashMap<OpenId, Option<String>>>,
}

impl Seen {
    /// Of sightings by the members' names.
    pub(super) fn of(sightings: HashMap<String, Sighting>) -> Self {
        let mut by_person: HashMap<OpenId, Vec<String>> = HashMap::new();
        for (name, sighting) in &sightings {
            for sight in [&sighting.by_email, &sighting.by_mobile] {
                if let Some(Sight::Person(person)) = sight {
                    let names = by_person.entry(person.clone()).or_default();
                    if !names.contains(name) {
                        names.push(name.clone());
                    }
                }
            }
        }
        // What is said must not depend on a map's order.
        by_person.values_mut().for_each(|names| names.sort());
        Self {
            sightings,
            by_person,
            profiles: None,
        }
    }

    /// Every person that was seen.
    pub(super) fn people(&self) -> impl Iterator<Item = &OpenId> {
        self.by_person.keys()
    }

    /// The members that somebody logs in as, by either address.
    pub(super) fn members_of(&self, person: &OpenId) -> &[String] {
        self.by_person.get(person).map_or(&[], Vec::as_slice)
    }

    /// What somebody is called on the platform.
    pub(super) fn name_of(&self, person: &OpenId) -> Option<&str> {
        self.profiles.as_ref()?.get(person)?.as_deref()
    }

    /// Whether it is known that the app's contacts range does not hold somebody.
    pub(super) fn is_hidden(&self, person: &OpenId) -> bool {
        self.profiles
            .as_ref()
            .is_some_and(|profiles| !profiles.contains_key(person))
    }
}

/// Why a member is not linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) enum Why {
    /// The list has nobody of that name.
    NotAMember,
    /// They have neither an e-mail nor a mobile number in the list.
    NoAddress,
    /// Nobody asked the platform yet.
    NotTried,
    /// Nobody whom the app may see logs in with their e-mail or mobile number.
    NotFound,
    /// Whoever logged in with it has left the organisation.
    Left,
    /// Their e-mail belongs to one person and their mobile number to another.
    Several,
    /// The person who was found is, or would be, another member, too.
    Taken {
        /// Who.
        by: String,
    },
    /// Somebody undid the link.
    Undone,
}

/// What there is to doubt about a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum Doubt {
    /// The member's e-mail or mobile number belongs to somebody else by now, or to two people.
    Moved,
    /// Whoever logged in with it has left the organisation.
    Left,
}

/// What becomes of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) enum Finding {
    /// They are linked, and stay so.
    Linked(Link, Option<Doubt>),
    /// They can be linked to this person.
    Found(OpenId, How),
    /// They are not linked, and cannot be.
    Not(Why),
}

/// Judges one member.
pub(super) fn judge(member: &Member, links: &Links, seen: &Seen) -> Finding {
    let sighted = seen.sightings.get(&member.name).map(person);
    match links.get(&member.name) {
        Some(link) if link.open_id.is_some() => {
            let doubt = match sighted {
                Some(Ok((person, _))) if Some(&person) != link.open_id.as_ref() => {
                    Some(Doubt::Moved)
                }
                Some(Err(Why::Several)) => Some(Doubt::Moved),
                Some(Err(Why::Left)) => Some(Doubt::Left),
                _ => None,
            };
            return Finding::Linked(link.clone(), doubt);
        }
        Some(_) => return Finding::Not(Why::Undone),
        None => {}
    }
    if member.email.is_empty() && member.mobile.is_empty() {
        return Finding::Not(Why::NoAddress);
    }
    match sighted {
        None => Finding::Not(Why::NotTried),
        Some(Err(why)) => Finding::Not(why),
        Some(Ok((person, how))) => match other_of(member, &person, links, seen) {
            Some(by) => Finding::Not(Why::Taken { by }),
            None => Finding::Found(person, how),
        },
    }
}

/// Which other member the person is, or would be as well.
fn other_of(member: &Member, person: &OpenId, links: &Links, seen: &Seen) -> Option<String> {
    let linked = links.member(person).map(str::to_owned);
    let mut seen = seen.members_of(person).iter();
    linked.or_else(|| seen.find(|name| **name != member.name).cloned())
}

/// The one person that a sighting leads to.
fn person(sighting: &Sighting) -> Result<(OpenId, How), Why> {
    use Sight::{Gone, Person};
    match (&sighting.by_email, &sighting.by_mobile) {
        (Some(Person(one)), Some(Person(other))) if one != other => Err(Why::Several),
        (Some(Person(person)), _) => Ok((person.clone(), How::Email)),
        (_, Some(Person(person))) => Ok((person.clone(), How::Mobile)),
        (Some(Gone), _) | (_, Some(Gone)) => Err(Why::Left),
        _ => Err(Why::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn member(name: &str) -> Member {
        Member {
            name: name.into(),
            email: "a@x.com".into(),
            mobile: "13800138000".into(),
            ..Member::default()
        }
    }

    fn to(person: &str) -> Option<Sight> {
        Some(Sight::Person(OpenId::new(person)))
    }

    fn seen(all: &[(&str, Option<Sight>, Option<Sight>)]) -> Seen {
        let sightings = all.iter().cloned().map(|(name, by_email, by_mobile)| {
            let sighting = Sighting {
                by_email,
                by_mobile,
            };
            (name.to_owned(), sighting)
        });
        Seen::of(sightings.collect())
    }

    fn link(open_id: Option<&str>) -> Link {
        Link {
            open_id: open_id.map(OpenId::new),
            how: How::Email,
            by: OpenId::new("ou_admin"),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_member_is_found_or_it_is_said_why_not() {
        #[track_caller]
        fn check(by_email: Option<Sight>, by_mobile: Option<Sight>, expected: Finding) {
            let seen = seen(&[("Li", by_email, by_mobile)]);
            assert_eq!(judge(&member("Li"), &Links::default(), &seen), expected);
        }
        let found = |how| Finding::Found(OpenId::new("ou_a"), how);
        let (nobody, gone) = (|| Some(Sight::Nobody), || Some(Sight::Gone));
        check(to("ou_a"), to("ou_a"), found(How::Email));
        check(to("ou_a"), nobody(), found(How::Email));
        check(to("ou_a"), gone(), found(How::Email));
        check(nobody(), to("ou_a"), found(How::Mobile));
        check(None, to("ou_a"), found(How::Mobile));
        check(to("ou_a"), to("ou_b"), Finding::Not(Why::Several));
        check(gone(), nobody(), Finding::Not(Why::Left));
        check(nobody(), None, Finding::Not(Why::NotFound));
    }

    #[test]
    fn one_person_is_never_two_members() {
        let both = seen(&[("Li", to("ou_a"), None), ("Han", None, to("ou_a"))]);
        let taken = |by: &str| Finding::Not(Why::Taken { by: by.into() });
        let mut links = Links::default();
        assert_eq!(judge(&member("Li"), &links, &both), taken("Han"));
        assert_eq!(judge(&member("Han"), &links, &both), taken("Li"));
        links.put("Jim", link(Some("ou_a")));
        assert_eq!(judge(&member("Li"), &links, &both), taken("Jim"));
    }

    #[test]
    fn what_was_linked_stays_and_what_was_undone_does_not_come_back() {
        #[track_caller]
        fn check(kept: Option<&str>, by_email: Option<Sight>, expected: Finding) {
            let mut links = Links::default();
            links.put("Li", link(kept));
            let seen = seen(&[("Li", by_email, None)]);
            assert_eq!(judge(&member("Li"), &links, &seen), expected);
        }
        let linked = |doubt| Finding::Linked(link(Some("ou_a")), doubt);
        check(Some("ou_a"), to("ou_a"), linked(None));
        check(Some("ou_a"), Some(Sight::Nobody), linked(None));
        check(Some("ou_a"), to("ou_b"), linked(Some(Doubt::Moved)));
        check(Some("ou_a"), Some(Sight::Gone), linked(Some(Doubt::Left)));
        check(None, to("ou_a"), Finding::Not(Why::Undone));
    }

    #[test]
    fn who_was_not_looked_up_is_not_said_to_be_missing() {
        let (links, nothing) = (Links::default(), Seen::default());
        let not = |member: &Member| judge(member, &links, &nothing);
        assert_eq!(not(&member("Li")), Finding::Not(Why::NotTried));
        let nameless = Member {
            name: "Li".into(),
            ..Member::default()
        };
        assert_eq!(not(&nameless), Finding::Not(Why::NoAddress));
    }
}
