//! The configuration: that it can be read, and what in it is risky.

use std::{os::unix::fs::PermissionsExt, path::Path};

use secrecy::ExposeSecret;

use super::finding::{Check, Finding, both};
use crate::config::{Config, ConfigError, is_this_machine};

const CONFIG: Check = Check::required("config", "The configuration is sound", "配置有效");
const FILE_MODE: Check = Check::optional(
    "config.file",
    "Only its owner reads the configuration",
    "配置文件仅所有者可读",
);
const WEB: Check = Check::optional(
    "config.web",
    "The bot's own HTTP is not for everybody",
    "机器人的 HTTP 不对外公开",
);
const PLAIN: Check = Check::optional(
    "config.plain",
    "What is sent over the network is encrypted",
    "网络传输已加密",
);
const KEY: Check = Check::optional("config.model_key", "The model has a key", "已配置模型密钥");
const ADMINISTRATORS: Check = Check::optional(
    "config.administrators",
    "Somebody is in charge of the bot",
    "有人负责这个机器人",
);
const STATE: Check = Check::optional(
    "config.store",
    "State outlives a restart",
    "状态不会因重启丢失",
);
const TEMPLATES: Check = Check::optional(
    "config.templates",
    "The templates of reports can be read",
    "复盘报告模板可以读取",
);

/// The one line about a configuration that cannot be used.
pub(super) fn unusable(error: &ConfigError) -> Finding {
    let problems = error.problems.join("; ");
    CONFIG
        .missing(both(problems.clone(), problems))
        .symptom("The bot does not start.", "机器人无法启动。")
        .remedy(
            format!(
                "Correct {}; config.example.toml shows every key.",
                error.source
            ),
            format!(
                "请修改 {}；config.example.toml 列出了全部配置项。",
                error.source
            ),
        )
}

/// The mode of the configuration's file, if it has one.
pub(super) fn mode_of(file: &Path) -> Option<u32> {
    let metadata = std::fs::metadata(file).ok()?;
    Some(metadata.permissions().mode())
}

/// Lines about a configuration that can be used; there is one for each risk that it takes.
pub(super) fn verdicts(config: &Config, file_mode: Option<u32>) -> Vec<Finding> {
    let mut findings = vec![CONFIG.works(both("it can be used", "可以使用"))];
    // What the sandbox hands out is no secret, and nothing lasts there.
    let is_in_earnest = !config.feishu.is_on_this_machine();
    findings.extend(open_file(file_mode.filter(|_| is_in_earnest)));
    findings.extend(open_web(config));
    findings.extend(plain_text(config));
    findings.extend(templates(config));
    findings.extend(no_key(config));
    findings.extend(passing_state(config).filter(|_| is_in_earnest));
    findings.extend(nobody_in_charge(config).filter(|_| is_in_earnest));
    findings
}

/// A line where a template in the folder cannot be used. The one of the configuration is checked with it.
fn templates(config: &Config) -> Option<Finding> {
    let faults = config.postmortem.folder().faults();
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let found = (!faults.is_empty()).then(|| faults.join("; "))?;
    let line = TEMPLATES.missing(both(found.clone(), found)).symptom(
        "A report that asks for it is drafted with another template.",
        "使用该模板的复盘报告会改用其他模板。",
    );
    Some(line.remedy(
        "Correct the file: a section begins with \"## \", its guidance with \"> \"; or take it out of the folder.",
        "请修改该文件：每节以“## ”开头，说明以“> ”开头；或将其移出该目录。",
    ))
}

fn open_file(mode: Option<u32>) -> Option<Finding> {
    let mode = mode.filter(|mode| mode & 0o077 != 0)? & 0o777;
    let line = FILE_MODE.missing(both(
        format!("others may read the file (mode {mode:o})"),
        format!("其他用户可以读取该文件（权限 {mode:o}）"),
    ));
    Some(
        line.symptom(
            "Whoever has an account on this machine can read the secrets in it and speak as the bot.",
            "本机上的任何用户都能读到其中的密钥，并以机器人身份发言。",
        )
        .remedy(
            "chmod 600 the file, or keep the secrets in files of their own (app_secret_file) or in the environment.",
            "请对该文件执行 chmod 600，或把密钥放进单独的文件（app_secret_file）或环境变量。",
        ),
    )
}

fn open_web(config: &Config) -> Option<Finding> {
    let listen = config.web.listen;
    (!listen.ip().is_loopback()).then(|| {
        WEB.missing(both(
            format!("it listens at {listen}"),
            format!("监听 {listen}"),
        ))
        .symptom(
            "Whoever reaches this address reads the bot's numbers.",
            "能访问该地址的人都能读到机器人的运行数据。",
        )
        .remedy(
            "Set web.listen to 127.0.0.1:7780, or let only your collector and, for webhooks, a proxy with TLS through to it.",
            "请把 web.listen 设为 127.0.0.1:7780，或只放行监控采集器；使用 webhook 时只放行带 TLS 的代理。",
        )
    })
}

fn plain_text(config: &Config) -> Option<Finding> {
    let addresses = [
        ("feishu.base_url", config.feishu.base_url()),
        ("model.base_url", config.model.base_url.as_str()),
    ];
    let plain = |(_, url): &(&str, &str)| url.starts_with("http://") && !is_this_machine(url);
    let keys: Vec<&str> = addresses
        .into_iter()
        .filter(plain)
        .map(|(key, _)| key)
        .collect();
    let keys = keys.join(", ");
    (!keys.is_empty()).then(|| {
        PLAIN
            .missing(both(
                format!("{keys} begins with http:// and is not of this machine"),
                format!("{keys} 以 http:// 开头，且不在本机"),
            ))
            .symptom(
                "Secrets and conversations can be read on the way.",
                "密钥和对话内容可能在途中被窃听。",
            )
            .remedy(
                format!("Use https:// for {keys}, unless that network is yours alone."),
                format!("请为 {keys} 使用 https://，除非该网络完全由你们自己掌控。"),
            )
    })
}

fn no_key(config: &Config) -> Option<Finding> {
    let has_none = config.model.api_key.expose_secret().trim().is_empty();
    let wants_one = config.model.base_url.starts_with("https://");
    (has_none && wants_one).then(|| {
        KEY.missing(both("model.api_key is empty", "model.api_key 为空"))
            .symptom(
                "If the server wants a key, every answer says that it does not accept ours.",
                "如果模型服务需要密钥，每个回答都会提示密钥不被接受。",
            )
            .remedy(
                "Set model.api_key, model.api_key_file, or NIGHTJAR__MODEL__API_KEY.",
                "请设置 model.api_key、model.api_key_file 或 NIGHTJAR__MODEL__API_KEY。",
            )
    })
}

fn passing_state(config: &Config) -> Option<Finding> {
    let path = std::path::absolute(&config.store.path).ok()?;
    let passing = ["/tmp", "/var/tmp", "/dev/shm", "/run"];
    let is_passing = passing.iter().any(|folder| path.starts_with(folder));
    is_passing.then(|| {
        STATE
            .missing(both(
                format!("store.path is {}", path.display()),
                format!("store.path 为 {}", path.display()),
            ))
            .symptom(
                "After a reboot the bot has forgotten its conversations, and questions that were under way are lost.",
                "机器重启后机器人会忘记之前的对话，处理中的问题也会丢失。",
            )
            .remedy(
                "Choose a folder that lasts, such as /var/lib/nightjar.",
                "请换一个持久的目录，例如 /var/lib/nightjar。",
            )
    })
}

fn nobody_in_charge(config: &Config) -> Option<Finding> {
    config.access.administrators.is_empty().then(|| {
        ADMINISTRATORS
            .missing(both(
                "access.administrators is empty",
                "access.administrators 为空",
            ))
            .symptom(
                "Nobody is told when something is wrong with the bot, and nobody may use /doctor.",
                "机器人出问题时没有人会收到通知，也没有人能使用 /诊断。",
            )
            .remedy(
                "Name at least one person under access.administrators, by e-mail address or open_id.",
                "请在 access.administrators 中写明至少一人（邮箱或 open_id）。",
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risks(text: &str, mode: Option<u32>) -> Vec<String> {
        let least = format!("[feishu]\napp_id = \"cli_a\"\napp_secret = \"hush\"\n{text}");
        let config = Config::parse("the test", &least, []).unwrap();
        let findings = verdicts(&config, mode);
        let text = format!("{findings:?}");
        assert!(!text.contains("hush"), "{text}");
        findings.into_iter().skip(1).map(|one| one.check).collect()
    }

    #[test]
    fn each_risk_has_a_line_and_a_careful_configuration_has_none() {
        let careful = "[model]\napi_key = \"k\"\n[store]\npath = \"/var/lib/nightjar\"\n\
            [access]\nadministrators = [\"ou_boss\"]\n";
        assert!(risks(careful, Some(0o100600)).is_empty());
        let careless = "base_url = \"http://feishu.example.com\"\n\
            [model]\nbase_url = \"https://model.example.com/v1\"\n\
            [web]\nlisten = \"0.0.0.0:7780\"\n[store]\npath = \"/tmp/nightjar\"\n";
        assert_eq!(
            risks(careless, Some(0o100644)),
            [
                "config.file",
                "config.web",
                "config.plain",
                "config.model_key",
                "config.store",
                "config.administrators"
            ]
        );
    }

    #[test]
    fn the_sandbox_is_no_risk() {
        let sandbox = "base_url = \"http://127.0.0.1:7700\"\n\
            [model]\nbase_url = \"http://127.0.0.1:7700/v1\"\n[store]\npath = \"/tmp/nightjar\"\n";
        assert!(risks(sandbox, Some(0o100644)).is_empty());
    }
}
