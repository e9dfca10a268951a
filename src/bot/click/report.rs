//! Presses on the cards of a report, and on the forms that some of them are answered with.
//!
//! A value's `about` is the incident, then for a section its place, and in a form the fingerprint of what was
//! seen and how many lines that were. The card follows by itself once the press was answered: the platform would
//! undo an earlier change.

mod actions;
mod press;
mod questions;

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tracing::error;

use crate::{
    bot::{
        Bot,
        card::{
            choice::{Choice, Weight},
            incident::said,
            report::{
                Over, Small,
                form::{self, Asks, Form},
            },
        },
        handling::{Told, Tone},
        incidents::Case,
        markdown::escape,
        notice,
        report::{self, Publishing, Restoring, SectionForForm, Wish, Words},
        war_room::Trouble,
    },
    config::Language,
    feishu::{Click, Outgoing},
    incident::{Channel, IncidentId},
};

use super::{DRAWING_WITHIN, Kind, Order, Outcome, name_of, not_kept};
use crate::bot::phrase::Phrase;

pub(in crate::bot) use press::ReportPress;
pub(in crate::bot) use questions::{question, restore_question};

/// How long after its answer a press still counts as not answered. Nobody draws the card until then.
const SETTLED_AFTER: Duration = Duration::from_millis(500);

/// What a value has instead of a fingerprint where its button stands under a form.
const FROM_FORM: &str = "form";

/// A press, and what it is about.
struct Scene<'a> {
    bot: &'a Bot,
    click: &'a Click,
    order: &'a Order,
    case: &'a Case,
    /// What stands in the value behind the incident.
    parts: Vec<&'a str>,
}

/// Does what a press asks, once it is known that they may.
pub(super) async fn run(bot: &Bot, click: &Click, order: &Order, press: ReportPress) -> Outcome {
    let mut parts = order.about.split('/');
    let id = IncidentId(parts.next().unwrap_or_default().to_owned());
    let case = match bot.incidents().get(&id).await {
        Ok(Some(case)) => case,
        Ok(None) => return Outcome::from(&Told::unknown()),
        Err(error) => return not_kept(&error),
    };
    let scene = Scene {
        bot,
        click,
        order,
        case: &case,
        parts: parts.collect(),
    };
    let number = case.number();
    // Whoever draws the cards waits until this press was answered. What is done is done without.
    let drawing = timeout(DRAWING_WITHIN, report::drawing(bot, number)).await;
    let outcome = scene.carry_out(press).await.unwrap_or_else(|error| {
        error!(%error, "a press on a report came to nothing");
        Outcome::told(Kind::Error, &Phrase::PressNotKept)
    });
    outcome.then(move |bot| {
        let desk = bot.clone();
        bot.sessions().beside(async move {
            // The answer and a change of the card go different ways, and the one that was sent later may arrive
            // earlier: then the platform undoes it.
            sleep(SETTLED_AFTER).await;
            if drawing.is_err()
                && let Err(error) = desk.reports().show_again(number).await
            {
                error!(%error, "the card of a report may show what it was before a press");
            }
            drop(drawing);
            desk.reports().look_at(number);
        });
    })
}

impl Scene<'_> {
    async fn carry_out(&self, press: ReportPress) -> Result<Outcome, Trouble> {
        let (bot, case, by) = (self.bot, self.case, &self.click.operator);
        let is_sent = form::is_sent(&self.click.form, self.click.name.as_deref());
        let told = match press {
            ReportPress::Draft => report::begin(bot, case, self.wish(None).await).await?,
            ReportPress::Cancel => return self.cancel().await,
            ReportPress::Lock => return self.lock().await,
            ReportPress::Reopen => report::reopen(bot, case, by, Channel::WarRoom).await?,
            ReportPress::Edit | ReportPress::Again | ReportPress::Milestone if is_sent => {
                return self.take(press).await;
            }
            ReportPress::Edit | ReportPress::Again | ReportPress::Milestone => {
                return self.ask(press).await;
            }
            ReportPress::Section => return self.ask_about_section().await,
            ReportPress::Restore => return self.restore().await,
            ReportPress::Publish => return self.publish(None).await,
            ReportPress::PublishAnyway => {
                let version = self.parts.first().and_then(|version| version.parse().ok());
                return self.publish(version).await;
            }
            ReportPress::Actions
            | ReportPress::PlanAction
            | ReportPress::DeclineAction
            | ReportPress::FinishAction
            | ReportPress::AddAction => return actions::run(self, press).await,
        };
        Ok(Outcome::from(&told))
    }

    /// The place of the section.
    fn place(&self) -> usize {
        let place = self.parts.first().and_then(|place| place.parse().ok());
        place.unwrap_or(usize::MAX)
    }

    async fn wish(&self, only: Option<(usize, String)>) -> Wish {
        let room = self.bot.rooms().of(&self.order.chat).await.ok().flatten();
        let language = room.map(|room| room.language);
        Wish {
            by: self.click.operator.clone(),
            chat: self.order.chat.clone(),
            language: language.unwrap_or(self.bot.0.conversation.language),
            only,
            template: None,
        }
    }

    /// Cancels a draft. The card comes with the answer, which would undo whatever was drawn before it.
    async fn cancel(&self) -> Result<Outcome, Trouble> {
        let (bot, number, by) = (self.bot, self.case.number(), &self.click.operator);
        let told = report::cancel(bot, number, by).await?;
        let outcome = Outcome::from(&told);
        let report = bot.reports().get(number).await?;
        let Some(report) = report.filter(|_| told.tone == Tone::Done) else {
            return Ok(outcome);
        };
        let name = escape(&name_of(bot, by, self.order).await);
        let card = Small {
            number,
            language: report.language,
            why: Over::Cancelled(&name),
        };
        Ok(outcome.showing(Some(card.render())))
    }

    /// Asks by a form under the card.
    async fn ask(&self, press: ReportPress) -> Result<Outcome, Trouble> {
        let (bot, number) = (self.bot, self.case.number());
        if press == ReportPress::Milestone {
            let Some((report, moments)) = report::facts_for_form(bot, number).await? else {
                return Ok(Outcome::told(Kind::Warning, &Phrase::Stale));
            };
            let asks = Asks::Time { moments: &moments };
            return self
                .show(press, asks, &self.order.about, report.language, &[])
                .await;
        }
        let place = self.place();
        let Some(found) = report::section_for_form(bot, number, place).await? else {
            return Ok(Outcome::told(Kind::Warning, &Phrase::Stale));
        };
        if press != ReportPress::Again {
            return self.ask_for_words(place, &found, &[]).await;
        }
        let about = format!("{}/{place}/{}", self.case.id(), found.seen);
        let asks = Asks::Remark {
            heading: &found.heading,
        };
        self.show(press, asks, &about, found.report.language, &[])
            .await
    }

    /// Asks for a section's words by a form, which has as much of them as has room.
    async fn ask_for_words(
        &self,
        place: usize,
        found: &SectionForForm,
        choices: &[Choice],
    ) -> Result<Outcome, Trouble> {
        let (fields, lines) = form::fields(&found.lines);
        let left = found.lines.len() - lines;
        if lines == 0 && left > 0 {
            return Ok(Outcome::from(&too_long()));
        }
        let about = format!("{}/{place}/{}/{lines}", self.case.id(), found.seen);
        let asks = Asks::Words {
            heading: &found.heading,
            fields,
            left,
        };
        let language = found.report.language;
        self.show(ReportPress::Edit, asks, &about, language, choices)
            .await
    }

    /// Answers the choice of a section: a form for its words, and under it what else can be done with it.
    async fn ask_about_section(&self) -> Result<Outcome, Trouble> {
        let option = self.click.option.as_deref();
        let Some(place) = option.and_then(|place| place.parse().ok()) else {
            return Ok(Outcome::from(&Told::nothing_chosen()));
        };
        let found = report::section_for_form(self.bot, self.case.number(), place).await?;
        let Some(found) = found else {
            return Ok(Outcome::told(Kind::Warning, &Phrase::Stale));
        };
        let about = format!("{}/{place}/{FROM_FORM}", self.case.id());
        let choice = |id, label: &str, press| Choice {
            id,
            label: label.to_owned(),
            weight: Weight::Plain,
            value: self
                .bot
                .0
                .clicks
                .report_value(press, &about, &self.order.chat),
        };
        let is_english = found.report.language == Language::En;
        let lock = match (is_english, found.is_locked) {
            (true, true) => "Unlock",
            (true, false) => "Lock",
            (false, true) => "解锁",
            (false, false) => "锁定",
        };
        let again = match is_english {
            true => "Write anew…",
            false => "重新生成…",
        };
        let mut choices = vec![choice("lock", lock, ReportPress::Lock)];
        if found.may_be_written {
            choices.push(choice("again", again, ReportPress::Again));
        }
        self.ask_for_words(place, &found, &choices).await
    }

    /// Locks a section, or unlocks it. Where that was pressed under a form, the form becomes what was said: its
    /// button would say what does not hold any more.
    async fn lock(&self) -> Result<Outcome, Trouble> {
        let told = report::lock(self.bot, self.case, self.place()).await?;
        match self.parts.get(1) == Some(&FROM_FORM) {
            true => self.settled(&told).await,
            false => Ok(Outcome::from(&told)),
        }
    }

    /// Has an earlier version back, if the newest is still the one that was seen.
    async fn restore(&self) -> Result<Outcome, Trouble> {
        let (bot, case, by) = (self.bot, self.case, &self.click.operator);
        let mut versions = self.parts.iter().map(|part| part.parse().ok());
        let (Some(wanted), Some(seen)) = (versions.next().flatten(), versions.next().flatten())
        else {
            return Ok(Outcome::from(&Told::nothing_chosen()));
        };
        let restoring = report::restore(bot, case, by, Channel::WarRoom, wanted, Some(seen));
        match restoring.await? {
            Restoring::Told(told) => self.settled(&told).await,
            Restoring::Asks { .. } => Ok(Outcome::from(&Told::nothing_chosen())),
        }
    }

    async fn show(
        &self,
        press: ReportPress,
        asks: Asks<'_>,
        about: &str,
        language: Language,
        choices: &[Choice],
    ) -> Result<Outcome, Trouble> {
        let value = self
            .bot
            .0
            .clicks
            .report_value(press, about, &self.order.chat);
        let form = Form {
            asks,
            number: self.case.number(),
            language,
            value: &value,
            choices,
        };
        // One form for each press; a press that is delivered twice is one press.
        let token = self.click.token.as_deref().unwrap_or_default();
        let purpose = format!("form/{}/{token}", press.name());
        self.reply(form.render(), &purpose).await?;
        Ok(Outcome::from(&Told::form_below()))
    }

    async fn reply(&self, card: serde_json::Value, purpose: &str) -> Result<(), Trouble> {
        let place = notice::Place {
            question: self.click.message_id.clone(),
            chat: self.order.chat.clone(),
            in_thread: self.bot.0.settings.of_chat(&self.order.chat).await.threads,
            again: None,
            person: None,
        };
        notice::reply_with(self.bot, &place, purpose, &Outgoing::CardJson(card)).await?;
        Ok(())
    }

    /// Does what a form says. The form becomes what was said, so that others see it in the chat.
    async fn take(&self, press: ReportPress) -> Result<Outcome, Trouble> {
        let (bot, case, by) = (self.bot, self.case, &self.click.operator);
        let words = form::words(&self.click.form);
        let told = match press {
            ReportPress::Milestone => match form::moment(&self.click.form) {
                Some((milestone, time)) => {
                    report::set_milestone(bot, case, by, milestone, time).await?
                }
                None => Told::nothing_chosen(),
            },
            ReportPress::Again => {
                let wish = self.wish(Some((self.place(), words.trim().to_owned())));
                report::begin(bot, case, wish.await).await?
            }
            _ => {
                let words = Words {
                    seen: self.parts.get(1).copied().unwrap_or_default(),
                    lines: self.parts.get(2).and_then(|lines| lines.parse().ok()),
                    text: &words,
                };
                report::edit(bot, case, by, self.place(), words).await?
            }
        };
        self.settled(&told).await
    }

    /// Has the card that was pressed say what was done, for all to see. What was refused can be sent once more.
    async fn settled(&self, told: &Told) -> Result<Outcome, Trouble> {
        let (bot, case, by) = (self.bot, self.case, &self.click.operator);
        let outcome = Outcome::from(told);
        if told.tone != Tone::Done {
            return Ok(outcome);
        }
        let report = bot.reports().get(case.number()).await?;
        let language = report.map_or(Language::En, |report| report.language);
        let name = name_of(bot, by, self.order).await;
        let line = format!("{name} · {}", told.text(language));
        Ok(outcome.showing(Some(said(case.number(), &line, None))))
    }

    /// Publishes, or asks for a second word where something does not hold.
    async fn publish(&self, anyway: Option<u32>) -> Result<Outcome, Trouble> {
        let (bot, case, by) = (self.bot, self.case, &self.click.operator);
        let published = report::publish(bot, case, by, Channel::WarRoom, anyway).await?;
        let (version, reasons) = match published {
            Publishing::Told(told) => return Ok(Outcome::from(&told)),
            Publishing::Asks(version, reasons) => (version, reasons),
        };
        let report = bot.reports().get(case.number()).await?;
        let language = report.map_or(Language::En, |report| report.language);
        let card = question(bot, case, &self.order.chat, version, &reasons, language);
        let token = self.click.token.as_deref().unwrap_or_default();
        self.reply(card, &format!("publish/{token}")).await?;
        Ok(Outcome::from(&Told::new(
            Tone::Nothing,
            "Some checks failed. Look at the question below.",
            "有核对未通过，请查看下方的确认。",
        )))
    }
}

fn too_long() -> Told {
    Told::new(
        Tone::Refused,
        "The first line of this section is too long for a form. Have it written anew, or edit the file after publishing.",
        "本节首行过长，无法在表单中编辑。可重新生成，或发布后修改文件。",
    )
}
