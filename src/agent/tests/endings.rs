//! How a turn ends: with an answer, with half of one, or because somebody wants it to.

use super::*;

#[tokio::test]
async fn an_answer_is_shown_as_it_comes() {
    let chunks = vec![
        piece(json!({"reasoning_content": "hm"})),
        piece(json!({"reasoning_content": " so"})),
        piece(json!({"content": "\n\nThe cache "})),
        piece(json!({"content": "is cold."})),
    ];
    let mut stage = Stage::new([Reply::ending(chunks, "stop")], []).await;
    assert_eq!(
        stage.play().await,
        "(thinks)The cache is cold. -- Answered, 1 steps, 10 tokens"
    );
    let told = stage.told();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["role"], "system");
    assert!(
        told[1]["content"]
            .as_str()
            .unwrap()
            .ends_with("Why is checkout slow?")
    );
}

#[tokio::test]
async fn the_last_step_is_a_conclusion_without_tools() {
    let call = |id, n| Reply::calls("", &[(id, "echo", n)]);
    let mut stage = Stage::new(
        [
            call("a", r#"{"n":1}"#),
            call("b", r#"{"n":2}"#),
            Reply::says(&["As far as I looked."]),
        ],
        [TestTool("echo", Does::Echo)],
    )
    .await;
    stage.limits.steps_max = 3;
    let seen = stage.play().await;
    assert!(
        seen.ends_with("As far as I looked. -- CutShort(Steps), 3 steps, 30 tokens"),
        "{seen}"
    );
    let requests = stage.server.requests();
    assert!(requests[1].get("tools").is_some());
    assert!(requests[2].get("tools").is_none());
    let told = stage.told();
    let conclude = told.last().unwrap();
    assert_eq!(conclude["role"], "user");
    assert!(
        conclude["content"]
            .as_str()
            .unwrap()
            .starts_with("No more tools can be called")
    );

    // A model that calls all the same is not obeyed.
    for steps_max in [1, 2] {
        let mut stage = Stage::new(
            [call("a", r#"{"n":1}"#), call("b", r#"{"n":2}"#)],
            [TestTool("echo", Does::Echo)],
        )
        .await;
        stage.limits.steps_max = steps_max;
        let seen = stage.play().await;
        let expected = format!("CutShort(Steps), {steps_max} steps, {steps_max}0 tokens");
        assert!(seen.ends_with(&expected), "{seen}");
    }
}

#[tokio::test]
async fn answers_that_are_not_whole_say_why() {
    let partly = |reason| Reply::ending(vec![piece(json!({"content": "The ca"}))], reason);
    for (reply, expected) in [
        (
            partly("length"),
            "The ca -- CutShort(Length), 1 steps, 10 tokens",
        ),
        (
            partly("content_filter"),
            "The ca -- CutShort(ContentFilter), 1 steps, 10 tokens",
        ),
        (
            partly("insufficient_system_resource"),
            "The ca -- CutShort(Server), 1 steps, 10 tokens",
        ),
        (
            Reply::says(&[]),
            " -- Failed(SaidNothing), 1 steps, 10 tokens",
        ),
        (
            Reply::chunks(&[piece(json!({"content": "The ca"}))]),
            "The ca -- Failed: the model's answer broke off, 1 steps, 0 tokens",
        ),
        (
            Reply::raw(401, "text/plain", "no"),
            " -- Failed: the model's server does not accept our key (HTTP 401): check model.api_key, 1 steps, 0 tokens",
        ),
    ] {
        assert_eq!(Stage::new([reply], []).await.play().await, expected);
    }
}

#[tokio::test]
async fn a_call_in_an_answer_that_was_cut_is_not_made() {
    let call = json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "echo", "arguments": "{\"q\":1}"}}]});
    let mut stage = Stage::new(
        [Reply::ending(vec![piece(call)], "length")],
        [TestTool("echo", Does::Echo)],
    )
    .await;
    assert_eq!(
        stage.play().await,
        " -- CutShort(Length), 1 steps, 10 tokens"
    );
}

#[tokio::test]
async fn a_turn_ends_when_its_time_is_up() {
    let words = Reply::chunks(&[piece(json!({"content": "The "}))]);
    let mut stage = Stage::new([words.then_hangs()], []).await;
    stage.limits.time_max = Duration::from_millis(300);
    // On a busy machine the time may be up before the first word.
    let seen = stage.play().await;
    assert!(
        seen.ends_with(" -- CutShort(Time), 1 steps, 0 tokens"),
        "{seen}"
    );
    stage.server.is_let_go().await;
}

#[tokio::test]
async fn a_cancelled_turn_lets_go_of_the_model() {
    let words = Reply::chunks(&[piece(json!({"content": "The "}))]);
    let mut stage = Stage::new([words.then_hangs()], []).await;
    let mut events = stage.begin();
    assert!(matches!(events.recv().await, Some(TurnEvent::Text(_))));
    stage.cancel.cancel();
    assert_eq!(
        write_down(&mut events).await,
        " -- Stopped, 1 steps, 0 tokens"
    );
    stage.server.is_let_go().await;
}

#[tokio::test]
async fn a_cancelled_turn_lets_go_of_its_tools() {
    let hanging = Hanging::new();
    let mut stage = Stage::new(
        [Reply::calls(
            "Let me look.",
            &[("a", "slow", r#"{"n":1}"#), ("b", "slow", r#"{"n":2}"#)],
        )],
        [TestTool("slow", Does::Hang(hanging.clone()))],
    )
    .await;
    let mut events = stage.begin();
    let _begun = hanging.begun.acquire_many(2).await.unwrap();
    stage.cancel.cancel();
    assert_eq!(
        write_down(&mut events).await,
        r#"Let me look.(0 En slow {"n":1})(1 En slow {"n":2})(0 Stopped)(1 Stopped) -- Stopped, 1 steps, 10 tokens"#
    );
    assert_eq!(hanging.let_go.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_turn_that_nobody_listens_to_lets_go_of_the_model() {
    let words = Reply::chunks(&[piece(json!({"content": "The "}))]);
    let mut stage = Stage::new([words.then_hangs()], []).await;
    let mut events = stage.begin();
    assert!(events.recv().await.is_some());
    drop(events);
    stage.server.is_let_go().await;
}
