//! `/link all`, `/link list` and `/link oncall`: what concerns all members.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Request, answer, broken, either};
use crate::{
    bot::{
        Bot,
        card::{
            choice::{self, Choice, Weight},
            notice::{Notice, Template},
        },
        click::{self, link::about},
        members::{Plan, Which, list as lines_of, on_call as lines_of_on_call, page},
        notice,
    },
    config::{IncidentsConfig, Language},
    feishu::{ChatId, OpenId},
    incident::routing::Target,
    store,
};

/// What was applied.
pub(in crate::bot) struct Applied {
    /// How many links were made.
    pub(in crate::bot) made: usize,
    /// The card that says so.
    pub(in crate::bot) card: Value,
}

/// Shows what linking everybody would do.
pub(super) async fn plan(bot: &Bot, request: &Request, number: usize) -> &'static str {
    let language = request.language;
    // Further pages show what the first one did.
    let plan = match bot.members().plan(number > 1).await {
        Ok(plan) => plan,
        Err(trouble) => {
            answer(bot, request, trouble.text(language), &[]).await;
            return "failed";
        }
    };
    let text = plan_text(&plan, number, language);
    let choices = choices(bot, &plan, &request.place.chat, language);
    let told = Notice {
        title: Some(plan_title(language)),
        text: &text,
        template: Template::Blue,
    };
    notice::send_choice(bot, &request.place, "link", &told, &choices).await;
    "shown"
}

/// Links everybody who can be, as the platform knows them now.
pub(super) async fn apply_now(bot: &Bot, request: &Request) -> &'static str {
    let language = request.language;
    let plan = match bot.members().plan(false).await {
        Ok(plan) => plan,
        Err(trouble) => {
            answer(bot, request, trouble.text(language), &[]).await;
            return "failed";
        }
    };
    let made = match make(bot, &plan, &request.asker).await {
        Ok(made) => made,
        Err(error) => return broken(bot, request, &error).await,
    };
    let text = applied_text(bot, &plan, made, language);
    answer(bot, request, &text, &[]).await;
    "linked"
}

/// Makes the links of a plan, by its button.
pub(in crate::bot) async fn apply(
    bot: &Bot,
    plan: &Plan,
    by: &OpenId,
    language: Language,
) -> Result<Applied, store::Error> {
    let made = make(bot, plan, by).await?;
    let text = applied_text(bot, plan, made, language);
    let told = Notice {
        title: Some(super::title(language)),
        text: &text,
        template: Template::Green,
    };
    Ok(Applied {
        made,
        card: told.render(),
    })
}

/// The card that shows a plan, with the button that applies it.
pub(in crate::bot) fn plan_card(
    bot: &Bot,
    plan: &Plan,
    chat: &ChatId,
    language: Language,
) -> Value {
    let told = Notice {
        title: Some(plan_title(language)),
        text: &plan_text(plan, 1, language),
        template: Template::Blue,
    };
    let mut card = told.render();
    choice::put_under(&mut card, &choices(bot, plan, chat, language));
    card
}

/// Lists members, without asking the platform anything.
pub(super) async fn list(
    bot: &Bot,
    request: &Request,
    which: Which,
    words: &str,
    number: usize,
) -> &'static str {
    let (members, language) = (bot.members(), request.language);
    let found = members.all().iter();
    let found: Vec<_> = found
        .map(|member| (member.clone(), members.finding(member)))
        .collect();
    let lines = lines_of(&found, which, words, &bot.0.zone, language);
    let (shown, all, linked) = (lines.len(), found.len(), members.linked_count());
    let head = match language {
        Language::En => format!("**{linked}** of {all} members are linked; {shown} fit.\n\n"),
        Language::Zh => {
            format!("{all} 位成员中 **{linked}** 位已绑定；符合条件的有 {shown} 位。\n\n")
        }
    };
    let command = match (which, language) {
        (Which::All, Language::En) => "/link list all",
        (Which::Linked, Language::En) => "/link list linked",
        (Which::Unlinked, Language::En) => "/link list unlinked",
        (Which::All, Language::Zh) => "/绑定 列表 全部",
        (Which::Linked, Language::Zh) => "/绑定 列表 已绑定",
        (Which::Unlinked, Language::Zh) => "/绑定 列表 未绑定",
    };
    let words = words.replace('`', "");
    let command = format!("{command} {words}");
    let text = head + &page(&lines, number, command.trim_end(), language);
    answer(bot, request, &text, &[]).await;
    "shown"
}

/// Says who of the people that schedules and policies name is not linked.
pub(super) async fn on_call(bot: &Bot, request: &Request) -> &'static str {
    let names = names_on_call(&bot.0.config.incidents);
    let unlinked = bot.members().unlinked_among(names.iter().copied());
    let lines = lines_of_on_call(names.len(), &unlinked, request.language);
    let text = page(&lines, 1, "/link oncall", request.language);
    answer(bot, request, &text, &[]).await;
    "shown"
}

/// Everybody whom schedules and policies name as a member, once. Who is named by their open_id needs no link.
fn names_on_call(config: &IncidentsConfig) -> BTreeSet<&str> {
    let schedules = config.schedules.values();
    let scheduled = schedules.flat_map(|schedule| {
        let layers = schedule.layers.iter().flat_map(|layer| &layer.people);
        layers.chain(schedule.overrides.iter().map(|one| &one.person))
    });
    let levels = config.policies.values().flat_map(|policy| &policy.levels);
    let targets = levels.flat_map(|level| &level.tell);
    let named = targets.filter_map(|target| match target {
        Target::Person(person) => Some(person),
        Target::Schedule(_) | Target::Chat(_) => None,
    });
    let names = scheduled.chain(named).map(|person| person.0.as_str());
    names.filter(|name| !name.starts_with("ou_")).collect()
}

async fn make(bot: &Bot, plan: &Plan, by: &OpenId) -> Result<usize, store::Error> {
    let (made, _) = bot.members().link_all(&plan.links(), by).await?;
    Ok(made)
}

fn plan_title(language: Language) -> &'static str {
    either(
        language,
        "Linking everybody: a preview",
        "绑定所有成员：预览",
    )
}

fn plan_text(plan: &Plan, number: usize, language: Language) -> String {
    let (found, linked, not) = plan.counts();
    let head = match (language, found) {
        (Language::En, 0) => {
            format!("Nobody new can be linked. **{linked}** are linked, **{not}** cannot be.\n\n")
        }
        (Language::Zh, 0) => {
            format!("没有可以新绑定的成员。已绑定 **{linked}** 人，无法绑定 **{not}** 人。\n\n")
        }
        (Language::En, _) => format!(
            "**{found}** would be linked, **{linked}** are already, **{not}** cannot be. Nothing is changed before you press the button or send `/link all apply`.\n\n"
        ),
        (Language::Zh, _) => format!(
            "将绑定 **{found}** 人，已绑定 **{linked}** 人，无法绑定 **{not}** 人。点击按钮或发送 `/绑定 全部 执行` 之前不会做任何修改。\n\n"
        ),
    };
    let command = either(language, "/link all", "/绑定 全部");
    head + &page(&plan.lines(language), number, command, language)
}

fn applied_text(bot: &Bot, plan: &Plan, made: usize, language: Language) -> String {
    let plan = bot.members().replan(plan);
    let (_, linked, not) = plan.counts();
    let head = match language {
        Language::En => {
            format!("**{made}** linked now; that makes **{linked}**, and **{not}** cannot be.\n\n")
        }
        Language::Zh => {
            format!("本次绑定 **{made}** 人，共已绑定 **{linked}** 人，无法绑定 **{not}** 人。\n\n")
        }
    };
    let command = either(language, "/link all", "/绑定 全部");
    head + &page(&plan.lines(language), 1, command, language)
}

fn choices(bot: &Bot, plan: &Plan, chat: &ChatId, language: Language) -> Vec<Choice> {
    let count = plan.links().len();
    if count == 0 {
        return Vec::new();
    }
    let about = about(language, &plan.fingerprint());
    vec![Choice {
        id: "apply",
        label: match language {
            Language::En => format!("Link {count}"),
            Language::Zh => format!("绑定 {count} 人"),
        },
        weight: Weight::Primary,
        value: bot.0.clicks.value(click::Deed::LinkAll, &about, chat),
    }]
}
