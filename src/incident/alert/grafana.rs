//! Grafana's unified alerting: Alertmanager's shape with values, links and pictures.
//!
//! When a query fails or brings nothing, Grafana sends alerts named `DatasourceError` and `DatasourceNoData`
//! with the rule's name in `rulename`. They say that nobody is looking, so the title says that too.

use std::collections::BTreeMap;

use super::{
    Alert, AlertError, AlertKey, Batch, Format,
    alertmanager::{Group, read_group},
    fields::{self, Fields},
};

const REMEDY: &str =
    "configure this address as a webhook contact point in Grafana, without a custom payload";

/// Reads a request.
pub fn read(body: &[u8]) -> Result<Batch, AlertError> {
    let mut group = fields::object(body, REMEDY)?;
    read_group(&mut group, Format::Grafana, REMEDY, extend)
}

fn extend(alert: &mut Alert, fields: &mut Fields, group: &Group) {
    alert.links.silence = fields.text("silenceURL");
    alert.links.panel = fields.text("panelURL");
    alert.links.image = fields.text("imageURL");
    if let Some(dashboard) = fields.text("dashboardURL") {
        alert.links.dashboard = Some(dashboard);
    }
    // The same picture again, in base64 and too large to keep.
    fields.take("embeddedImage");

    let values = fields.texts("values");
    let value_string = fields.text("valueString");
    alert.values = match values.is_empty() {
        true => value_string
            .map(|text| parse_values(&text))
            .unwrap_or_default(),
        false => values,
    };

    // Fingerprints are of labels, which two organisations may share.
    if let Some(org) = fields.text("orgId").or_else(|| group.org.clone()) {
        alert.key = AlertKey::new(format!("{org}/{}", alert.key));
    }

    let rule = alert.labels.get("rulename").filter(|rule| !rule.is_empty());
    match (alert.labels.get("alertname").map(String::as_str), rule) {
        (Some("DatasourceError"), Some(rule)) => {
            alert.title = format!("{rule}: the query fails, so the rule sees nothing");
            if let Some(error) = alert.annotations.get("Error") {
                alert.description.clone_from(error);
            }
        }
        (Some("DatasourceNoData"), Some(rule)) => {
            alert.title = format!("{rule}: the query brings no data, so the rule sees nothing");
        }
        _ => {}
    }
    if alert.description.is_empty() && alert.annotations.is_empty() {
        alert.description.clone_from(&group.message);
    }
}

/// Reads `[ var='B' labels={…} type='reduce' value=3.5 ], […]`, which older versions send instead of values.
fn parse_values(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for piece in text.split("var='").skip(1) {
        let Some((name, rest)) = piece.split_once('\'') else {
            continue;
        };
        let Some((_, value)) = rest.rsplit_once("value=") else {
            continue;
        };
        let value = value.split([' ', ']', ',']).next().unwrap_or_default();
        values.insert(name.to_owned(), value.to_owned());
    }
    values
}
