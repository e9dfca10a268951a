//! The details, the forms, and a sentence for everything that can happen.

use super::*;

#[test]
fn the_whole_story_is_told_with_every_alert() {
    let case = case(|case| {
        acknowledged(case);
        case.incident.entries = 3;
        case.incident.first_acknowledged_at = Some(at("08:05:10"));
    });
    let alerts = [latest(|_| {})];
    let told = |language| {
        with_view(&case, None, |view| {
            Story {
                view: *view,
                alerts: &alerts,
                language,
            }
            .text()
        })
    };
    assert_snapshot!(told(Language::En), @r"
    - **Status:** Acknowledged
    - **Severity:** Critical
    - **Began:** 2026-11-21 16:02:05 UTC+8
    - **First acknowledged:** 2026-11-21 16:05:10 UTC+8, 3 min after it was reported
    - **On it:** Li Lei, mei
    - **Labels of all its alerts:** alertname=CheckoutSlow, region=cn-north, service=checkout, severity=critical

    **Alerts:** 2 firing, 3 in all

    - Critical, since 16:20:11: p99 of checkout is 2.4 s · The pool of db-3 is full. · p99 = 2.4 s
    - and 2 more

    **Timeline**

    - 16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s
    - 16:05:10 Li Lei acknowledged it
    - 16:07:00 Li Lei: the pool of db-3 is full
    ");
    assert_snapshot!(told(Language::Zh), @r"
    - **状态：**处理中
    - **级别：**严重
    - **开始：**2026-11-21 16:02:05 UTC+8
    - **首次认领：**2026-11-21 16:05:10 UTC+8，报告后 3 分钟
    - **处理人：**Li Lei, mei
    - **共同标签：**alertname=CheckoutSlow, region=cn-north, service=checkout, severity=critical

    **告警：**2 条触发中，共 3 条

    - 严重，16:20:11 起：p99 of checkout is 2.4 s · The pool of db-3 is full. · p99 = 2.4 s
    - 另有 2 条

    **时间线**

    - 16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s
    - 16:05:10 Li Lei 已认领
    - 16:07:00 Li Lei：the pool of db-3 is full
    ");
}

#[test]
fn a_form_stands_at_the_root_and_has_one_field() {
    let value = json!({"deed": "incident_comment"});
    let form = Form {
        asks: Asks::Comment,
        number: 42,
        title: "<at id=all></at>",
        value: &value,
        language: Language::En,
    };
    assert_json_snapshot!(form.render()["body"], @r#"
    {
      "elements": [
        {
          "content": "**Comment on #42** &#60;at id=all>&#60;/at>",
          "element_id": "head",
          "tag": "markdown"
        },
        {
          "element_id": "form",
          "elements": [
            {
              "element_id": "words",
              "input_type": "multiline_text",
              "max_length": 1000,
              "name": "words",
              "placeholder": {
                "content": "What should the others know?",
                "i18n_content": {
                  "en_us": "What should the others know?",
                  "zh_cn": "想让大家知道什么？"
                },
                "tag": "plain_text"
              },
              "required": true,
              "rows": 3,
              "tag": "input",
              "width": "fill"
            },
            {
              "behaviors": [
                {
                  "type": "callback",
                  "value": {
                    "deed": "incident_comment"
                  }
                }
              ],
              "element_id": "send",
              "form_action_type": "submit",
              "name": "send",
              "size": "small",
              "tag": "button",
              "text": {
                "content": "Send",
                "i18n_content": {
                  "en_us": "Send",
                  "zh_cn": "提交"
                },
                "tag": "plain_text"
              },
              "type": "primary"
            }
          ],
          "name": "form",
          "tag": "form"
        }
      ]
    }
    "#);
    let said = said(42, "Li Lei · <at id=all></at>", Some("two\nlines"))["body"].to_string();
    assert!(!said.contains("<at"), "{said}");
}

#[test]
fn everything_that_can_happen_has_a_sentence_in_both_languages() {
    let key = || crate::incident::alert::AlertKey::new("a");
    let (li, mei) = (PersonId(LI.into()), PersonId("mei".into()));
    let title = || "p99 is\n2.4 s".to_owned();
    let id = || crate::incident::IncidentId("17-b2".into());
    let until = at("10:02:05");
    let happened = [
        What::AlertFired {
            key: key(),
            title: title(),
            severity: Severity::Error,
            again: true,
        },
        What::AlertRecovered {
            key: key(),
            title: title(),
        },
        What::AlertLate {
            key: key(),
            title: title(),
        },
        What::AlertsCounted {
            firing: 40,
            total: 50,
        },
        What::Recovering,
        What::Relapsed,
        What::SeverityChanged {
            from: Severity::Warning,
            to: Severity::Critical,
        },
        What::Unacknowledged,
        What::Snoozed { until },
        What::Silenced { until },
        What::Woke { worse: true },
        What::Woke { worse: false },
        What::Resolved { firing: 2 },
        What::Reopened { reason: title() },
        What::Assigned { to: mei.clone() },
        What::ResponderAdded { who: mei },
        What::TitleChanged { to: title() },
        What::ImpactChanged { to: title() },
        What::Absorbed {
            other: id(),
            number: 17,
        },
        What::MergedInto {
            other: id(),
            number: 17,
        },
        What::Escalated { level: 2 },
        What::Paged { who: li, level: 2 },
        What::RoomOpened {
            chat: "oc_r".into(),
            name: "#42".into(),
        },
        What::RoomGone {
            chat: "oc_r".into(),
        },
    ];
    let mut names = Names::default();
    names.insert(PersonId(LI.into()), "Li Lei".into());
    let zone = TimeZone::UTC;
    let told = |language| {
        let telling = Telling {
            names: &names,
            zone: &zone,
            now: at("08:31:00"),
            language,
        };
        let lines = happened.iter().map(|what| {
            telling.line(&Entry {
                number: 1,
                at: at("08:02:05"),
                noted_at: at("08:02:05"),
                by: by_li(),
                what: what.clone(),
            })
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(told(Language::En), @r"
    08:02:05 fires again, error: p99 is 2.4 s
    08:02:05 recovered: p99 is 2.4 s
    08:02:05 a report that came late changed nothing: p99 is 2.4 s
    08:02:05 40 of 50 alerts fire; from here on they are counted
    08:02:05 nothing fires any more
    08:02:05 something fires again
    08:02:05 severity warning is now critical
    08:02:05 Li Lei gave it back
    08:02:05 Li Lei put it off until 10:02:05
    08:02:05 Li Lei silenced alerts like these until 10:02:05
    08:02:05 back before its time, because it became worse
    08:02:05 back, the time is over
    08:02:05 Li Lei closed it while 2 still fired
    08:02:05 Li Lei reopened it: p99 is 2.4 s
    08:02:05 Li Lei assigned it to mei
    08:02:05 Li Lei added mei
    08:02:05 Li Lei renamed it: p99 is 2.4 s
    08:02:05 Li Lei wrote the impact: p99 is 2.4 s
    08:02:05 Li Lei merged #17 into this one
    08:02:05 Li Lei merged it into #17
    08:02:05 escalated to level 2
    08:02:05 told Li Lei (level 2)
    08:02:05 war room opened: #42
    08:02:05 the war room was dissolved
    ");
    assert_snapshot!(told(Language::Zh), @r"
    08:02:05 告警再次触发（错误）：p99 is 2.4 s
    08:02:05 告警恢复：p99 is 2.4 s
    08:02:05 迟到的告警，未做改动：p99 is 2.4 s
    08:02:05 50 条告警中 40 条未恢复，此后只计数
    08:02:05 所有告警已恢复
    08:02:05 告警再次触发
    08:02:05 级别由警告变为严重
    08:02:05 Li Lei 取消认领
    08:02:05 Li Lei 暂缓至 10:02:05
    08:02:05 Li Lei 将同类告警静默至 10:02:05
    08:02:05 情况变差，提前结束暂缓
    08:02:05 暂缓时间已到
    08:02:05 Li Lei 关闭故障，仍有 2 条告警未恢复
    08:02:05 Li Lei 重新打开：p99 is 2.4 s
    08:02:05 Li Lei 指派给 mei
    08:02:05 Li Lei 邀请 mei
    08:02:05 Li Lei 修改标题：p99 is 2.4 s
    08:02:05 Li Lei 填写影响：p99 is 2.4 s
    08:02:05 Li Lei 将 #17 合并到本故障
    08:02:05 Li Lei 将本故障合并到 #17
    08:02:05 升级到第 2 级
    08:02:05 已通知 Li Lei（第 2 级）
    08:02:05 作战室已创建：#42
    08:02:05 作战室已解散
    ");
    let by_itself = Entry {
        number: 1,
        at: at("08:02:05"),
        noted_at: at("08:02:05"),
        by: By::clock(),
        what: What::Resolved { firing: 0 },
    };
    let telling = Telling {
        names: &names,
        zone: &zone,
        now: at("08:31:00"),
        language: Language::En,
    };
    assert_snapshot!(telling.line(&by_itself), @"08:02:05 resolved, nothing fires any more");
}
