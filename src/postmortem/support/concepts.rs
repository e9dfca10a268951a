//! The words of incidents that mean one thing, in English and Chinese: a small table, and what a word does to
//! its sentence.
//!
//! It bridges languages and plain synonyms, and nothing cleverer: a word that is not here stands for itself.

use std::{collections::HashMap, sync::LazyLock};

use super::reading::stem;

/// Deeds and states of which it matters whether they are told or denied. The first is what is called a cause.
const DEEDS: &[&str] = &[
    "cause|root cause|because|due to|owing to|reason|culprit|lead to|led to|result in|stem from|根因|根本原因|原因|导致|引起|造成|引发|由于|因为|起因|致使|诱因|罪魁祸首",
    "rule out|exclude|unrelated|nothing to do with|red herring|排除|无关",
    "affect|impact|hurt|suffer|影响|波及|受损",
    "recover|recovery|restore|resolve|resolution|solve|normal|healthy|all clear|back to normal|fix|repair|green|works|working|all good|good now|looks good|stable|恢复|解决|正常|解除|修复|修好|好了|复原|稳定|没问题了|绿了",
    "roll back|rollback|revert|回滚|回退|还原",
    "restart|reboot|bounce|重启",
    "deploy|release|rollout|roll out|ship|went live|go live|发布|上线|部署|发版",
    "inform|notify|tell|told|announce|post|communicate|status page|statuspage|通知|告知|公告|同步给|状态页",
    "lose|loss|lost|丢失|丢了|损失|丢数据",
    "complete|finish|done|完成|完毕|搞定|做完",
    "switch|fail over|failover|shift|redirect|drain|切换|切流|切到|切走|切回",
    "mitigate|ease|relieve|缓解|减轻|止血",
    "duplicate|twice|重复",
];

const OTHERS: &[&str] = &[
    "fail|failure|error|break|broke|broken|exception|5xx|失败|报错|错误|出错|异常|故障率",
    "slow|latency|delay|lag|degrade|sluggish|响应时间|延迟|变慢|缓慢|卡顿|时延|很慢|慢",
    "timeout|time out|timed out|超时",
    "unavailable|down|outage|offline|unreachable|crash|宕机|不可用|挂了|挂掉|崩溃|中断|瘫痪|打不开",
    "customer|user|client|people outside|用户|客户|顾客",
    "merchant|shop|商家|商户",
    "support|helpdesk|客服",
    "alert|alarm|fire|trigger|触发|告警|报警|警报",
    "page|call|呼叫|打电话",
    "database|db|mysql|postgres|数据库",
    "pool|connection pool|连接池",
    "connect|connection|连接|建连",
    "exhaust|full|ran out|run out|deplete|saturate|maxed out|max out|use up|耗尽|打满|用完|占满|满了|用尽|跑满|爆满",
    "increase|raise|rise|rose|grow|grew|climb|bump|expand|spike|surge|jump|double|go up|went up|上升|增加|调大|提高|升高|上涨|飙升|加大|扩大|升到|调高|涨到|突增|激增|翻倍",
    "decrease|drop|fall|fell|reduce|reduction|decline|lower|shrink|go down|going down|went down|subside|下降|减少|回落|降低|调小|降到|调低|变少",
    "small|low|insufficient|too few|undersized|太小|过小|偏小|不足|不够|过低|太低|小",
    "large|big|high|huge|太大|过大|过高|太高|很高",
    "config|configuration|configure|setting|parameter|配置|设置|参数|设为|设成",
    "change|modify|alter|adjust|变更|修改|改动|更改|改成|改了|改为|调整",
    "traffic|load|流量|负载",
    "request|请求|调用",
    "order|checkout|订单|下单|结账",
    "payment|pay|charge|支付|付款|扣款",
    "pause|stop|halt|disable|turn off|shut|kill|暂停|停止|关闭|停掉|下线|关掉|禁用|停了",
    "enable|turn on|activate|开启|启用|打开|启动",
    "confirm|verify|check|validate|验证|确认|检查|核实|核对",
    "take|took|pick up|acknowledge|ack|on it|look|investigate|investigation|work on|认领|接手|我来|处理|排查|调查|在看|跟进|查看|负责|我看",
    "hand over|handover|hand off|handoff|hand|take over|took over|交接|移交|转交|接班|接替",
    "cache|缓存",
    "queue|backlog|pile up|队列|堆积|积压",
    "memory|oom|内存",
    "disk|磁盘|硬盘",
    "network|网络",
    "log|日志",
    "certificate|cert|证书",
    "expire|expiry|过期|到期",
    "node|host|machine|server|instance|节点|机器|主机|服务器|实例",
    "pod|container|容器",
    "limit|throttle|rate limit|限流|限制|上限",
    "decide|agree|decision|let us|let's|决定|同意|商定",
    "monitor|dashboard|监控|看板|大盘",
    "complain|report|complaint|feedback|反馈|投诉|反映|报告",
    "declare|宣布|定级",
    "add|scale|scale out|capacity|扩容|容量|添加|加上|补上|新增|补充|加一|补",
    "query|sql|查询",
    "region|zone|datacenter|机房|地域|可用区|区域",
    "version|build|版本",
    "migrate|migration|迁移",
    "lock|deadlock|死锁|锁表|锁",
    "leak|泄漏|泄露",
    "refuse|reject|deny|拒绝",
    "refund|compensate|退款|赔付|补偿",
    "test|测试",
    "document|runbook|playbook|文档|手册|预案",
    "review|评审|审核",
    "retry|retries|重试",
    "thread|线程",
    "login|log in|sign in|登录|登陆",
    "message|消息",
    "gateway|网关",
    "dependency|upstream|downstream|依赖|上游|下游",
    "data|数据",
    "automate|automatic|自动",
    "threshold|阈值",
    "attack|hack|intrude|ddos|攻击|入侵",
];

/// Words that carry nothing of what a sentence says: grammar, and the words of those who report.
const STOP: &str = "a an the and or but nor of to in on at by for with from into onto over under about around \
    as is are was were be been being am do does did done has have had having it its itself he she they them \
    their his her him who whom whose which what that this these those there here when where while then than so \
    if we our us you your i me my will would shall should can could may might must not no very too also only \
    just again still yet already once more most much many few some any all both each every other another same \
    such own up out off back down after before during until since between through across against without within \
    along per via later earlier soon shortly initially first second last final finally eventually subsequently \
    afterwards meanwhile currently now today approximately roughly nearly almost total overall further however \
    therefore thus because although though due said say says saying state states stated note noted mention \
    mentioned observe observed see saw seen seem seemed appear appeared notice noticed find found show showed \
    shown become became happen happened occur occurred think thought suspect suspected suppose supposed maybe \
    perhaps probably possibly likely guess team engineer engineers person people someone somebody anybody \
    responder responders member members colleague incident issue issues problem problems service services \
    system systems situation event events time times minute minutes min hour hours second seconds day days \
    moment period duration last lasted lasting use used using make made get got give gave given need needed \
    next new existing previous old several number amount part thing things way set put went go gone going come \
    came keep kept one two three four five remain remained continue continued identify identified perform \
    performed carry carried action result kind call usage reach reached rate rates level return \
    returned carry update updated point begin began start started";

const STOP_HAN: &[&str] = &[
    "表示",
    "认为",
    "指出",
    "提到",
    "发现",
    "看到",
    "故障",
    "事故",
    "问题",
    "情况",
    "服务",
    "系统",
    "团队",
    "人员",
    "工程师",
    "同事",
    "期间",
    "随后",
    "之后",
    "之前",
    "以后",
    "同时",
    "进行",
    "约",
    "大约",
    "左右",
    "总计",
    "合计",
    "分钟",
    "小时",
    "目前",
    "当时",
    "现在",
    "最终",
    "最后",
    "持续",
    "出现",
    "发生",
    "部分",
    "所有",
    "全部",
    "相关",
    "通过",
    "需要",
    "存在",
    "其中",
    "以及",
    "并且",
    "然后",
    "因此",
    "所以",
    "后来",
    "接着",
    "期限",
    "已经",
    "仍然",
    "使用",
    "我们",
    "大家",
    "有人",
    "一个",
    "一些",
    "这个",
    "那个",
    "时间",
    "开始时",
    "占用",
    "使用率",
    "达到",
    "采取",
    "措施",
    "操作",
    "执行",
    "开始",
];

/// What a word does to its sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is one of the table, by its place.
    Concept(usize),
    /// It carries nothing.
    Stop,
    /// It denies what follows.
    Negation,
    /// It denies its whole sentence: `we lost no data`.
    Denial,
    /// It leaves open whether its sentence is so.
    Unsure,
    /// A new thought begins.
    Boundary,
}

/// What is called a cause.
pub(super) const CAUSE: usize = 0;
/// What takes a cause back.
pub(super) const RULED_OUT: usize = 1;

/// Whether it matters if this is told or denied.
pub(super) fn is_deed(concept: usize) -> bool {
    concept < DEEDS.len()
}

/// All words that mean something to us.
pub(super) struct Lexicon {
    /// Stems, one to three of them joined by a blank.
    pub(super) english: HashMap<String, Meaning>,
    /// Chinese words.
    pub(super) han: HashMap<Vec<char>, Meaning>,
}

/// The longest Chinese word of the lexicon.
pub(super) const HAN_MAX: usize = 6;

pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon {
        english: HashMap::new(),
        han: HashMap::new(),
    };
    STOP.split_whitespace()
        .for_each(|word| lexicon.add(word, Meaning::Stop));
    STOP_HAN
        .iter()
        .for_each(|word| lexicon.add(word, Meaning::Stop));
    for (place, row) in DEEDS.iter().chain(OTHERS).enumerate() {
        row.split('|')
            .for_each(|form| lexicon.add(form, Meaning::Concept(place)));
    }
    let effects: [(Meaning, &str); 5] = [
        // Words that hold a "not" and deny nothing.
        (
            Meaning::Stop,
            "not only|not just|not the only|no doubt|不仅|不光|不断|不久|不同|不过|不但|不得不|无论|非常|不少|无缝|没多久",
        ),
        (
            Meaning::Negation,
            "not|without|cannot|unable to|no longer|fail to|没有|没|未|不|无|并未|尚未|从未|未能|无法|不能|毫无|没人|非",
        ),
        (
            Meaning::Denial,
            "no|never|nobody|none|nothing|neither|nor|lack|缺少|缺乏",
        ),
        (
            Meaning::Unsure,
            "whether|if|unclear|unknown|not sure|not clear|maybe|perhaps|might|probably|possibly|likely|suspect|suspected|think|guess|是否|不确定|不清楚|是不是|不知道|可能|怀疑|疑似|也许|估计|如果",
        ),
        (
            Meaning::Boundary,
            "and|but|although|though|however|until|while|which|so|after|before|when|但|但是|而|且|并且|之后|以后|直到",
        ),
    ];
    for (meaning, forms) in effects {
        forms.split('|').for_each(|form| lexicon.add(form, meaning));
    }
    lexicon
});

impl Lexicon {
    fn add(&mut self, form: &str, meaning: Meaning) {
        if form.is_ascii() {
            let stems: Vec<String> = form.split(' ').map(stem).collect();
            self.english.insert(stems.join(" "), meaning);
        } else {
            self.han.insert(form.chars().collect(), meaning);
        }
    }
}
