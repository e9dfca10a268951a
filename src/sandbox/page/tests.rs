use super::*;
use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;

fn source(path: &str) -> &'static str {
    let found = FILES.iter().find(|(name, ..)| *name == path);
    found.map(|(_, _, text)| *text).expect("a file of the page")
}

/// The keys of one language's part of the table in `words.js`.
fn keys(language: &str) -> BTreeSet<&'static str> {
    let table = source("/page/words.js")
        .split_once(&format!("  {language}: {{\n"))
        .expect("the language")
        .1;
    let table = table
        .split_once("\n  },")
        .expect("the end of the language")
        .0;
    table
        .lines()
        .filter_map(|line| line.trim().split_once(": \""))
        .map(|(key, _)| key)
        .collect()
}

#[test]
fn every_sentence_exists_in_both_languages() {
    let (english, chinese) = (keys("en"), keys("zh"));
    assert!(english.len() > 50, "the table was read: {english:?}");
    assert_eq!(english, chinese);
}

#[test]
fn every_sentence_that_is_used_exists_and_every_one_that_exists_is_used() {
    let known = keys("en");
    let code: String = FILES
        .iter()
        .filter(|(path, ..)| *path != "/page/words.js")
        .map(|(_, _, text)| *text)
        .collect();
    let mut used = BTreeSet::new();
    for mark in ["say(\"", "data-say=\"", "data-label=\"", "action(\""] {
        used.extend(
            code.split(mark)
                .skip(1)
                .filter_map(|rest| rest.split('"').next()),
        );
    }
    let missing: Vec<_> = used.difference(&known).collect();
    assert!(missing.is_empty(), "no words for {missing:?}");
    // A key may also stand in a choice (`a ? "x" : "y"`) or be put together (`theme_…`).
    let quoted = |key: &&str| code.contains(&format!("\"{key}\"")) || key.starts_with("theme_");
    let unused: Vec<_> = known.iter().filter(|key| !quoted(key)).collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
}

#[test]
fn nothing_is_inline_fetched_from_elsewhere_or_parsed_as_html() {
    let page = source("/");
    assert!(!page.contains("style=") && !page.contains("onclick") && !page.contains("<script>"));
    for (path, _, text) in FILES.iter().filter(|(path, ..)| path.ends_with(".js")) {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[tokio::test]
async fn every_file_is_served_and_every_import_is_a_file() {
    for (path, content_type, text) in FILES {
        let request = Request::get(*path).body(Body::empty()).expect("a request");
        let response = router()
            .oneshot(request)
            .await
            .expect("the router cannot fail");
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], *content_type);
        assert!(
            response
                .headers()
                .contains_key(header::CONTENT_SECURITY_POLICY)
        );
        for import in text
            .split("from \"./")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            let import = format!("/page/{}", import.trim_start_matches("page/"));
            assert!(
                FILES.iter().any(|(path, ..)| *path == import),
                "{path} imports {import}"
            );
        }
    }
}
