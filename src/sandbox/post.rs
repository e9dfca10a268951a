//! Posts: from the form in which they are sent to the one in which they are received.
//!
//! Sent with a locale around it, received without; a sent `md` paragraph comes back as plain runs.

use serde_json::{Map, Value, json};

const LOCALES: &[&str] = &[
    "zh_cn", "en_us", "ja_jp", "zh_hk", "zh_tw", "id_id", "vi_vn", "th_th", "pt_br", "es_es",
    "ko_kr", "de_de", "fr_fr", "it_it", "ru_ru", "ms_my",
];

/// The received form of a post that a bot sends. The error says what is wrong.
pub(super) fn received(sent: &Value) -> Result<Value, String> {
    if sent.get("post").is_some() {
        return Err("a post has no outer \"post\", that is the custom bot's form".to_owned());
    }
    let localized = LOCALES.iter().find_map(|locale| sent.get(*locale));
    let post = localized.ok_or("a post needs a locale such as zh_cn around title and content")?;
    from_paragraphs(post)
}

/// The received form of a post without its locale.
pub(super) fn from_paragraphs(post: &Value) -> Result<Value, String> {
    let paragraphs = post["content"].as_array().ok_or("a post needs content")?;
    let mut content = Vec::new();
    for paragraph in paragraphs {
        let elements = paragraph
            .as_array()
            .ok_or("a paragraph is an array of elements")?;
        check_alone(elements)?;
        match elements.as_slice() {
            [element] if element["tag"] == "md" => content.extend(lines_of(element)),
            _ => content.push(Value::Array(elements.clone())),
        }
    }
    Ok(json!({"title": post["title"].as_str().unwrap_or_default(), "content": content}))
}

fn check_alone(elements: &[Value]) -> Result<(), String> {
    for element in elements {
        let tag = element["tag"].as_str().unwrap_or_default();
        let is_known = matches!(
            tag,
            "text" | "a" | "at" | "img" | "media" | "emotion" | "hr" | "code_block" | "md"
        );
        if !is_known {
            return Err(format!("unknown tag {tag:?} in a post"));
        }
        if matches!(tag, "md" | "img" | "media") && elements.len() > 1 {
            return Err(format!("{tag} stands alone in its paragraph"));
        }
    }
    Ok(())
}

/// Quotes and lists flatten to text; emphasis marks go.
fn lines_of(element: &Value) -> Vec<Value> {
    let text = element["text"].as_str().unwrap_or_default();
    let plain = |line: &str| line.replace("**", "").replace("~~", "").replace('`', "");
    text.lines()
        .map(|line| json!([{"tag": "text", "text": plain(line.trim_start_matches("> ")), "style": []}]))
        .collect()
}

/// Replaces the ids in at-elements by keys.
pub(super) fn key_mentions(post: &mut Value, key_of: &mut dyn FnMut(&str) -> Option<String>) {
    let Some(paragraphs) = post["content"].as_array_mut() else {
        return;
    };
    for element in paragraphs
        .iter_mut()
        .filter_map(Value::as_array_mut)
        .flatten()
    {
        let user_id = element["user_id"].as_str().unwrap_or_default();
        if element["tag"] == "at"
            && let Some(key) = key_of(user_id)
        {
            element["user_id"] = json!(key);
        }
    }
}

/// The text of a received post, as people see it.
pub(super) fn text(post: &Value) -> String {
    let mut lines = Vec::new();
    lines.extend(
        post["title"]
            .as_str()
            .filter(|title| !title.is_empty())
            .map(str::to_owned),
    );
    for paragraph in post["content"].as_array().into_iter().flatten() {
        let runs = paragraph.as_array().into_iter().flatten();
        lines.push(runs.filter_map(Value::as_object).map(run).collect());
    }
    lines.join("\n")
}

fn run(element: &Map<String, Value>) -> String {
    let member = |name: &str| {
        element
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match member("tag") {
        "text" | "a" | "code_block" | "md" => member("text").to_owned(),
        // The key, which is replaced by the name afterwards.
        "at" => member("user_id").to_owned(),
        "img" => "[image]".to_owned(),
        "media" => "[video]".to_owned(),
        "emotion" => format!("[{}]", member("emoji_type")),
        "hr" => "---".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_loses_its_locale_and_its_markdown() {
        let sent = json!({"en_us": {"title": "T", "content": [
            [{"tag": "text", "text": "a "}, {"tag": "at", "user_id": "ou_1"}],
            [{"tag": "md", "text": "**b**\n> c"}],
        ]}});
        let mut post = received(&sent).unwrap();
        key_mentions(&mut post, &mut |id| {
            (id == "ou_1").then(|| "@_user_1".to_owned())
        });
        assert_eq!(text(&post), "T\na @_user_1\nb\nc");
        assert!(post.get("en_us").is_none());
    }

    #[test]
    fn the_custom_bots_form_is_refused() {
        assert!(received(&json!({"post": {"zh_cn": {"content": []}}})).is_err());
        assert!(received(&json!({"title": "", "content": []})).is_err());
        let crowded = json!({"zh_cn": {"content": [[{"tag": "md", "text": "a"}, {"tag": "text", "text": "b"}]]}});
        assert!(received(&crowded).is_err());
    }
}
