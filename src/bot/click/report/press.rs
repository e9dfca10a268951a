//! What can be pressed on the cards of a report, and what it takes to press it.

use crate::{bot::handling::Right, feishu::ChatId};

use super::super::{Clicks, Deed};

/// What can be asked for by a press on a card of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum ReportPress {
    /// A draft, the first or another.
    Draft,
    /// No draft any more.
    Cancel,
    /// Other words for a section: asks by a form.
    Edit,
    /// A section stays as it is, or need not any more.
    Lock,
    /// A section is to be written anew: asks by a form what is to be heeded.
    Again,
    /// When something was: asks by a form.
    Milestone,
    /// It is finished.
    Publish,
    /// It is finished though something does not hold.
    PublishAnyway,
    /// It is not finished.
    Reopen,
    /// A section, chosen in a menu: asks by a form what to do with it.
    Section,
    /// An earlier version is to come back.
    Restore,
    /// The list of its action items.
    Actions,
    /// Who does an action item, and until when: asks by a form.
    PlanAction,
    /// An action item is not to be done: asks by a form why.
    DeclineAction,
    /// An action item is done.
    FinishAction,
    /// Another action item: asks by a form.
    AddAction,
}

impl ReportPress {
    pub(in crate::bot::click) const ALL: [Self; 16] = [
        Self::Draft,
        Self::Cancel,
        Self::Edit,
        Self::Lock,
        Self::Again,
        Self::Milestone,
        Self::Publish,
        Self::PublishAnyway,
        Self::Reopen,
        Self::Section,
        Self::Restore,
        Self::Actions,
        Self::PlanAction,
        Self::DeclineAction,
        Self::FinishAction,
        Self::AddAction,
    ];

    /// How values call it. Never changed once released.
    pub(in crate::bot::click) fn name(self) -> &'static str {
        match self {
            Self::Draft => "report_draft",
            Self::Cancel => "report_cancel",
            Self::Edit => "report_edit",
            Self::Lock => "report_lock",
            Self::Again => "report_again",
            Self::Milestone => "report_milestone",
            Self::Publish => "report_publish",
            Self::PublishAnyway => "report_publish_anyway",
            Self::Reopen => "report_reopen",
            Self::Section => "report_section",
            Self::Restore => "report_restore",
            Self::Actions => "report_actions",
            Self::PlanAction => "action_plan",
            Self::DeclineAction => "action_decline",
            Self::FinishAction => "action_finish",
            Self::AddAction => "action_add",
        }
    }

    /// What right it takes.
    pub(in crate::bot::click) fn takes(self) -> Right {
        match self {
            // Whoever sees the button is in the chat where the list stands.
            Self::Actions => Right::Look,
            _ => Right::Act,
        }
    }
}

impl Clicks {
    /// What a button of a report carries. Nothing before [`Clicks::open`].
    pub(in crate::bot) fn report_value(
        &self,
        press: ReportPress,
        about: &str,
        chat: &ChatId,
    ) -> serde_json::Value {
        self.value(Deed::Report(press), about, chat)
    }
}
