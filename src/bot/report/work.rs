//! One draft: the room is frozen, read, written and checked, and meanwhile a card says how far it is.
//!
//! What was done is kept step by step, so that after a crash the same draft goes on: with the same card, the
//! same frozen room, and without asking again for what was read.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    agent::Model,
    bot::{
        Bot,
        card::report::{ProgressCard, Stage},
        incidents::Case,
        notice,
        reply::Patience,
        war_room::{self, Trouble},
    },
    feishu::{Class, MessageId, Outgoing, Recipient},
    postmortem::{
        Draft, DraftError, Only, Order, Progress, Records, Section, Transcript,
        asking::{PATIENCE, Spent},
        draft,
        write::Author,
    },
};

use super::{
    freeze::{self, Bundles},
    locked, pictures,
    records::{Change, Checked, Closing, Frozen, Job, Over, Report, Version, version_key},
    show, template,
    texts::{self, Chunks},
};

/// How long a card shows a stage at least.
const REDRAW_EVERY: Duration = Duration::from_secs(1);

/// Makes the draft of a job, or ends the job.
pub(super) async fn run(bot: &Bot, report: &Report, job: &Job) -> Result<(), Trouble> {
    if let Some(by) = &job.cancelled_by {
        return end(bot, report, job, Over::Cancelled(by.clone())).await;
    }
    let cancel = bot.0.closing.child_token();
    locked(&bot.reports().running).insert(report.number, cancel.clone());
    let made = make(bot, report, job, &cancel).await;
    locked(&bot.reports().running).remove(&report.number);
    match made {
        Ok(()) => Ok(()),
        // Whoever cancelled it stands in the job by now; where we are ending, it goes on at the next start.
        Err(_) if cancel.is_cancelled() => Ok(()),
        Err(Trouble::Platform(error)) if !error.is_transient() => {
            warn!(%error, "a report cannot be drafted");
            end(bot, report, job, Over::Failed).await
        }
        Err(error) => Err(error),
    }
}

/// The job is over without a draft.
async fn end(bot: &Bot, report: &Report, job: &Job, why: Over) -> Result<(), Trouble> {
    bot.reports()
        .update(report.number, |report| {
            let Some(job) = report.job.take_if(|one| one.number == job.number) else {
                return;
            };
            let why = why.clone();
            report
                .closing
                .extend(job.card.map(|card| Closing { card, why }));
        })
        .await?;
    Ok(())
}

async fn make(
    bot: &Bot,
    report: &Report,
    job: &Job,
    cancel: &CancellationToken,
) -> Result<(), Trouble> {
    let Some(case) = bot.incidents().get(&report.incident).await? else {
        return end(bot, report, job, Over::Failed).await;
    };
    let card = card(bot, report, job).await?;
    let (frozen, spent) = match &job.frozen {
        Some(frozen) => (frozen.clone(), job.spent),
        None => tokio::select! {
            frozen = gathered(bot, &case, report, job, card.as_ref(), cancel) => frozen?,
            () = cancel.cancelled() => return Ok(()),
        },
    };
    let Some((transcript, mut records)) = show::frozen(bot, report.number, &frozen).await? else {
        // A part of it is lost, so it is frozen anew.
        bot.reports()
            .update(report.number, |report| {
                report.job.iter_mut().for_each(|job| job.frozen = None);
            })
            .await?;
        return Ok(());
    };
    records.confirmed.clone_from(&report.confirmed);
    records.actions.clone_from(&report.actions.set);
    let last = bot.reports().version(report.number, report.version).await?;
    let human = match &last {
        Some(last) => human(bot, report, job, last, &transcript).await?,
        None => Vec::new(),
    };
    let chosen = template::choose(bot, report, job, last.as_ref()).await;
    let template = template::with_peoples(chosen.template, &human);
    let model = model(bot);
    let config = &bot.0.config.postmortem;
    let only = job.only.as_ref().zip(last.as_ref());
    let order = Order {
        transcript: &transcript,
        records: &records,
        template: &template,
        language: report.language,
        model: model.as_ref(),
        parallel: config.parallel,
        tokens_max: (config.tokens_max > 0).then_some(config.tokens_max),
        hosts: &config.hosts,
        human: &human,
        only: only.map(|(only, last)| Only {
            heading: &only.heading,
            remark: Some(only.remark.as_str()).filter(|remark| !remark.is_empty()),
            last: &last.document,
        }),
        patience: PATIENCE,
        cancel: cancel.clone(),
    };
    let began = Timestamp::now();
    let mut draft = match drawn(bot, report, card.as_ref(), &order).await {
        Ok(draft) => draft,
        Err(DraftError::Cancelled) => return Ok(()),
        // The draft itself does without a model wherever one fails, so this is not met.
        Err(DraftError::Model(error)) => {
            warn!(%error, "a report cannot be drafted");
            return end(bot, report, job, Over::Failed).await;
        }
    };
    if let Some(instead) = &chosen.instead {
        template::tell(&mut draft.document, instead, report.language);
    }
    let seconds = began
        .duration_until(Timestamp::now())
        .as_secs()
        .unsigned_abs();
    info!(
        messages = transcript.messages.len(),
        seconds,
        calls = draft.cost.calls(),
        "a report was drafted"
    );
    draft.cost.looking = spent;
    let made = Made {
        draft,
        seconds,
        model: model.map(|model| model.name().to_owned()),
        frozen,
        card,
    };
    finish(bot, report, job, made).await
}

/// The message that shows how far a draft is. It is sent once, whatever happens meanwhile.
async fn card(bot: &Bot, report: &Report, job: &Job) -> Result<Option<MessageId>, Trouble> {
    if let Some(card) = &job.card {
        return Ok(Some(card.clone()));
    }
    let drawing = progress_card(bot, report, Stage::Freezing);
    let to = Recipient::Chat(report.chat.clone());
    let purpose = format!("report/{}/{}", report.incident, job.number);
    let uuid = notice::purpose_id(&purpose);
    let feishu = bot.0.feishu.at(Class::Sign);
    let mut patience = Patience::new();
    let message = loop {
        match feishu
            .send(&to, &Outgoing::CardJson(drawing.clone()), &uuid)
            .await
        {
            Err(error) if patience.allows(&error).await => {}
            sent => break sent?,
        }
    };
    let id = message.id;
    bot.reports()
        .update(report.number, |report| {
            report
                .job
                .iter_mut()
                .for_each(|job| job.card = Some(id.clone()));
        })
        .await?;
    Ok(Some(id))
}

fn progress_card(bot: &Bot, report: &Report, stage: Stage) -> serde_json::Value {
    let cancel = bot.0.clicks.report_value(
        crate::bot::click::ReportPress::Cancel,
        &report.incident.0,
        &report.chat,
    );
    ProgressCard {
        number: report.number,
        language: report.language,
        stage,
        cancel: &cancel,
    }
    .render()
}

/// Freezes the room, and has the card of the draft show how far that is.
async fn gathered(
    bot: &Bot,
    case: &Case,
    report: &Report,
    job: &Job,
    card: Option<&MessageId>,
    cancel: &CancellationToken,
) -> Result<(Frozen, Spent), Trouble> {
    let (tell, told) = watch::channel(Stage::Freezing);
    let freezing = async {
        let frozen = freeze(bot, case, report, job, cancel, &tell).await;
        drop(tell);
        frozen
    };
    let (frozen, ()) = tokio::join!(freezing, draw(bot, report, card, told));
    frozen
}

/// Freezes the room once its images were looked at, and keeps that.
async fn freeze(
    bot: &Bot,
    case: &Case,
    report: &Report,
    job: &Job,
    cancel: &CancellationToken,
    tell: &watch::Sender<Stage>,
) -> Result<(Frozen, Spent), Trouble> {
    let heard = |messages| {
        tell.send_replace(Stage::Heard { messages });
    };
    let rooms = war_room::whole(bot, case, &heard).await?;
    let (model, whose) = (model(bot), (report.number, report.language));
    let spent = pictures::look(bot, whose, &rooms, model.as_ref(), cancel, tell).await?;
    let language = report.language;
    let transcript = freeze::transcript(bot, case, &rooms, language, Bundles::Fetched).await?;
    let records = freeze::records(bot, case, Vec::new()).await?;
    let (number, store) = (report.number, bot.store());
    let frozen = Frozen {
        hash: transcript.hash.clone(),
        transcript: format!("transcript-{}", job.number),
        records: format!("records-{}", job.number),
    };
    texts::keep(store, number, &frozen.transcript, &transcript.to_ndjson()).await?;
    let records = serde_json::to_string(&records).unwrap_or_default();
    texts::keep(store, number, &frozen.records, &records).await?;
    bot.reports()
        .update(number, |report| {
            report.job.iter_mut().for_each(|job| {
                job.frozen = Some(frozen.clone());
                job.spent = spent;
            });
        })
        .await?;
    Ok((frozen, spent))
}

/// The sections that stay as they are, with citations of this transcript.
async fn human(
    bot: &Bot,
    report: &Report,
    job: &Job,
    last: &Version,
    transcript: &Transcript,
) -> Result<Vec<Section>, Trouble> {
    let is_human = |section: &&Section| {
        super::rework::is_of_people(section)
            && (section.author == Author::Person || report.locked.contains(&section.heading))
    };
    let kept: Vec<Section> = last
        .document
        .sections
        .iter()
        .filter(is_human)
        .cloned()
        .collect();
    if job.only.is_some() || kept.is_empty() {
        return Ok(kept);
    }
    Ok(
        match show::frozen(bot, report.number, &last.frozen).await? {
            Some((before, _)) => {
                let moved = kept
                    .iter()
                    .map(|section| section.cited_in(&before, transcript));
                moved.collect()
            }
            None => kept,
        },
    )
}

/// The model that is asked, if any is.
fn model(bot: &Bot) -> Option<Model> {
    match bot.0.config.postmortem.model.as_str() {
        "none" => None,
        "" => Some(bot.0.model.clone()),
        name => Some(bot.0.model.with_name(name)),
    }
}

/// Makes the draft, and has its card show how far it is.
async fn drawn(
    bot: &Bot,
    report: &Report,
    card: Option<&MessageId>,
    order: &Order<'_>,
) -> Result<Draft, DraftError> {
    let (tell, told) = watch::channel(Stage::Freezing);
    let kept = Chunks::of(bot.store(), report.number);
    let drafting = async {
        let progress = |progress: Progress| {
            tell.send_replace(Stage::Drafting(progress));
        };
        let made = draft(order, &kept, &progress).await;
        drop(tell);
        made
    };
    let (made, ()) = tokio::join!(drafting, draw(bot, report, card, told));
    made
}

/// Keeps the card showing the newest stage, until there are no more.
async fn draw(
    bot: &Bot,
    report: &Report,
    card: Option<&MessageId>,
    mut told: watch::Receiver<Stage>,
) {
    let mut shown = Stage::Freezing;
    while told.changed().await.is_ok() {
        let stage = *told.borrow_and_update();
        if stage == shown {
            continue;
        }
        shown = stage;
        if let Some(card) = card {
            let drawing = progress_card(bot, report, stage);
            // A redraw that fails is not tried again: the next one shows more.
            if let Err(error) = bot.0.feishu.patch_card(card, &drawing).await {
                warn!(%error, "the card of a draft shows an older stage");
            }
        }
        // The end is not waited for: the draft is there then.
        let over = async { while told.changed().await.is_ok() {} };
        if timeout(REDRAW_EVERY, over).await.is_ok() {
            return;
        }
        // What was told meanwhile was seen, and not shown.
        told.mark_changed();
    }
}

/// A draft that is there.
struct Made {
    draft: Draft,
    seconds: u64,
    model: Option<String>,
    frozen: Frozen,
    card: Option<MessageId>,
}

/// Keeps a draft as the newest version. Its card and its file follow.
async fn finish(bot: &Bot, report: &Report, job: &Job, made: Made) -> Result<(), Trouble> {
    let (number, store) = (report.number, bot.store());
    let events = format!("events-{}", job.number);
    let merged = serde_json::to_string(&made.draft.events.merged).unwrap_or_default();
    texts::keep(store, number, &events, &merged).await?;
    let version = Version {
        number: report.version + 1,
        at: Timestamp::now(),
        by: job.by.clone(),
        document: made.draft.document,
        checks: Checked::of(&made.draft.checks),
        cost: made.draft.cost,
        seconds: made.seconds,
        model: made.model,
        frozen: made.frozen,
        events,
        change: Some(match &job.only {
            Some(only) => Change::Anew(only.heading.clone()),
            None => Change::Drafted,
        }),
        confirmed: Some(report.confirmed.clone()),
        template: template::wanted(report, job).cloned(),
    };
    let mut batch = store.batch();
    batch.put(&version_key(number, version.number), &version);
    store.commit(batch).await?;
    bot.reports()
        .update(number, |report| {
            let is_mine = report.job.take_if(|one| one.number == job.number).is_some();
            if !is_mine {
                return;
            }
            report.version = version.number;
            report.template.clone_from(&version.template);
            report.changed.clear();
            let old = std::mem::replace(&mut report.card, made.card.clone());
            let why = Over::Replaced;
            report.closing.extend(old.map(|card| Closing { card, why }));
            report.revision += 1;
            report.files_wanted += 1;
        })
        .await?;
    Ok(())
}

/// What is on record, as it was frozen.
pub(super) fn read_records(text: &str) -> Option<Records> {
    Records::from_json(text)
        .inspect_err(|error| warn!(error, "frozen records cannot be read"))
        .ok()
}
