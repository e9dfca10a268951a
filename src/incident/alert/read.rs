//! One door to every format.

use super::{
    AlertError, Batch, Format, Headers, alertmanager, cloudevents, feishu_bot, flashduty,
    generic::{self, Mapping},
    grafana, nightingale, pagerduty,
};

/// Reads a request that tells of alerts. Signatures are checked elsewhere.
pub fn read(
    format: Format,
    body: &[u8],
    headers: Headers<'_>,
    mapping: Option<&Mapping>,
) -> Result<Batch, AlertError> {
    match format {
        Format::Alertmanager => alertmanager::read(body),
        Format::Grafana => grafana::read(body),
        Format::Nightingale => nightingale::read(body),
        Format::Pagerduty => pagerduty::read(body),
        Format::Flashduty => flashduty::read(body),
        Format::Cloudevents => cloudevents::read(body, headers, mapping),
        Format::FeishuBot => feishu_bot::read(body),
        Format::Generic => match mapping {
            Some(mapping) => generic::read(body, mapping),
            None => Err(AlertError::Unreadable(
                "this integration has no `mapping`, which says where things are in JSON of its own kind"
                    .to_owned(),
            )),
        },
    }
}

/// Reads a request that tells of a change, in the formats that have such a thing.
pub fn read_change(format: Format, body: &[u8]) -> Result<Batch, AlertError> {
    match format {
        Format::Pagerduty => pagerduty::read_change(body),
        Format::Flashduty => flashduty::read_change(body),
        _ => Err(AlertError::Unreadable(
            "this format does not tell of changes".to_owned(),
        )),
    }
}
