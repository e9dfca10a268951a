//! What linking everybody would do, shown before it is done.

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{
    COMMAND_WITHIN, Finding, How, Members, Trouble,
    judge::{Seen, judge},
    lookout::Depth,
};
use crate::{config::Member, feishu::OpenId};

/// How long what a dry run showed may be applied without asking anew.
const SHOWN_FOR: Duration = Duration::from_secs(15 * 60);

/// What became, or would become, of everybody, in the order of the list.
#[derive(Debug)]
pub(in crate::bot) struct Plan {
    /// Each member, and the finding.
    pub(in crate::bot) lines: Vec<(Arc<Member>, Finding)>,
    pub(super) seen: Arc<Seen>,
}

impl Plan {
    /// What somebody is called on the platform, as far as that was said.
    pub(in crate::bot) fn name_of(&self, person: &OpenId) -> Option<&str> {
        self.seen.name_of(person)
    }

    /// Whether the app's contacts range is known not to hold somebody.
    pub(in crate::bot) fn is_hidden(&self, person: &OpenId) -> bool {
        self.seen.is_hidden(person)
    }

    /// The links it would make.
    pub(in crate::bot) fn links(&self) -> Vec<(Arc<Member>, OpenId, How)> {
        let found = self
            .lines
            .iter()
            .filter_map(|(member, finding)| match finding {
                Finding::Found(person, how) => Some((member.clone(), person.clone(), *how)),
                _ => None,
            });
        found.collect()
    }

    /// Stands for exactly these links: what was shown is what may be applied.
    pub(in crate::bot) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (member, person, _) in self.links() {
            for part in [member.name.as_str(), person.as_str()] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        let hash = hash.finalize();
        hash.iter()
            .take(12)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl Members {
    /// What `/link all` would do, as the platform says now, or as it was shown lately.
    pub(in crate::bot) async fn plan(&self, is_shown: bool) -> Result<Plan, Trouble> {
        let age_max = if is_shown { SHOWN_FOR } else { Duration::ZERO };
        let looked = timeout(COMMAND_WITHIN, self.0.lookout.see(Depth::All, age_max));
        let seen = looked.await.unwrap_or(Err(Trouble::NoAnswer))?;
        Ok(self.plan_of(seen))
    }

    /// What is left of a plan, with the links there are by now.
    pub(in crate::bot) fn replan(&self, plan: &Plan) -> Plan {
        self.plan_of(plan.seen.clone())
    }

    fn plan_of(&self, seen: Arc<Seen>) -> Plan {
        let links = self.links();
        let judged = self.0.all.iter();
        let lines = judged
            .map(|member| (member.clone(), judge(member, &links, &seen)))
            .collect();
        Plan { lines, seen }
    }
}
