//! Who is on call in the sandbox: enough of `[members]` and `[incidents]` that an alert pages somebody.
//!
//! The person as whom the page opens is on call, so that whoever tries it is the one who is paged.

use crate::sandbox::Access;

use super::toml_text;

/// The sections for the people of the scene; in an empty world nothing of them.
pub(super) fn sections(access: &Access) -> String {
    let group = access.first_group.as_deref();
    let (Some(group), [first, second, ..]) = (group, access.people.as_slice()) else {
        return "[incidents]\n\n".to_owned();
    };
    let members = access.people.iter().map(|person| {
        let (name, email) = (toml_text(&person.name), toml_text(&person.email));
        format!("  {{ name = {name}, email = {email} }},\n")
    });
    let members: String = members.collect();
    let (group, first, second) = (
        toml_text(group),
        toml_text(&first.name),
        toml_text(&second.name),
    );
    format!(
        "# All of them may act on incidents; each is linked by the e-mail at their first press or word.\n\
         [members]\nlist = [\n{members}]\n\n\
         # Every incident has its card in the first group and pages whoever is on call.\n\
         [incidents]\nquiet = \"10s\"\ncatch_all = {group}\n\
         routes = [{{ name = \"everything\", chats = [{group}], policy = \"on-call\" }}]\n\n\
         [incidents.policies.on-call]\nlevels = [\n  \
           {{ tell = [{{ schedule = \"on-call\" }}] }},\n  \
           {{ after = \"5m\", tell = [{{ person = {second} }}] }},\n]\n\n\
         [incidents.schedules.on-call]\nzone = \"Asia/Shanghai\"\n\
         layers = [{{ people = [{first}], starts = \"2026-01-05T10:00\" }}]\n\n"
    )
}
