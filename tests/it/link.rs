//! Who of the members is whom: what people see of `/link`, and what links itself.

use serde_json::{Value, json};

use crate::world::{Seen, World};

/// A scene with an administrator, to which members are added before its bot starts.
struct Scene {
    world: World,
    boss: String,
}

impl Scene {
    async fn new() -> Self {
        let world = World::without_bot("").await;
        let boss = world.user("Han Meimei").await;
        Self { world, boss }
    }

    /// Somebody on the platform.
    async fn person(&self, name: &str, more: Value) -> String {
        let mut body = json!({ "name": name });
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let user = self.world.post("/sandbox/users", body).await;
        user["open_id"].as_str().unwrap().to_owned()
    }

    /// Starts the bot with this table of members.
    async fn start(&mut self, table: &str) {
        self.start_with(table, "").await;
    }

    async fn start_with(&mut self, table: &str, more: &str) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("members.csv");
        std::fs::write(&file, table).unwrap();
        let boss = &self.boss;
        self.world.set(&format!(
            "[access]\nadministrators = [{boss:?}]\n[members]\nfile = {file:?}\n{more}"
        ));
        // It is read at the start, and not needed after it.
        self.world.start_bot().await;
    }

    /// What the bot answers to a direct message, once it shows `text`.
    async fn says(&self, person: &str, command: &str, text: &str) -> Seen {
        let asked = self.world.whispers(person, command).await;
        self.world.showing(&asked, text).await
    }

    /// Waits until the bot says that somebody is this member.
    async fn is_member(&self, person: &str, member: &str) {
        self.world
            .until(&format!("somebody is {member}"), async || {
                let asked = self.world.whispers(person, "/whoami").await;
                let shown = self.world.showing(&asked, "Who you are to me").await;
                shown.text.contains(member).then_some(())
            })
            .await;
    }

    /// How often the platform was asked who people are.
    async fn look_ups(&self) -> usize {
        self.world.calls("POST", "batch_get_id").await
    }
}

#[tokio::test]
async fn a_preview_says_for_each_member_what_would_happen_and_why() {
    let mut scene = Scene::new().await;
    scene
        .person("Li Lei", json!({"email": "li@example.com"}))
        .await;
    let phone = json!({"mobile": "+8613800138000"});
    scene.person("Jim Green", phone).await;
    scene
        .person("Kate", json!({"email": "kate@example.com"}))
        .await;
    scene
        .person("Other Kate", json!({"mobile": "+8613800138001"}))
        .await;
    for (name, email, change) in [
        ("Tom", "tom@example.com", json!({"left": true})),
        ("Ann", "ann@example.com", json!({"hidden": true})),
    ] {
        let person = scene.person(name, json!({ "email": email })).await;
        let path = format!("/sandbox/users/{person}");
        scene.world.post(&path, change).await;
    }
    let table = "name,email,mobile\n李雷,Li@Example.com,\nJim,,138 0013 8000\n\
        Kate,kate@example.com,13800138001\nTom,tom@example.com,\nAnn,ann@example.com,\n\
        Nobody,nobody@example.com,\nPaper,,\n";
    scene.start(table).await;
    let boss = scene.boss.clone();
    let preview = scene.says(&boss, "/link all", "preview").await;
    insta::assert_snapshot!(preview.text, @r"
    Linking everybody: a preview
    **2** would be linked, **0** are already, **5** cannot be. Nothing is changed before you press the button or send `/link all apply`.

    - ✗ **Kate**: the e-mail belongs to one person and the mobile number to another
    - ✗ **Tom**: whoever logged in with it has left the organisation
    - ✗ **Ann**: not found: nobody logs in with this e-mail or mobile number, or the app's contacts range hides them
    - ✗ **Nobody**: not found: nobody logs in with this e-mail or mobile number, or the app's contacts range hides them
    - ✗ **Paper**: the list has neither an e-mail nor a mobile number for them
    - → **李雷**: becomes **Li Lei**, by e-mail
    - → **Jim**: becomes **Jim Green**, by mobile number
    [Link 2]
    ");
    // Nothing has happened yet.
    scene.says(&boss, "/link list", "**0** of 7").await;

    let chinese = scene.says(&boss, "/绑定 全部", "预览").await;
    insta::assert_snapshot!(chinese.text, @r"
    绑定所有成员：预览
    将绑定 **2** 人，已绑定 **0** 人，无法绑定 **5** 人。点击按钮或发送 `/绑定 全部 执行` 之前不会做任何修改。

    - ✗ **Kate**: 邮箱和手机号属于两个不同的人
    - ✗ **Tom**: 对应的人已离职
    - ✗ **Ann**: 没有找到：没有人用这个邮箱或手机号登录，或不在应用的通讯录权限范围内
    - ✗ **Nobody**: 没有找到：没有人用这个邮箱或手机号登录，或不在应用的通讯录权限范围内
    - ✗ **Paper**: 名单里没有其邮箱和手机号
    - → **李雷**: 将绑定 **Li Lei**（按邮箱）
    - → **Jim**: 将绑定 **Jim Green**（按手机号）
    [绑定 2 人]
    ");

    let toast = scene.world.presses(&boss, &preview, "Link 2").await;
    assert_eq!(toast, "Linked: 2.");
    let after = scene.world.message(&preview.message_id).await;
    assert!(after.text.contains("2"), "{}", after.text);
    assert!(after.card.unwrap().buttons.is_empty());
    let linked = scene
        .says(&boss, "/link list linked", "7 位成员中 **2** 位")
        .await;
    assert!(linked.text.contains("李雷"), "{}", linked.text);
    assert!(!linked.text.contains("Kate"), "{}", linked.text);
    // A second press finds a preview that shows something else by now.
    let toast = scene.world.presses(&boss, &chinese, "绑定 2 人").await;
    assert!(toast.contains("changed meanwhile"), "{toast}");
    scene.world.finish().await;
}

#[tokio::test]
async fn many_members_are_looked_up_fifty_at_a_time_and_shown_by_the_page() {
    let mut scene = Scene::new().await;
    let mut table = "name,email\n".to_owned();
    for n in 0..120 {
        table.push_str(&format!("Person {n:03},p{n}@example.com\n"));
        if n < 60 {
            let email = format!("p{n}@example.com");
            scene
                .person(&format!("User {n}"), json!({ "email": email }))
                .await;
        }
    }
    scene.start(&table).await;
    let boss = scene.boss.clone();
    // Whoever asks is no member: that takes a look-up of its own, which is over when they are answered.
    scene.says(&boss, "/link", "not linked to a member").await;
    assert_eq!(scene.look_ups().await, 3);
    let first = scene.says(&boss, "/link all", "Page 1 of 3").await;
    assert!(first.text.contains("Person 060"), "{}", first.text);
    // 3 for all, and 2 for the 60 of whom nobody knows whether they have left.
    assert_eq!(scene.look_ups().await, 8);
    let last = scene.says(&boss, "/link all 3", "Page 3 of 3").await;
    assert!(last.text.contains("Person 059"), "{}", last.text);
    assert_eq!(
        scene.look_ups().await,
        8,
        "what was shown is not asked for again"
    );
    scene
        .says(&boss, "/link all apply", "**60** linked now")
        .await;
    scene.says(&boss, "/link list unlinked p11", "10 fit").await;
    scene.world.finish().await;
}

#[tokio::test]
async fn the_first_message_links_whom_the_list_names_and_others_cost_nothing() {
    let mut scene = Scene::new().await;
    let li = scene
        .person("Li Lei", json!({"email": "li@example.com"}))
        .await;
    let jim = scene
        .person("Jim", json!({"email": "jim@example.com"}))
        .await;
    scene.start("name,email\n李雷,li@example.com\n").await;
    let (world, boss) = (&scene.world, scene.boss.clone());
    let group = world.group("on-call", &[&li, &jim]).await;
    let asked = world.asks(&group, &li, "/help").await;
    world.showing(&asked, "What I can do").await;
    scene.is_member(&li, "李雷").await;
    let look_ups = scene.look_ups().await;
    for _ in 0..3 {
        scene
            .says(&jim, "/whoami", "none; `/link me` links you")
            .await;
    }
    assert_eq!(
        scene.look_ups().await,
        look_ups,
        "one look-up for all of them"
    );
    let audit = scene.says(&boss, "/audit", "李雷 linked, by e-mail").await;
    assert!(audit.text.contains("Li Lei"), "{}", audit.text);
    let doctor = scene.says(&boss, "/doctor", "all 1 are linked").await;
    assert!(
        doctor.text.contains("Members are linked"),
        "{}",
        doctor.text
    );

    // It is there after a restart, too.
    scene.world.stop_bot().await.unwrap();
    scene.start("name,email\n李雷,li@example.com\n").await;
    scene.says(&li, "/link", "You are member **李雷**").await;
    scene.world.finish().await;
}

#[tokio::test]
async fn what_was_undone_stays_so_until_they_wish_it_back() {
    let mut scene = Scene::new().await;
    let li = scene
        .person("Li Lei", json!({"email": "li@example.com"}))
        .await;
    let jim = scene.user_without_address("Jim").await;
    scene
        .start("name,email\nLei Li,li@example.com\nJim,\n")
        .await;
    scene
        .says(&li, "/link me", "You are member **Lei Li**")
        .await;
    scene
        .says(&jim, "/unlink Lei Li", "Only administrators")
        .await;
    scene
        .says(&li, "/unlink me", "is not linked any more")
        .await;
    scene.says(&li, "/link", "Your link was undone").await;
    let boss = scene.boss.clone();
    scene
        .says(&boss, "/link all", "somebody undid the link")
        .await;
    scene.says(&li, "/绑定 我", "你现在是成员 **Lei Li**").await;
    scene
        .says(&boss, "/unlink Lei Li", "is not linked any more")
        .await;
    scene.says(&boss, "/unlink Lei Ly", "Did you mean").await;
    scene.world.finish().await;
}

#[tokio::test]
async fn nobody_becomes_somebody_else_by_saying_so() {
    let mut scene = Scene::new().await;
    let li = scene
        .person("Li Lei", json!({"email": "li@example.com"}))
        .await;
    let jim = scene.user_without_address("Jim").await;
    scene
        .start("name,email\nLei Li,li@example.com\nJim Green,jim@example.com\n")
        .await;
    let boss = scene.boss.clone();
    scene
        .says(&li, "/link me", "You are member **Lei Li**")
        .await;
    // The member is somebody already.
    scene
        .says(&jim, "/link me Lei Li", "is linked to somebody else")
        .await;
    scene
        .says(&jim, "/link me Jim Gren", "Did you mean **Jim Green**?")
        .await;
    scene
        .says(&jim, "/link me", "`/link me` and your name")
        .await;

    // One that is free waits for an administrator, in a group with buttons that only they can use.
    let group = scene.world.group("on-call", &[&jim, &li, &boss]).await;
    let asked = scene.world.asks(&group, &jim, "/link me Jim Green").await;
    let card = scene.world.showing(&asked, "has to confirm it").await;
    let told = scene.told(&boss, "says that they are member").await;
    assert!(told.text.contains("Jim Green"), "{}", told.text);
    let toast = scene
        .world
        .presses(&jim, &card, "Confirm (administrators)")
        .await;
    assert!(toast.contains("Only administrators"), "{toast}");
    let toast = scene
        .world
        .presses(&boss, &card, "Confirm (administrators)")
        .await;
    assert_eq!(toast, "Done: they are member Jim Green now.");
    scene.told(&jim, "An administrator has confirmed it").await;
    scene
        .says(&jim, "/link", "You are member **Jim Green**")
        .await;

    // In a direct chat there is a code instead.
    scene
        .says(&boss, "/unlink Jim Green", "not linked any more")
        .await;
    let asked = scene
        .says(&jim, "/link me Jim Green", "/link decline")
        .await;
    let code = asked.text.split("/link decline ").nth(1).unwrap();
    let code: String = code.chars().take(4).collect();
    scene
        .says(
            &jim,
            &format!("/link confirm {code}"),
            "Only administrators",
        )
        .await;
    scene
        .says(&boss, &format!("/link decline {code}"), "Declined")
        .await;
    scene.told(&jim, "An administrator has declined it").await;
    scene
        .says(&boss, &format!("/link confirm {code}"), "Nobody waits")
        .await;
    scene.world.finish().await;
}

#[tokio::test]
async fn an_administrator_links_whom_the_platform_does_not_vouch_for() {
    let mut scene = Scene::new().await;
    let jim = scene.user_without_address("Jim").await;
    let policy = "[incidents.policies.all]\nlevels = [{tell = [{person = \"Jim Green\"}, {person = \"Ghost\"}]}]\n";
    scene.start_with("name\nJim Green\n", policy).await;
    let boss = scene.boss.clone();
    let unreachable = scene.says(&boss, "/link oncall", "**2** of 2 people").await;
    assert!(
        unreachable.text.contains("nobody of this name"),
        "{}",
        unreachable.text
    );
    let world = &scene.world;
    let group = world.group("on-call", &[&jim, &boss]).await;
    let text = format!("/link <at user_id=\"{jim}\"></at> Jim Green");
    let asked = world.asks(&group, &jim, &text).await;
    world.showing(&asked, "Only administrators").await;
    let asked = world.asks(&group, &boss, &text).await;
    world
        .showing(&asked, "**Jim** is member **Jim Green** now")
        .await;
    scene.says(&boss, "/link oncall", "**1** of 2 people").await;
    scene.world.finish().await;
}

#[tokio::test]
async fn without_the_permission_it_is_said_and_nobody_is_linked() {
    let mut scene = Scene::new().await;
    let li = scene
        .person("Li Lei", json!({"email": "li@example.com"}))
        .await;
    let refused = json!({"refuse_scopes": ["contact:user.id:readonly"]});
    scene.world.faults(refused).await;
    scene.start("name,email\n李雷,li@example.com\n").await;
    let boss = scene.boss.clone();
    scene
        .says(&boss, "/link all", "contact:user.id:readonly")
        .await;
    scene
        .says(&li, "/link me", "contact:user.id:readonly")
        .await;
    scene.says(&boss, "/link list", "**0** of 1").await;
    scene.world.finish().await;
}

#[tokio::test]
async fn without_members_nobody_needs_a_link() {
    let world = World::start().await;
    let li = world.user("Li Lei").await;
    let asked = world.whispers(&li, "/link").await;
    world.showing(&asked, "nobody needs a link").await;
    assert_eq!(world.calls("POST", "batch_get_id").await, 0);
    world.finish().await;
}

impl Scene {
    async fn user_without_address(&self, name: &str) -> String {
        self.person(name, json!({})).await
    }

    /// Waits until the bot has said something to a person that nobody asked.
    async fn told(&self, person: &str, text: &str) -> Seen {
        let body = json!({"chat_type": "p2p", "members": [person]});
        let chat = self.world.post("/sandbox/chats", body).await;
        let chat = chat["chat_id"].as_str().unwrap();
        self.world
            .until(&format!("somebody is told {text:?}"), async || {
                let all = self.world.messages(Some(chat)).await;
                all.into_iter().find(|one| {
                    one.is_by_bot() && one.parent_id.is_none() && one.text.contains(text)
                })
            })
            .await
    }
}
