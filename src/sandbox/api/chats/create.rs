//! Making a group [doc: create chat].

use axum::{
    body::Bytes,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Answered, Chat, Hub, IdType, Params, Refusal, World, add_inside, turn::Turn};
use crate::sandbox::{
    api::envelope::read,
    world::{ChatKind, Founding, Newcomers, Settings},
};

const CREATE: &[&str] = &["im:chat", "im:chat:create"];

/// The longest name and description, in characters.
pub(super) const NAME_CHARS_MAX: usize = 60;
pub(super) const DESCRIPTION_CHARS_MAX: usize = 100;
/// What a group is called that was given no name.
const NO_NAME: &str = "(无主题)";
/// How many people, and how many bots, can be named at once.
pub(super) const PEOPLE_MAX: usize = 50;
pub(super) const BOTS_MAX: usize = 5;
const UUID_CHARS_MAX: usize = 50;

#[derive(Deserialize)]
struct NewChat {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    owner_id: Option<String>,
    #[serde(default)]
    user_id_list: Vec<String>,
    #[serde(default)]
    bot_id_list: Vec<String>,
    #[serde(default)]
    group_message_type: String,
    #[serde(default)]
    chat_mode: String,
    #[serde(default)]
    chat_type: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// `POST /open-apis/im/v1/chats`. A `uuid` used again within ten hours for the same owner answers the group of
/// the first time.
pub(in crate::sandbox::api) async fn create(
    State(hub): State<Hub>,
    Query(params): Query<Params>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(CREATE)?;
    let ids = IdType::read(&params, "user_id_type")?;
    let new: NewChat = read(&body)?;
    check(&new)?;
    let uuid = params.get("uuid").map(str::to_owned);
    if uuid
        .as_ref()
        .is_some_and(|uuid| uuid.chars().count() > UUID_CHARS_MAX)
    {
        return Err(Refusal::field("uuid", "the max length of uuid is 50"));
    }
    let owner = new.owner_id.as_deref().filter(|owner| !owner.is_empty());
    let _turn = match &uuid {
        None => None,
        Some(uuid) => {
            let subject = format!("create {uuid} {}", owner.unwrap_or_default());
            let busy = Refusal::new(232_068, "A chat with this uuid is being created.");
            Some(Turn::begin(&hub, subject, busy).await?)
        }
    };
    let manages = params.get("set_bot_manager") == Some("true");
    hub.act(|world, now_ms| {
        let founding = founding(world, ids, &new, manages)?;
        if let Some(uuid) = &uuid
            && let Some(chat) = world.founded(uuid, founding.owner.as_deref(), now_ms)
        {
            let chat = chat.clone();
            return Ok(Answer::Data(shown(world, &chat, ids)));
        }
        check_public(world, &founding)?;
        let chat_id = world.found(founding, uuid.as_deref(), now_ms);
        let chat = world.chats.get(&chat_id).expect("it was made just now");
        Ok(Answer::Data(shown(world, chat, ids)))
    })
}

/// As Get chat shows it, but for a word that is spelt otherwise here.
fn shown(world: &World, chat: &Chat, ids: IdType) -> Value {
    let mut data = json!({"chat_id": chat.chat_id, "name": chat.name, "avatar": ""});
    add_inside(&mut data, chat, world, ids);
    for value in data.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if *value == "all_members" {
            *value = json!("all members");
        }
    }
    data
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(
        232_001,
        format!("Your request contains an invalid request parameter, ext={what}"),
    )
}

/// The name and the description of a new group and of an old one.
pub(super) fn check_words(name: &str, description: &str) -> Result<(), Refusal> {
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(invalid("name has more than 60 characters"));
    }
    if description.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(invalid("description has more than 100 characters"));
    }
    Ok(())
}

/// The settings among the other members of a request.
pub(super) fn settings(others: &Map<String, Value>) -> Result<Settings, Refusal> {
    Settings::read(others).map_err(|what| invalid(&what))
}

fn check(new: &NewChat) -> Result<(), Refusal> {
    check_words(&new.name, &new.description)?;
    for (name, count, max) in [
        ("user_id_list", new.user_id_list.len(), PEOPLE_MAX),
        ("bot_id_list", new.bot_id_list.len(), BOTS_MAX),
    ] {
        if count > max {
            return Err(Refusal::field(
                name,
                format!("{name} holds at most {max} ids"),
            ));
        }
    }
    for (name, value, allowed) in [
        ("chat_mode", &new.chat_mode, ["group", "group"]),
        ("chat_type", &new.chat_type, ["private", "public"]),
        (
            "group_message_type",
            &new.group_message_type,
            ["chat", "thread"],
        ),
    ] {
        if !value.is_empty() && !allowed.contains(&value.as_str()) {
            return Err(invalid(&format!("{name} is invalid")));
        }
    }
    Ok(())
}

/// The people and bots that the request names; one who cannot be added fails it whole.
fn founding(world: &World, ids: IdType, new: &NewChat, manages: bool) -> Result<Founding, Refusal> {
    let owner = new.owner_id.iter().filter(|owner| !owner.is_empty());
    let named: Vec<String> = owner.clone().chain(&new.user_id_list).cloned().collect();
    let newcomers = Newcomers::sorted(&named, |id| ids.find(world, id));
    if !newcomers.unknown.is_empty() {
        return Err(ids.unknown());
    }
    if !newcomers.left.is_empty() {
        return Err(Refusal::new(232_022, "A user of the list has resigned."));
    }
    if !newcomers.foreign.is_empty() {
        return Err(Refusal::new(
            232_032,
            "A user of the list is of another tenant.",
        ));
    }
    if !newcomers.refused.is_empty() {
        return Err(not_visible());
    }
    Ok(Founding {
        name: match new.name.trim() {
            "" if new.chat_type != "public" => NO_NAME.to_owned(),
            name => name.to_owned(),
        },
        description: new.description.clone(),
        kind: match new.group_message_type.as_str() {
            "thread" => ChatKind::Topic,
            _ => ChatKind::Group,
        },
        owner: owner
            .into_iter()
            .next()
            .and(newcomers.welcome.first().cloned()),
        people: newcomers.welcome,
        bots: other_bots(world, &new.bot_id_list)?,
        manages,
        public: new.chat_type == "public",
        settings: settings(&new.others)?,
    })
}

pub(super) fn not_visible() -> Refusal {
    Refusal::new(232_024, "Users do not have the visibility of the app.")
}

/// The open_ids of other bots. Ours is in the group anyway.
pub(super) fn other_bots(world: &World, app_ids: &[String]) -> Result<Vec<String>, Refusal> {
    let others = app_ids.iter().filter(|id| **id != world.app.app_id);
    others
        .map(|app_id| {
            let mut bots = world.bots.iter();
            let bot = bots.find(|bot| bot.app_id == *app_id);
            let bot = bot.ok_or_else(|| Refusal::new(232_021, "The bot is not found."))?;
            Ok(bot.open_id.clone())
        })
        .collect()
}

/// Groups that everybody finds have a name, which no other has.
fn check_public(world: &World, founding: &Founding) -> Result<(), Refusal> {
    if !founding.public {
        return Ok(());
    }
    match founding.name.chars().count() {
        0 => return Err(Refusal::new(232_042, "The name of a public chat is empty.")),
        1 => {
            let msg = "The name of a public chat has at least 2 characters.";
            return Err(Refusal::new(232_020, msg));
        }
        _ => {}
    }
    let mut chats = world.chats.iter();
    match chats.any(|chat| chat.public && !chat.dissolved && chat.name == founding.name) {
        true => Err(Refusal::new(
            232_026,
            "The name is that of another public chat.",
        )),
        false => Ok(()),
    }
}
