//! Asks a room how things are when nobody has said or done anything for a while.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    bot::{
        Bot,
        card::notice::{Notice, Template},
        incidents::Case,
        notice,
        times::lasted,
    },
    config::Language,
    feishu::{ChatId, Class, Recipient},
    incident::State,
};

use super::{Progress, Trouble, tend::Next};

/// How much longer it is waited when nobody answered the last time.
const UNANSWERED: u32 = 4;

/// Asks if it is time.
pub(super) async fn when_due(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    chat: &ChatId,
    next: &mut Next,
) -> Result<(), Trouble> {
    let after = bot.0.config.incidents.rooms.remind_after;
    let is_active = matches!(case.incident.state, State::Triggered | State::Acknowledged);
    if after.is_zero() || !is_active {
        return Ok(());
    }
    let last = case.incident.entries.saturating_sub(1);
    let entries = bot.incidents().timeline(case.number(), last, 1).await?;
    let changed = entries.first().map(|entry| entry.noted_at);
    let happened = [changed, progress.opened_at, bot.rooms().last_heard(chat)];
    let happened = happened
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(case.incident.opened_at);
    let due = due(happened, progress.reminded_at, after);
    let now = Timestamp::now();
    if due > now {
        next.at(due);
        return Ok(());
    }
    let silence = now.duration_since(happened).unsigned_abs();
    let lasted = lasted(progress.language, silence);
    let text = match progress.language {
        Language::En => format!(
            "Nothing was said or done here for {lasted}. What is known, what is being tried, and when is the next update?"
        ),
        Language::Zh => {
            format!(
                "这里已经 {lasted}没有新消息。目前了解到什么？正在尝试什么？下次更新是什么时候？"
            )
        }
    };
    let said = Notice {
        title: None,
        text: &text,
        template: Template::Orange,
    };
    let purpose = progress.purpose(&format!("reminder/{}", progress.reminders));
    let to = Recipient::Chat(chat.clone());
    notice::tell(bot, Class::Sign, &to, &purpose, &said).await?;
    bot.rooms()
        .update(&progress.key(), |progress| {
            progress.reminders += 1;
            progress.reminded_at = Some(now);
        })
        .await?;
    next.after(after);
    Ok(())
}

/// When it is time: a while after something last happened, or a longer while after nobody answered.
fn due(happened: Timestamp, reminded: Option<Timestamp>, after: Duration) -> Timestamp {
    let (from, wait) = match reminded {
        Some(reminded) if reminded >= happened => (reminded, after * UNANSWERED),
        _ => (happened, after),
    };
    from.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_does_not_answer_is_asked_less_often() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).unwrap();
        let check = |happened: i64, reminded: Option<i64>, expected: i64| {
            let due = due(at(happened), reminded.map(at), Duration::from_secs(600));
            assert_eq!(due, at(expected));
        };
        check(5, None, 15);
        check(5, Some(15), 55);
        check(20, Some(15), 30);
    }
}
