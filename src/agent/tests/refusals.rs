//! What the model's server does not take, and is asked once more in another way.

use super::*;

#[tokio::test]
async fn a_model_that_refuses_images_is_asked_once_more_without() {
    let refusal = Reply::raw(
        400,
        "application/json",
        r#"{"error":{"message":"unknown variant `image_url`, expected `text`"}}"#,
    );
    let mut stage = Stage::new([refusal, Reply::says(&["Ok."])], []).await;
    let image = Image::of(bytes::Bytes::from_static(b"GIF89a")).unwrap();
    stage.context.attached = vec![Attached {
        with: With::Quoted,
        kind: "image",
        name: None,
        bytes: Some(6),
        content: Content::Image(image),
    }];
    assert_eq!(
        stage.play().await,
        "(images refused)Ok. -- Answered, 1 steps, 10 tokens"
    );
    let requests = stage.server.requests();
    let asked = |place: usize| &requests[place]["messages"][1]["content"];
    assert_eq!(asked(0)[1]["type"], "image_url");
    let text = asked(1).as_str().unwrap();
    assert!(
        text.contains("an image that this model cannot see"),
        "{text}"
    );
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_halved_once() {
    let too_long = || {
        Reply::raw(
            400,
            "application/json",
            r#"{"error":{"code":"context_length_exceeded"}}"#,
        )
    };
    let mut stage = Stage::new([too_long(), Reply::says(&["Ok."])], []).await;
    stage.context.history = (0..50)
        .map(|n| said("韩梅梅", n, &"很慢".repeat(50)))
        .collect();
    assert_eq!(stage.play().await, "Ok. -- Answered, 1 steps, 10 tokens");
    let lengths: Vec<usize> = stage
        .server
        .requests()
        .iter()
        .map(|request| request.to_string().len())
        .collect();
    assert!(lengths[1] * 10 < lengths[0] * 7, "{lengths:?}");
    assert!(
        stage.told()[1]["content"]
            .as_str()
            .unwrap()
            .ends_with("Why is checkout slow?")
    );

    let mut stage = Stage::new([too_long(), too_long()], []).await;
    let seen = stage.play().await;
    assert_eq!(
        seen,
        " -- Failed: the conversation is too long for the model, 1 steps, 0 tokens"
    );
}
