//! Honest and invented claims, each with its sources: the bounds are chosen so that every honest one passes.

use super::*;
use crate::postmortem::events::names_a_cause;

/// Claims as models word them, each with what it rests on.
#[rustfmt::skip]
const HONEST: &[(&str, &[&str])] = &[
    // English from English.
    ("payment-gw was rolled back to 1.8.2.", &["rolled back payment-gw to 1.8.2"]),
    ("Roughly 1,200 orders failed.", &["about 1,200 orders failed"]),
    ("Customers could not complete payments from 13:52 on.", &["payments fail for customers since 13:52"]),
    ("The connection pool of payment-gw was exhausted.", &["payment-gw: pool is full, all 50 connections in use"]),
    ("Li Lei suspected that the connection pool was exhausted.", &["maybe the pool is exhausted"]),
    ("Redis was ruled out because its latency was flat.", &["Redis is not the cause, its latency is flat"]),
    ("The root cause was the pool size of payment-gw.", &["The root cause was the pool size of payment-gw, we set it to 5"]),
    ("The outage was caused by a pool size that had been set to 5.", &["The root cause was the pool size of payment-gw, we set it to 5"]),
    ("Error rates returned to normal after the rollback.", &["errors are back to normal", "rollback done"]),
    ("The team decided to revert the release.", &["let's roll back the deploy"]),
    ("Traffic was redirected to the second region.", &["switching traffic over to region b now"]),
    ("The on-call engineer acknowledged the alert and began to investigate.", &["I'm on it, looking at the alert"]),
    ("A latency alert fired for checkout.", &["[FIRING] checkout latency p99 above 2s"]),
    ("Support was informed about the outage.", &["told support that checkout is down"]),
    ("The incident was declared as severity 1.", &["declaring an incident, sev1"]),
    ("An expired certificate on the gateway led to the failures.", &["found it: the gateway cert expired last night and that caused the errors"]),
    ("No customer data was lost.", &["we lost no data, checked the replicas"]),
    ("The migration locked the orders table.", &["root cause: the migration took a lock on the orders table"]),
    ("Add an alert on the pool usage.", &["action item: add an alert for pool usage"]),
    ("Disk usage on db-1 reached 98%.", &["db-1 disk at 98%"]),
    ("The queue began to drain and the backlog shrank.", &["queue is draining, backlog going down"]),
    ("Retries amplified the load on the database.", &["the retries made the db load much worse"]),
    ("Customers were not affected.", &["no customer impact so far"]),
    ("The service had not recovered at that point.", &["not resolved yet, still seeing errors"]),
    ("The feature flag was switched off.", &["turned off the feature flag"]),
    ("Memory usage grew until the pods were killed.", &["pods get OOM killed, memory keeps climbing"]),
    ("Han Meimei handed the incident over to Li Lei.", &["handing over to Li Lei, I am off", "Han Meimei"]),
    ("The rollback was verified in staging.", &["checked the rollback in staging, looks good"]),
    ("The dashboard did not show the pool usage, which slowed the diagnosis.", &["we had no dashboard for the pool, that slowed us"]),
    ("It was fortunate that the deploy happened outside of peak hours.", &["we were lucky that the deploy was off peak"]),
    ("The status page was updated.", &["posted to the status page"]),
    ("A configuration change reduced the timeout to 1 second.", &["the config change lowered the timeout from 5s to 1s"]),
    // Chinese from Chinese.
    ("payment-gw 已回滚到 1.8.2。", &["把 payment-gw 回滚到 1.8.2 了"]),
    ("约1200笔订单失败。", &["大概 1200 笔订单失败了"]),
    ("根因是连接池配置过小。", &["根因是连接池配置太小，只有 5"]),
    ("由于连接池过小，请求排队超时。", &["根因是连接池太小，请求都在排队然后超时"]),
    ("李雷怀疑数据库慢查询导致延迟升高。", &["怀疑是数据库慢查询，延迟涨得厉害", "李雷"]),
    ("数据库被排除，慢查询没有增加。", &["排除数据库，慢查询数没涨"]),
    ("团队决定先回滚 payment-gw。", &["那就先回滚 payment-gw 吧"]),
    ("错误率开始下降。", &["错误率降下来了"]),
    ("服务已恢复正常。", &["全部恢复了，监控都正常"]),
    ("王芳认领了故障并开始排查。", &["我来看", "王芳"]),
    ("已通知客服安抚用户。", &["跟客服说了，让他们安抚用户，已通知"]),
    ("后续需要为连接池使用率增加告警。", &["后续要补一个连接池使用率的告警"]),
    ("此次故障未影响用户数据。", &["用户数据没有受影响"]),
    ("网关证书过期导致握手失败。", &["查到了，网关证书过期了，握手都失败，就是这个原因"]),
    ("流量被切换到备用机房。", &["流量切到备用机房了"]),
    ("重启节点后内存占用下降。", &["重启完了，内存占用降了"]),
    ("支付成功率降至 70%。", &["支付成功率掉到 70% 了"]),
    ("缓存命中率下降，数据库压力上升。", &["缓存命中率掉了，数据库压力很大"]),
    // Across.
    ("payment-gw 已回滚。", &["rolled back payment-gw"]),
    ("约1200笔订单失败。", &["about 1,200 orders failed"]),
    ("根因是连接池过小。", &["The root cause was that the connection pool is too small"]),
    ("客户没有受到影响。", &["customers were not affected"]),
    ("数据库延迟升高。", &["db latency is rising"]),
    ("The payment gateway was rolled back.", &["支付网关回滚完成"]),
    ("Customers reported failing payments.", &["客服反馈很多用户支付失败"]),
    ("The service recovered.", &["已恢复正常"]),
    ("The database was ruled out.", &["排除数据库，慢查询没有增加"]),
    ("The release had caused timeouts.", &["是这次发布导致的超时"]),
];

/// Plausible sentences that their sources do not carry.
#[rustfmt::skip]
const INVENTED: &[(&str, &[&str])] = &[
    // A real citation of something else.
    ("Customers were informed about the outage.", &["rolled back payment-gw to 1.8.2"]),
    ("The team reacted quickly and the situation was under control.", &["rolled back payment-gw to 1.8.2"]),
    ("A full audit of the infrastructure was carried out.", &["about 1,200 orders failed"]),
    ("The database ran out of disk space.", &["payment-gw times out since 13:52, maybe the pool is exhausted"]),
    ("A memory leak made the pods crash.", &["rolled back payment-gw to 1.8.2"]),
    ("Monitoring detected the anomaly immediately.", &["I'm on it"]),
    ("The vendor confirmed an outage on their side.", &["maybe Redis is slow"]),
    ("All refunds were processed the same evening.", &["about 1,200 orders failed"]),
    ("A hacker gained access to the network.", &["payment-gw times out since 13:52"]),
    ("The backup was restored successfully.", &["let's roll back"]),
    ("An expired certificate broke the handshake.", &["errors since the deploy of 13:50"]),
    ("A load test in staging had predicted the failure.", &["rolled back payment-gw to 1.8.2"]),
    ("Legal and compliance were consulted.", &["told support that checkout is down"]),
    ("The change had been approved in review.", &["deployed 1.8.3 at 13:50"]),
    ("Sales lost two large contracts because of it.", &["about 1,200 orders failed"]),
    // Causes swapped or invented.
    ("The root cause was an expired certificate.", &["The root cause was the pool size of payment-gw, we set it to 5"]),
    ("The outage was caused by a network partition.", &["The root cause was the pool size of payment-gw, we set it to 5"]),
    ("Orders failed because the disk was full.", &["The root cause was the pool size of payment-gw, we set it to 5"]),
    ("The timeouts caused the pool to be exhausted.", &["the exhausted pool caused the timeouts"]),
    ("A faulty deploy led to the outage.", &["the cause was a certificate that expired"]),
    ("The root cause was a missing index.", &["root cause: the migration took a lock on the orders table"]),
    ("The outage was due to a DDoS attack.", &["the cause is the retry storm after the failover"]),
    ("A bug in the retry logic resulted in the outage.", &["the root cause was the config change of yesterday"]),
    ("The failover was the root cause.", &["the cause is the bad config, the failover only made it visible"]),
    // Negation flipped.
    ("Customers were affected.", &["customers were not affected"]),
    ("Customers were not affected.", &["customers in the EU are affected"]),
    ("The incident was resolved.", &["not resolved yet, still seeing errors"]),
    ("Data was lost.", &["we lost no data, checked the replicas"]),
    ("The rollback was never carried out; payment-gw was not rolled back.", &["rolled back payment-gw to 1.8.2"]),
    ("Redis was the cause.", &["Redis is not the cause, its latency is flat"]),
    ("Support was notified.", &["we have not notified support yet"]),
    ("The service had recovered.", &["it has not recovered, errors continue"]),
    // Right numbers, wrong subjects.
    ("1,200 users complained and 30 orders failed.", &["1,200 orders failed, 30 users complained"]),
    ("The 5 nodes and 40 pods were restarted.", &["restarted 40 nodes and 5 pods"]),
    // A half that is true.
    ("payment-gw was rolled back and all customers were refunded.", &["rolled back payment-gw to 1.8.2"]),
    ("About 1,200 orders failed, which cost the company a considerable amount of money.", &["about 1,200 orders failed"]),
    ("The rollback was completed, and the legal department was informed.", &["rollback done"]),
    // Chinese.
    ("已通知所有客户并致歉。", &["把 payment-gw 回滚到 1.8.2 了"]),
    ("磁盘写满导致数据库宕机。", &["根因是连接池配置太小，只有 5"]),
    ("根因是证书过期。", &["根因是连接池配置太小，只有 5"]),
    ("由于网络分区，订单失败。", &["根因是连接池配置太小，只有 5"]),
    ("超时导致了连接池耗尽。", &["根因是连接池耗尽，导致请求超时"]),
    ("用户受到影响。", &["用户数据没有受影响"]),
    ("服务已恢复。", &["还没有恢复，错误率还是高"]),
    ("服务未受影响。", &["服务受影响，大量报错"]),
    ("团队第一时间进行了应急演练。", &["错误率降下来了"]),
    ("运维人员更换了损坏的硬件。", &["把 payment-gw 回滚到 1.8.2 了"]),
    ("监控在一分钟内发现了异常流量。", &["我来看"]),
    ("法务部门评估了合同风险。", &["大概 1200 笔订单失败了"]),
    ("1200名用户投诉，30笔订单失败。", &["1200笔订单失败，30名用户投诉"]),
    // Across.
    ("已通知所有客户。", &["rolled back payment-gw"]),
    ("根因是证书过期。", &["The root cause was the pool size of payment-gw"]),
    ("服务已恢复。", &["not resolved yet"]),
    ("Customers were affected.", &["用户没有受影响"]),
    ("The disk of the database was full.", &["支付网关回滚完成"]),
    ("The certificate had expired.", &["根因是连接池配置太小"]),
];

/// Claims that were written after the table of words, and only measured.
#[rustfmt::skip]
const HONEST_LATER: &[(&str, &[&str])] = &[
    ("Checkout became unavailable for users in the EU.", &["checkout is down for EU users"]),
    ("CPU usage on the database spiked to 95%.", &["db cpu jumped to 95%"]),
    ("Li Lei restarted the affected pods.", &["restarted the pods", "Li Lei"]),
    ("The scheduled job deleted the cache keys.", &["looks like the cron job deleted our cache keys"]),
    ("A retry storm after the failover overloaded the primary.", &["the cause is the retry storm after the failover, the primary could not keep up"]),
    ("The root cause was a retry storm after the failover.", &["the cause is the retry storm after the failover, the primary could not keep up"]),
    ("The deploy pipeline lacked a canary stage.", &["we have no canary stage in the deploy pipeline"]),
    ("Latency dropped after the pool was enlarged.", &["raised the pool to 50", "latency is falling"]),
    ("The incident was caused by an invalid DNS record.", &["root cause: wrong DNS record, resolved to the old lb"]),
    ("The runbook for the gateway was outdated.", &["the gateway runbook is out of date"]),
    ("Nobody noticed the alert for 20 minutes.", &["the alert was in the wrong channel, no one saw it"]),
    ("Requests piled up in the queue.", &["queue is piling up, 40k requests waiting"]),
    ("Two replicas were added to the deployment.", &["scaled order-svc up by two replicas"]),
    ("The vendor was contacted.", &["opened a case with the vendor, contacted their support"]),
    ("Data was verified to be consistent.", &["checked the data, all consistent"]),
    ("It was agreed to keep the flag off until Monday.", &["ok, let's keep the flag off until Monday"]),
    ("磁盘使用率达到 98%。", &["db-1 磁盘 98% 了"]),
    ("韩梅梅将故障移交给李雷。", &["交接给李雷，我下班了", "韩梅梅"]),
    ("定时任务误清理了缓存。", &["定时任务把缓存清掉了"]),
    ("由于发布引入的慢查询，数据库连接被占满。", &["原因是这次发布带了个慢查询，把数据库连接占满了"]),
    ("回滚后支付成功率恢复。", &["回滚完了", "支付成功率回来了，恢复正常"]),
    ("消息队列出现积压。", &["队列堆了很多消息"]),
    ("值班手册缺少相关步骤。", &["值班手册里没写这个步骤"]),
    ("扩容后延迟明显下降。", &["扩容之后延迟降了很多"]),
    ("灰度发布未覆盖该场景。", &["灰度没覆盖到这个场景"]),
    ("告警阈值设置过高，未能及早触发。", &["告警阈值太高了，没触发"]),
    ("The queue was backed up.", &["队列积压了"]),
    ("数据库已切换到备库。", &["failed over the database to the standby"]),
];

#[rustfmt::skip]
const INVENTED_LATER: &[(&str, &[&str])] = &[
    ("The board was briefed about the incident.", &["restarted the pods"]),
    ("A rollback plan was prepared in advance.", &["db cpu jumped to 95%"]),
    ("The team held a video conference to coordinate.", &["queue is piling up"]),
    ("The firewall blocked legitimate traffic.", &["checkout is down for EU users"]),
    ("The root cause was a misconfigured firewall.", &["the cause is the retry storm after the failover"]),
    ("The outage was caused by the cron job.", &["root cause: wrong DNS record"]),
    ("An outdated library led to the failure.", &["root cause: wrong DNS record"]),
    ("The pool was not enlarged; nothing was changed.", &["raised the pool to 50"]),
    ("The flag was turned on again on Monday and revenue recovered.", &["ok, let's keep the flag off"]),
    ("The database was migrated to new hardware.", &["db cpu jumped to 95%"]),
    ("The incident was fully resolved within minutes.", &["restarted the pods"]),
    ("Payments were duplicated for some users.", &["checkout is down for EU users"]),
    ("Nobody was affected.", &["EU users are affected, checkout fails"]),
    ("The alert was acknowledged by the night shift.", &["scaled order-svc up by two replicas"]),
    ("Encryption keys were rotated as a precaution.", &["rollback done"]),
    ("相关负责人第一时间赶到现场。", &["db-1 磁盘 98% 了"]),
    ("根因是内存泄漏。", &["原因是这次发布带了个慢查询，把数据库连接占满了"]),
    ("数据库连接被占满导致了慢查询。", &["原因是慢查询，把数据库连接占满了"]),
    ("所有用户均已收到退款。", &["支付成功率回来了"]),
    ("灰度发布覆盖了该场景。", &["灰度没覆盖到这个场景"]),
    ("未通知客服。", &["已经通知客服了"]),
    ("安全团队排查了入侵痕迹。", &["队列堆了很多消息"]),
    ("The security team found traces of an intrusion.", &["队列堆了很多消息"]),
    ("团队向监管部门提交了报告。", &["restarted the pods"]),
];

/// What is found against a claim that is marked for it; `None` for one that passes or is only warned of.
fn caught(claim: &str, sources: &[&str]) -> Option<&'static str> {
    let carrier = Carrier::of(sources.iter().copied());
    let states_one = sources.iter().any(|source| names_a_cause(source));
    if names_a_cause(claim)
        && !denies_a_cause(claim)
        && states_one
        && !is_stated_cause(claim, sources)
    {
        return Some("cause");
    }
    if carrier.denies(claim).is_some() {
        return Some("denied");
    }
    if carrier.swapped(claim).is_some() {
        return Some("swapped");
    }
    (carrier.support(claim).weight() == Weight::Bare).then_some("bare")
}

#[test]
fn every_honest_claim_passes() {
    for (claim, sources) in HONEST.iter().chain(HONEST_LATER) {
        let support = Carrier::of(sources.iter().copied()).support(claim);
        assert_eq!(caught(claim, sources), None, "{claim}: {support:?}");
        assert_ne!(support.weight(), Weight::Thin, "{claim}: {support:?}");
    }
}

/// Those that code cannot see, so that nobody believes that it can.
const UNSEEN: [&str; 2] = [
    // Only a few verbs are held against their denial.
    "灰度发布覆盖了该场景。",
    // Another language, and no word of it in the table.
    "The security team found traces of an intrusion.",
];

#[test]
fn invented_claims_are_caught_but_for_those_that_are_known() {
    let all = INVENTED.iter().chain(INVENTED_LATER);
    let missed: Vec<&str> = all
        .filter(|(claim, sources)| caught(claim, sources).is_none())
        .map(|(claim, _)| *claim)
        .collect();
    assert_eq!(missed, UNSEEN);
}
