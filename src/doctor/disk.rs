//! Where state is kept: whether the folder can be used, by whom it is, and how much room there is.

use super::{
    finding::{Check, Finding, both},
    running::Running,
};
use crate::{
    config::StoreConfig,
    store::{Folder, Standing},
};

const STORE: Check = Check::required("store", "State can be kept", "状态可以保存");
const ROOM: Check = Check::required("store.room", "There is room on its disk", "磁盘空间充足");

/// Below this the store may stop at any moment.
const ROOM_MIN_MIB: u64 = 50;
/// Below this somebody should look after it.
const ROOM_COMFORT_MIB: u64 = 500;

/// Lines about the folder, seen from outside.
pub(super) fn verdicts(
    config: &StoreConfig,
    folder: &Folder,
    running: Option<&Running>,
) -> Vec<Finding> {
    let mut findings = vec![usable(config, &folder.standing, running)];
    if let Some(bytes) = folder.free_bytes {
        findings.push(room(bytes));
    }
    findings
}

/// Lines about the store of the bot that examines itself.
pub(super) fn from_inside(is_writable: bool, folder: &Folder) -> Vec<Finding> {
    let line = match is_writable {
        true => STORE.works(both("open, and takes what is written", "已打开，可以写入")),
        false => not_writable(STORE.missing(both(
            "open, and takes nothing: its disk failed or is full",
            "已打开，但写不进去：磁盘出错或已满",
        ))),
    };
    let mut findings = vec![line];
    if let Some(bytes) = folder.free_bytes {
        findings.push(room(bytes));
    }
    findings
}

fn usable(config: &StoreConfig, standing: &Standing, running: Option<&Running>) -> Finding {
    let path = config.path.display();
    match standing {
        Standing::New => STORE.works(both(
            format!("{path} is not there yet and can be made"),
            format!("{path} 还不存在，可以创建"),
        )),
        Standing::Free => STORE.works(both(
            format!("{path} is free; no bot uses it"),
            format!("{path} 空闲，没有机器人在使用"),
        )),
        Standing::InUse if running.is_some_and(|running| !running.can_keep) => {
            not_writable(STORE.missing(both(
                format!("the bot that runs on {path} cannot write to it"),
                format!("使用 {path} 的机器人正在运行，但写不进去"),
            )))
        }
        Standing::InUse => STORE.works(both(
            format!("a bot runs on {path}"),
            format!("有机器人正在使用 {path}"),
        )),
        Standing::Unusable(error) => STORE
            .missing(both(format!("{path}: {error}"), format!("{path}：{error}")))
            .symptom("The bot does not start.", "机器人无法启动。")
            .remedy(
                "Let the user that runs the bot read and write the folder of store.path, or name another.",
                "请让运行机器人的用户能读写 store.path 所指的目录，或换一个目录。",
            ),
    }
}

fn not_writable(line: Finding) -> Finding {
    line.symptom(
        "New questions are turned away: \"I cannot write to my disk at the moment\".",
        "新问题不被受理：“我暂时无法写入磁盘”。",
    )
    .remedy(
        "Make room on the disk of store.path, or look at the system's log; writing goes on by itself then.",
        "请为 store.path 所在磁盘腾出空间，或查看系统日志；恢复后会自动继续写入。",
    )
}

fn room(bytes: u64) -> Finding {
    let mib = bytes >> 20;
    let found = both(format!("{mib} MiB free"), format!("剩余 {mib} MiB"));
    if mib >= ROOM_COMFORT_MIB {
        return ROOM.works(found);
    }
    let line = not_writable(ROOM.missing(found));
    match mib < ROOM_MIN_MIB {
        true => line,
        false => line.need(super::finding::Need::Optional),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::doctor::finding::{Need, Verdict};

    #[test]
    fn a_folder_in_use_is_well_unless_its_bot_cannot_write() {
        let config = StoreConfig::default();
        let verdict = |standing: Standing, running: Option<Running>| {
            usable(&config, &standing, running.as_ref()).verdict
        };
        let running = |can_keep| {
            Some(Running {
                can_keep,
                ..Running::default()
            })
        };
        let denied = || Standing::Unusable(io::ErrorKind::PermissionDenied.into());
        assert_eq!(verdict(Standing::New, None), Verdict::Works);
        assert_eq!(verdict(Standing::Free, None), Verdict::Works);
        assert_eq!(verdict(Standing::InUse, None), Verdict::Works);
        assert_eq!(verdict(Standing::InUse, running(true)), Verdict::Works);
        assert_eq!(verdict(Standing::InUse, running(false)), Verdict::Missing);
        assert_eq!(verdict(denied(), None), Verdict::Missing);
    }

    #[test]
    fn little_room_is_told_before_it_hurts() {
        let check = |mib: u64, expected| {
            let line = room(mib << 20);
            assert_eq!((line.verdict, line.need), expected, "{mib}");
        };
        check(10_000, (Verdict::Works, Need::Required));
        check(499, (Verdict::Missing, Need::Optional));
        check(49, (Verdict::Missing, Need::Required));
    }
}
