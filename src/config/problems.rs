//! What is wrong with a configuration, gathered so that all of it is told at once.

/// Sentences, each with the key and what to do; never a value.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// Notes `problem` where something does not hold.
    pub(super) fn demand(&mut self, holds: bool, problem: &str) {
        if !holds {
            self.add(problem.to_owned());
        }
    }

    /// Notes a problem.
    pub(super) fn add(&mut self, problem: String) {
        self.0.push(problem);
    }

    /// Notes where `value` is no address.
    pub(super) fn demand_url(&mut self, value: &str, problem: &str) {
        let is_url = value.starts_with("http://") || value.starts_with("https://");
        self.demand(is_url, problem);
    }

    /// All of them.
    pub(super) fn into_sentences(self) -> Vec<String> {
        self.0
    }
}
