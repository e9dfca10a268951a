//! Where in the developer console a thing is set.

use crate::config::FeishuConfig;

/// The pages of one app.
#[derive(Debug, Clone)]
pub(super) struct Pages {
    app: String,
}

impl Pages {
    /// The pages of the configured app.
    pub(super) fn of(config: &FeishuConfig) -> Self {
        Self {
            app: format!("{}/app/{}", config.console_url(), config.app_id),
        }
    }

    /// Credentials & Basic Info.
    pub(super) fn credentials(&self) -> String {
        format!("{}/baseinfo", self.app)
    }

    /// Bot.
    pub(super) fn bot(&self) -> String {
        format!("{}/bot", self.app)
    }

    /// Permissions & Scopes, with these looked up.
    pub(super) fn scopes<S: AsRef<str>>(&self, scopes: &[S]) -> String {
        let names: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
        format!("{}/auth?q={}", self.app, names.join(","))
    }

    /// Events & Callbacks.
    pub(super) fn events(&self) -> String {
        format!("{}/event", self.app)
    }

    /// Version Management & Release.
    pub(super) fn versions(&self) -> String {
        format!("{}/version", self.app)
    }

    /// Security Settings.
    pub(super) fn security(&self) -> String {
        format!("{}/safe", self.app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Brand;

    #[test]
    fn a_page_is_one_of_the_apps_own_edition() {
        let link = |brand, base_url: Option<&str>| {
            let config = FeishuConfig {
                brand,
                base_url: base_url.map(str::to_owned),
                app_id: "cli_a".into(),
                ..FeishuConfig::default()
            };
            Pages::of(&config).scopes(&["im:message"])
        };
        let check = |found: String, host: &str| {
            assert_eq!(found, format!("https://{host}/app/cli_a/auth?q=im:message"));
        };
        check(link(Brand::Feishu, None), "open.feishu.cn");
        check(link(Brand::Lark, None), "open.larksuite.com");
        let private = "https://open.chat.example.com/";
        check(link(Brand::Feishu, Some(private)), "open.chat.example.com");
        let sandbox = "http://127.0.0.1:7700";
        check(link(Brand::Lark, Some(sandbox)), "open.larksuite.com");
    }
}
