//! What the agent's tools look at: metrics, logs, and whatever else is configured. A line for each.

use std::time::Duration;

use futures::future::{BoxFuture, join_all};

use super::finding::{Finding, Need, Verdict, both};

/// How long one may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Something that a tool asks. Whoever builds the tools names them, since nobody else knows them.
pub struct Endpoint {
    /// As the configuration calls it, such as `prometheus.main`.
    pub name: String,
    /// The key of the configuration that says where it is.
    pub key: String,
    /// Asks it for something small, and says in a few words what came, or what went wrong. Neither may hold
    /// a secret.
    pub answer: BoxFuture<'static, Result<String, String>>,
}

/// Asks all of them at once.
pub(super) async fn examine(endpoints: Vec<Endpoint>) -> Vec<Finding> {
    join_all(endpoints.into_iter().map(examine_one)).await
}

async fn examine_one(endpoint: Endpoint) -> Finding {
    let answered = tokio::time::timeout(PATIENCE, endpoint.answer).await;
    let answered = answered.unwrap_or_else(|_| Err("no answer".to_owned()));
    let (verdict, said) = match answered {
        Ok(said) => (Verdict::Works, said),
        Err(said) => (Verdict::Missing, said),
    };
    let (name, key) = (&endpoint.name, &endpoint.key);
    let line = Finding {
        check: format!("endpoint.{name}"),
        verdict,
        need: Need::Optional,
        name: both(format!("{name} answers"), format!("{name} 能应答")),
        found: both(said.clone(), said),
        symptom: None,
        remedy: None,
        link: None,
        scopes: Vec::new(),
    };
    if verdict == Verdict::Works {
        return line;
    }
    line.symptom(
        format!("Answers say that {name} could not be asked, and rest on less."),
        format!("回答会说明没能查询 {name}，依据因此更少。"),
    )
    .remedy(
        format!("Check {key} in the configuration, and that it can be reached from this machine."),
        format!("请检查配置中的 {key}，以及本机能否访问它。"),
    )
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_endpoint_has_its_line() {
        let endpoint = |name: &str, answer: BoxFuture<'static, Result<String, String>>| Endpoint {
            name: name.into(),
            key: "metrics.url".into(),
            answer,
        };
        let findings = examine(vec![
            endpoint("a", async { Ok("up".to_owned()) }.boxed()),
            endpoint("b", async { Err("401".to_owned()) }.boxed()),
            endpoint("c", futures::future::pending().boxed()),
        ])
        .await;
        let verdicts: Vec<_> = findings.iter().map(|finding| finding.verdict).collect();
        use Verdict::{Missing, Works};
        assert_eq!(verdicts, [Works, Missing, Missing]);
        assert_eq!(findings[2].found.en, "no answer");
    }
}
