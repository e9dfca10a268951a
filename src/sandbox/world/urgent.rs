//! In-app urgent messages: the bot buzzes people for something it said, and they confirm that they saw it.

use super::{super::refusal::Refusal, World};

/// How many unconfirmed ones a person may have.
const UNCONFIRMED_MAX: usize = 200;

/// One person who was buzzed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) struct Urgent {
    pub(in crate::sandbox) open_id: String,
    pub(in crate::sandbox) confirmed: bool,
}

impl World {
    /// Buzzes those of `people` who can read the message; being buzzed again asks for confirmation again.
    pub(in crate::sandbox) fn buzz(
        &mut self,
        message_id: &str,
        people: &[String],
    ) -> Result<(), Refusal> {
        for open_id in people {
            if self.unconfirmed(open_id) >= UNCONFIRMED_MAX {
                return Err(Refusal::new(
                    230_023,
                    "The number of unread urgent messages of the receiver reaches its limit.",
                ));
            }
        }
        let Some(message) = self.messages.get_mut(message_id) else {
            return Ok(());
        };
        for open_id in people {
            message.urgent.retain(|one| one.open_id != *open_id);
            message.urgent.push(Urgent {
                open_id: open_id.clone(),
                confirmed: false,
            });
        }
        let chat_id = message.chat_id.clone();
        self.tell("message", Some(&chat_id), Some(message_id));
        Ok(())
    }

    /// A person says that they saw it; false where they were not buzzed.
    pub(in crate::sandbox) fn confirm_urgent(&mut self, message_id: &str, open_id: &str) -> bool {
        let Some(message) = self.messages.get_mut(message_id) else {
            return false;
        };
        let Some(urgent) = message.urgent.iter_mut().find(|one| one.open_id == open_id) else {
            return false;
        };
        urgent.confirmed = true;
        let chat_id = message.chat_id.clone();
        self.tell("message", Some(&chat_id), Some(message_id));
        true
    }

    fn unconfirmed(&self, open_id: &str) -> usize {
        let is_theirs = |one: &&Urgent| one.open_id == open_id && !one.confirmed;
        let urgent = self.messages.iter().flat_map(|message| &message.urgent);
        urgent.filter(is_theirs).count()
    }
}
