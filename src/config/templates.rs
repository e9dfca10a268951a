//! A team's own templates for reports: a folder of Markdown files, and what stands in such a file.
//!
//! What people write in a chat names a file here, so a name is letters, digits, `-` and `_`: nothing that leads
//! out of the folder. Files are read anew each time, so that a template is changed without a restart.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use super::Language;

/// The longest name of a template, in characters.
const NAME_CHARS_MAX: usize = 64;
/// How large a template may be. What stands in it goes into requests to the model.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// How many sections a template may have.
const SECTIONS_MAX: usize = 40;
/// How many files of a folder are looked at.
const FILES_MAX: usize = 1000;

/// A heading, and the guidance under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateHeading {
    /// The heading.
    pub heading: String,
    /// What belongs below it, in the words of whoever made the template.
    pub guidance: String,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The file.
    pub file: PathBuf,
    /// The reason.
    pub why: String,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.why)
    }
}

/// The folder with a team's own templates, if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFolder(Option<PathBuf>);

impl TemplateFolder {
    /// The folder of this path; none where it is empty.
    pub fn new(path: &str) -> Self {
        Self((!path.is_empty()).then(|| PathBuf::from(path)))
    }

    /// The names of all templates in it, in their order.
    pub fn names(&self) -> Vec<String> {
        let files = self.files().unwrap_or_default();
        let names = files.iter().filter_map(|file| name_of(file));
        let names: BTreeSet<&str> = names.collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// What stands in the template of this name: in this language, in whichever it has, or in the other one.
    /// Nothing where there is no such file.
    pub fn read(
        &self,
        name: &str,
        language: Language,
    ) -> Option<Result<Vec<TemplateHeading>, TemplateFault>> {
        let folder = self.0.as_ref().filter(|_| is_template_name(name))?;
        let endings = match language {
            Language::En => [".en", "", ".zh"],
            Language::Zh => [".zh", "", ".en"],
        };
        let files = endings.map(|ending| folder.join(format!("{name}{ending}.md")));
        let file = files.into_iter().find(|file| file.exists())?;
        Some(read_template(&file))
    }

    /// What cannot be used in it, with the reasons.
    pub fn faults(&self) -> Vec<TemplateFault> {
        let files = match self.files() {
            Ok(files) => files,
            Err(fault) => return vec![fault],
        };
        let named = |file: &Path| match name_of(file) {
            Some(_) => Ok(()),
            None => Err(TemplateFault {
                file: file.to_owned(),
                why: "its name is not letters, digits, - and _".to_owned(),
            }),
        };
        let read = |file: PathBuf| named(&file).and_then(|()| read_template(&file)).err();
        files.into_iter().filter_map(read).collect()
    }

    /// Its Markdown files.
    fn files(&self) -> Result<Vec<PathBuf>, TemplateFault> {
        let Some(folder) = &self.0 else {
            return Ok(Vec::new());
        };
        let entries = std::fs::read_dir(folder).map_err(|error| TemplateFault {
            file: folder.clone(),
            why: error.to_string(),
        })?;
        let files = entries.filter_map(Result::ok).map(|entry| entry.path());
        let is_markdown = |file: &PathBuf| file.extension().is_some_and(|one| one == "md");
        let mut files: Vec<PathBuf> = files.filter(is_markdown).take(FILES_MAX).collect();
        files.sort();
        Ok(files)
    }
}

/// The name of the template that a file holds, without its language.
fn name_of(file: &Path) -> Option<&str> {
    let name = file.file_stem()?.to_str()?;
    let plain = [".en", ".zh"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    Some(plain.unwrap_or(name)).filter(|name| is_template_name(name))
}

/// Whether this can be the name of a template, and leads nowhere else.
pub fn is_template_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let length = name.chars().count();
    (1..=NAME_CHARS_MAX).contains(&length) && name.chars().all(is_plain)
}

/// What stands in a template's file.
pub fn read_template(file: &Path) -> Result<Vec<TemplateHeading>, TemplateFault> {
    let fault = |why: String| TemplateFault {
        file: file.to_owned(),
        why,
    };
    let about = std::fs::metadata(file).map_err(|error| fault(error.to_string()))?;
    if !about.is_file() {
        return Err(fault("it is not a file".to_owned()));
    }
    if about.len() > FILE_BYTES_MAX {
        return Err(fault(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| fault(error.to_string()))?;
    parse_template(&text).map_err(fault)
}

/// Reads a template: a line with `##` is a heading, quoted lines under it are its guidance.
pub fn parse_template(markdown: &str) -> Result<Vec<TemplateHeading>, String> {
    let mut headings: Vec<TemplateHeading> = Vec::new();
    for line in markdown.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix("## ") {
            let heading = heading.trim().to_owned();
            if heading.is_empty() || headings.iter().any(|one| one.heading == heading) {
                return Err(format!("the heading `{heading}` is empty or there twice"));
            }
            headings.push(TemplateHeading {
                heading,
                guidance: String::new(),
            });
        } else if let (Some(guidance), Some(last)) = (line.strip_prefix('>'), headings.last_mut()) {
            if !last.guidance.is_empty() {
                last.guidance.push('\n');
            }
            last.guidance.push_str(guidance.trim());
        }
    }
    match headings.len() {
        0 => Err("there is no heading: a section begins with `## `".to_owned()),
        1..=SECTIONS_MAX => Ok(headings),
        _ => Err(format!("there are more than {SECTIONS_MAX} sections")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, TemplateFolder) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let templates = TemplateFolder::new(folder.path().to_str().unwrap());
        (folder, templates)
    }

    #[test]
    fn a_template_is_found_in_its_language_or_in_whichever_there_is() {
        let (_kept, templates) = folder(&[
            ("team.en.md", "## What happened\n> In short."),
            ("team.zh.md", "## 概述"),
            ("short.md", "## Impact"),
            ("notes.txt", "nothing"),
        ]);
        assert_eq!(templates.names(), ["short", "team"]);
        let check = |name: &str, language, expected: Option<&str>| {
            let read = templates.read(name, language).map(Result::unwrap);
            let heading = read.map(|read| read[0].heading.clone());
            assert_eq!(heading.as_deref(), expected, "{name}");
        };
        check("team", Language::En, Some("What happened"));
        check("team", Language::Zh, Some("概述"));
        check("short", Language::Zh, Some("Impact"));
        check("other", Language::En, None);
        // What leads out of the folder is no name.
        check("../short", Language::En, None);
        check("team.en", Language::En, None);
        check("", Language::En, None);
        assert_eq!(templates.faults(), []);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_file_and_its_reason() {
        let (kept, templates) = folder(&[
            ("good.md", "## Impact"),
            ("twice.md", "## Impact\n## Impact"),
            ("un named.md", "## Impact"),
            ("void.zh.md", "no heading"),
        ]);
        let told: Vec<String> = templates.faults().iter().map(ToString::to_string).collect();
        let at = |name: &str| kept.path().join(name).display().to_string();
        assert_eq!(
            told,
            [
                format!(
                    "{}: the heading `Impact` is empty or there twice",
                    at("twice.md")
                ),
                format!(
                    "{}: its name is not letters, digits, - and _",
                    at("un named.md")
                ),
                format!(
                    "{}: there is no heading: a section begins with `## `",
                    at("void.zh.md")
                ),
            ]
        );
        let gone = TemplateFolder::new(&at("gone"));
        assert_eq!(gone.faults().len(), 1);
        assert_eq!(TemplateFolder::new("").faults(), []);
    }
}
