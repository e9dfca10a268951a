//! Templates by their names: a team's own come first, then those of the program.

use std::path::Path;

use super::Template;
use crate::config::{Language, TemplateFault, TemplateFolder, is_template_name, read_template};

/// The templates that come with the program.
pub const BUILT_IN: [&str; 2] = ["default", "full"];

impl Template {
    /// The template of this name; nothing where there is none. A name that came from a chat goes in as it is:
    /// none leads out of the folder.
    pub fn named(
        folder: &TemplateFolder,
        name: &str,
        language: Language,
    ) -> Result<Option<Self>, TemplateFault> {
        match folder.read(name, language).transpose()? {
            Some(headings) => Ok(Some(Self::of(name, headings))),
            None => Ok(Self::built_in(name, language)),
        }
    }

    /// The template that a configuration or a command line tells of: by its name, or by its file.
    pub fn told(
        folder: &TemplateFolder,
        text: &str,
        language: Language,
    ) -> Result<Self, TemplateFault> {
        if let Some(template) = Self::named(folder, text, language)? {
            return Ok(template);
        }
        match read_template(Path::new(text)) {
            Ok(headings) => Ok(Self::of(text, headings)),
            Err(mut fault) => {
                if is_template_name(text) {
                    let names = Self::names(folder).join(", ");
                    fault.why = format!("there is no such template: there are {names}");
                }
                Err(fault)
            }
        }
    }

    /// The names of all templates.
    pub fn names(folder: &TemplateFolder) -> Vec<String> {
        let mut names: Vec<String> = BUILT_IN.map(str::to_owned).to_vec();
        let own = folder.names().into_iter();
        names.extend(own.filter(|name| !BUILT_IN.contains(&name.as_str())));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_teams_own_comes_before_the_programs_and_a_file_is_taken_from_who_may_name_one() {
        let kept = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(kept.path().join(name), text).unwrap();
        write("full.zh.md", "## 经过");
        write("team.md", "## Impact");
        let folder = TemplateFolder::new(kept.path().to_str().unwrap());
        assert_eq!(Template::names(&folder), ["default", "full", "team"]);
        let check = |name: &str, expected: Option<&str>| {
            let found = Template::named(&folder, name, Language::Zh).unwrap();
            let first = found.map(|found| found.sections[0].heading.clone());
            assert_eq!(first.as_deref(), expected, "{name}");
        };
        check("full", Some("经过"));
        check("team", Some("Impact"));
        check("other", None);
        let file = kept.path().join("team.md").display().to_string();
        check(&file, None);
        let told = Template::told(&folder, &file, Language::Zh).unwrap();
        assert_eq!(told.sections[0].heading, "Impact");
        let fault = Template::told(&folder, "other", Language::Zh).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "other: there is no such template: there are default, full, team"
        );
    }
}
