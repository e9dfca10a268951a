//! What the platform takes, whatever alerts hold.

use super::*;

#[test]
fn the_json_is_what_the_platform_takes() {
    let case = case(resolved);
    assert_json_snapshot!(drawn(&case, None, Language::En)["body"]["elements"][2], @r#"
    {
      "content": "<font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>\n<font color='grey'>16:05:10 Li Lei acknowledged it</font>\n<font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>",
      "element_id": "timeline",
      "tag": "markdown",
      "text_size": "notation"
    }
    "#);
    let open = self::case(|_| {});
    assert_json_snapshot!(drawn(&open, None, Language::En)["body"]["elements"][4]["columns"][2], @r#"
    {
      "elements": [
        {
          "behaviors": [
            {
              "type": "callback",
              "value": {
                "deed": "add"
              }
            }
          ],
          "element_id": "add",
          "placeholder": {
            "content": "Add responder",
            "i18n_content": {
              "en_us": "Add responder",
              "zh_cn": "邀请处理人"
            },
            "tag": "plain_text"
          },
          "tag": "select_person"
        }
      ],
      "tag": "column",
      "width": "auto"
    }
    "#);
}

#[test]
fn what_alerts_hold_is_shown_and_does_nothing() {
    let evil = "<at id=all></at> ![x](img_v2_1) [here](http://evil.example.com) **bold** `code`";
    let case = case(|case| {
        case.incident.title = evil.into();
        case.incident.impact = evil.into();
        case.incident.labels.insert("service".into(), evil.into());
        case.incident.responders = vec![PersonId("ou_x'><at id=all".into()), PersonId(evil.into())];
    });
    let alert = latest(|alert| {
        alert.title = evil.into();
        alert.description = format!("{evil}\n# {evil}");
        alert.values.insert(evil.into(), evil.into());
        alert.links.runbook = Some("javascript:alert(1)".into());
        alert.links.panel = Some("https://ok.example.com/)<at id=all></at>".into());
        alert.links.others = vec![Link {
            text: "](http://evil.example.com) <at id=all></at>".into(),
            url: "https://ok.example.com/2".into(),
        }];
    });
    let card = drawn(&case, Some(&alert), Language::En);
    for element in card["body"]["elements"].as_array().unwrap() {
        let text = element["content"].as_str().unwrap_or_default();
        for bad in ["<at", "![", "](http://evil", "**bold**", "javascript"] {
            assert!(!text.contains(bad), "{bad} in {text}");
        }
    }
}

#[test]
fn the_worst_alert_still_fits() {
    for text in [
        "<".repeat(5_000),
        "长".repeat(5_000),
        "*_~`".repeat(2_000),
        "\"\\".repeat(2_000),
    ] {
        let case = case(|case| {
            case.incident.title.clone_from(&text);
            case.incident.impact.clone_from(&text);
            for number in 0..60 {
                case.incident
                    .labels
                    .insert(format!("{number}{text}"), text.clone());
            }
            case.incident.responders = (0..32).map(|n| PersonId(format!("{n}{text}"))).collect();
            let unreached = json!({"who": text, "why": "unlinked"});
            case.unreached = vec![serde_json::from_value(unreached).unwrap(); 10];
        });
        let alert = latest(|alert| {
            alert.title.clone_from(&text);
            alert.description = format!("{text}\n").repeat(10);
            let long = format!("https://example.com/{}", "a".repeat(1_900));
            alert.links.source = Some(long.clone());
            alert.links.silence = Some(long.clone());
            alert.links.panel = Some(long.clone());
            alert.links.others = vec![
                Link {
                    text: text.clone(),
                    url: long
                };
                10
            ];
            for number in 0..30 {
                alert.values.insert(format!("{number}{text}"), text.clone());
            }
        });
        for language in [Language::En, Language::Zh] {
            let size = size_bytes(&drawn(&case, Some(&alert), language));
            assert!(size <= CARD_BYTES_MAX, "{size}");
        }
    }
}
