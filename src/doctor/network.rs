//! Whether the platform can be reached, and whether its clock and ours agree.

use jiff::SignedDuration;

use super::finding::{Check, Finding, both};
use crate::{
    config::FeishuConfig,
    feishu::{Reached, Unreached},
};

const REACH: Check = Check::required("reach", "The platform can be reached", "平台可达");
const CLOCK: Check = Check::optional("clock", "The clocks agree", "时钟一致");

/// More than a second or two comes from a clock and not from the line.
const SKEW_MAX: SignedDuration = SignedDuration::from_secs(30);

/// Lines about the way to the platform.
pub(super) fn verdicts(config: &FeishuConfig, seen: &Result<Reached, Unreached>) -> Vec<Finding> {
    match seen {
        Ok(reached) => vec![reachable(config, reached), clock(reached)],
        Err(unreached) => vec![unreachable(config, unreached)],
    }
}

fn reachable(config: &FeishuConfig, reached: &Reached) -> Finding {
    let (url, ms) = (config.base_url(), reached.took.as_millis());
    REACH.works(both(
        format!("{url} answers in {ms} ms"),
        format!("{url} 在 {ms} 毫秒内应答"),
    ))
}

fn unreachable(config: &FeishuConfig, unreached: &Unreached) -> Finding {
    let url = config.base_url();
    let (en, zh, remedy_en, remedy_zh) = match unreached {
        Unreached::NoSuchName(_) => (
            "its name is not known here".to_owned(),
            "本机解析不了这个域名".to_owned(),
            "Check the spelling of feishu.base_url or feishu.brand, and this machine's DNS.",
            "请检查 feishu.base_url 或 feishu.brand 的写法，以及本机的 DNS。",
        ),
        Unreached::Refused(_) => (
            "the connection is refused".to_owned(),
            "连接被拒绝".to_owned(),
            "Check the host and port of feishu.base_url, and whether a firewall stands between.",
            "请检查 feishu.base_url 的主机和端口，以及中间是否有防火墙。",
        ),
        Unreached::Tls(said) => (
            format!("the connection cannot be made safe: {said}"),
            format!("无法建立安全连接：{said}"),
            "Install the certificate authority of your proxy or deployment on this machine, or correct http:// and https:// in feishu.base_url. Checking certificates cannot be switched off.",
            "请在本机安装代理或私有部署的 CA 证书，或改正 feishu.base_url 中的 http:// 与 https://。证书校验无法关闭。",
        ),
        Unreached::Slow => (
            "no answer within a few seconds".to_owned(),
            "数秒内没有应答".to_owned(),
            "Check that this machine may connect out to port 443, or set HTTPS_PROXY; the long connection itself uses no proxy.",
            "请检查本机能否访问外网 443 端口，或设置 HTTPS_PROXY；长连接本身不走代理。",
        ),
        Unreached::Other(said) => (
            said.clone(),
            said.clone(),
            "Check the network of this machine.",
            "请检查本机的网络。",
        ),
    };
    REACH
        .missing(both(format!("{url}: {en}"), format!("{url}：{zh}")))
        .symptom(
            "The bot is silent everywhere: it hears nothing and can say nothing.",
            "机器人在哪里都不作声：收不到消息，也发不出消息。",
        )
        .remedy(remedy_en, remedy_zh)
}

fn clock(reached: &Reached) -> Finding {
    let Some(skew) = reached.skew else {
        return CLOCK.unknown(both(
            "the platform's answer has no date",
            "平台的应答里没有日期",
        ));
    };
    let seconds = skew.abs().as_secs();
    if skew.abs() <= SKEW_MAX {
        return CLOCK.works(both(
            format!("{seconds} s apart"),
            format!("相差 {seconds} 秒"),
        ));
    }
    let (en, zh) = match skew.is_positive() {
        true => ("behind", "慢"),
        false => ("ahead of", "快"),
    };
    CLOCK
        .missing(both(
            format!("this machine is {seconds} s {en} the platform"),
            format!("本机比平台{zh} {seconds} 秒"),
        ))
        .symptom(
            "Times in answers are wrong, fresh commands count as late and are not carried out, and signed webhooks are refused.",
            "回答里的时间不对，刚发的命令被当作迟到而不执行，带签名的 webhook 会被拒绝。",
        )
        .remedy(
            "Let the machine keep its time by NTP (timedatectl set-ntp true); a container has its host's clock.",
            "请让本机用 NTP 对时（timedatectl set-ntp true）；容器使用宿主机的时钟。",
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;

    #[test]
    fn a_clock_may_be_wrong_by_half_a_minute_either_way() {
        for (skew, expected) in [
            (Some(0), Verdict::Works),
            (Some(-29), Verdict::Works),
            (Some(31), Verdict::Missing),
            (Some(-3600), Verdict::Missing),
            (None, Verdict::Unknown),
        ] {
            let reached = Reached {
                took: SignedDuration::from_millis(20),
                skew: skew.map(SignedDuration::from_secs),
            };
            assert_eq!(clock(&reached).verdict, expected, "{skew:?}");
        }
    }

    #[test]
    fn each_way_to_be_unreachable_has_its_own_remedy() {
        let config = FeishuConfig::default();
        let said = || "said".to_owned();
        let ways = [
            Unreached::NoSuchName(said()),
            Unreached::Refused(said()),
            Unreached::Tls(said()),
            Unreached::Slow,
            Unreached::Other(said()),
        ];
        let mut remedies: Vec<_> = ways
            .map(|way| verdicts(&config, &Err(way))[0].remedy.clone().unwrap().en)
            .to_vec();
        remedies.sort();
        remedies.dedup();
        assert_eq!(remedies.len(), 5);
    }
}
