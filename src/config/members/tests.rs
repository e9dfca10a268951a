//! Lists of members as people write them.

use super::*;

/// What is read of a table with these lines, and what is said about it.
fn read_table(text: &str) -> (Vec<Member>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("members.csv");
    std::fs::write(&file, text).unwrap();
    let mut config = MembersConfig {
        file: Some(file),
        ..MembersConfig::default()
    };
    let mut problems = Problems::default();
    config.check(&mut problems);
    (config.all().cloned().collect(), problems.into_sentences())
}

fn li_lei() -> Member {
    Member {
        name: "李雷".into(),
        email: "li.lei@example.com".into(),
        mobile: "13800138000".into(),
        roles: vec!["commander".into(), "scribe".into()],
        teams: vec!["payments".into()],
    }
}

#[test]
fn a_table_is_read_in_either_language_with_or_without_a_mark_in_front() {
    for table in [
        "name,email,mobile,roles,teams\n李雷,Li.Lei@Example.com,+86 138-0013-8000,commander;scribe,payments\n",
        "\u{feff}姓名,邮箱,手机号,角色,团队\r\n李雷,li.lei@example.com,13800138000,commander；scribe；,payments\r\n",
        "Teams,Name,Roles,Mobile,E-mail\npayments, 李雷 ,commander; scribe,0086 13800138000,li.lei@example.com",
    ] {
        assert_eq!(read_table(table), (vec![li_lei()], vec![]), "{table}");
    }
}

#[test]
fn what_is_wrong_is_told_by_its_line_and_not_by_what_it_says() {
    #[track_caller]
    fn check(table: &str, expected: &[&str]) {
        let (_, problems) = read_table(table);
        assert_eq!(problems.len(), expected.len(), "{problems:#?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.contains(expected), "{problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
    check("", &["is empty"]);
    check("secret,email\n", &["line 1: column 1"]);
    check("email\nsecret@x.com\n", &["no column `name`"]);
    check("name,email,邮箱\n", &["column 3 is `email` a second time"]);
    check("name,email\nA,secret\n", &["line 2: the e-mail is none"]);
    check("name,mobile\nA,1.38E+10\n", &["line 2: the mobile number"]);
    check(
        "name,mobile\nA,4915112345678\n",
        &["line 2: the mobile number"],
    );
    check("name,email\n,secret@x.com\n", &["line 2: there is no name"]);
    check("name\nA,secret\n", &["line 2: it has more fields"]);
    check("name\nA\n\n\"B\n", &["line 4: a quote"]);
    check(
        "name,email,mobile\nsecret,a@x.com,\n\nSecret,,13800138000\nC,A@X.com,+8613800138000\n",
        &[
            "line 4: the same name as in `members.file`, line 2",
            "line 5: the same e-mail as in `members.file`, line 2",
            "line 5: the same mobile as in `members.file`, line 4",
        ],
    );
}

#[test]
fn many_problems_are_told_in_part() {
    let lines: String = (0..50).map(|_| "A\n").collect();
    let (_, problems) = read_table(&format!("name\n{lines}"));
    assert_eq!(problems.len(), TOLD_MAX + 1);
    assert!(problems[TOLD_MAX].contains("and 29 more"), "{problems:?}");
}

#[test]
fn a_table_that_is_not_utf_8_or_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("members.csv");
    let why = |file: &Path| read(file).unwrap_err();
    assert!(why(&file).contains("cannot read"));
    // 李雷 as GB18030.
    std::fs::write(&file, b"name\n\xc0\xee\xc0\xd7\n").unwrap();
    assert!(why(&file).contains("line 2"), "{}", why(&file));
}

#[test]
fn those_of_the_file_are_compared_with_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("members.csv");
    std::fs::write(&file, "name\nLi Lei\nHan Meimei\n").unwrap();
    let text = |names: &str| {
        format!(
            "[feishu]\napp_id = \"cli_a\"\napp_secret = \"s\"\n[members]\nfile = {file:?}\n{names}"
        )
    };
    let parse = |names: &str| crate::config::Config::parse("test", &text(names), []);
    let error = parse("[[members.list]]\nname = \"Li Lei\"\n").unwrap_err();
    let expected = "`members.file`, line 2: the same name as in `members.list`, entry 1";
    assert_eq!(error.problems, [expected]);
    let config = parse("[[members.list]]\nname = \" Jim \"\nteams = [\"core\"]\n").unwrap();
    let names: Vec<_> = config.members.all().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Jim", "Li Lei", "Han Meimei"]);
    assert!(
        !config.effective().contains("Han Meimei"),
        "the table is not printed"
    );
}

#[test]
fn numbers_have_one_way_of_writing() {
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(canonical_mobile(text).as_deref(), expected, "{text}");
    }
    check("13800138000", Some("13800138000"));
    check("+86 (138) 0013-8000", Some("13800138000"));
    check("0049 151 1234567", Some("+491511234567"));
    check("+65 9123 4567", Some("+6591234567"));
    check("23800138000", None);
    check("+0123456789", None);
    check("phone", None);
    check("", None);
}
