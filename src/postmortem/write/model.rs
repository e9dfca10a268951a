//! Has a model word a section, from its events only: it never sees the room.

use super::{
    Author, Content, Line, Material, Section, TemplateSection, outside, plain::nothing,
    select::events_for, words::certainty_word, words::full_time,
};
use crate::{
    config::Language,
    llm::{ChatMessage, estimate_tokens},
    postmortem::{
        asking::{Asker, Purpose},
        draft::DraftError,
        events::Event,
    },
    prompt::{PostmortemRewrite, PostmortemSection, PostmortemWrite, Prompt, marks::Marks},
};

/// The most lines of one section.
const LINES_MAX: usize = 60;

/// Words sections.
pub struct ModelWriter<'a> {
    /// Whom to ask.
    pub asker: &'a Asker,
    /// What a person remarked about the last version.
    pub remark: Option<&'a str>,
}

/// A conversation about one section, so that it can be repaired.
pub struct Drafted {
    /// The section as it is now.
    pub section: Section,
    marks: Marks,
    conversation: Vec<ChatMessage>,
}

impl ModelWriter<'_> {
    /// Writes a section. Nothing is asked where there are no events: then nothing is recorded.
    pub async fn write(
        &self,
        section: &TemplateSection,
        material: &Material<'_>,
    ) -> Result<Option<Drafted>, DraftError> {
        let events = events_for(section.content, material);
        if events.is_empty() {
            return Ok(None);
        }
        let marks = Marks::new();
        let form = match section.content {
            Content::Outside => outside::FORM,
            Content::Summary => "Write three to five sentences, each on a line of its own.",
            _ => "Write a list: each line begins with \"- \" and holds one sentence.",
        };
        let system = PostmortemWrite {
            nonce: marks.nonce(),
            language: match material.language {
                Language::En => "English",
                Language::Zh => "Chinese",
            },
            form,
        };
        let system = system.render();
        let room = self.asker.room(
            estimate_tokens(&system) + 400 + estimate_tokens(self.remark.unwrap_or_default()),
        );
        let remark = self.remark.map(|remark| marks.quote(remark));
        let ask = PostmortemSection {
            heading: &marks.quote_name(&section.heading),
            guidance: &marks.quote(&section.guidance),
            remark: remark.as_deref(),
            events: &marks.quote(&listed(&events, material, room)),
        };
        let mut conversation = vec![ChatMessage::System(system), ChatMessage::User(ask.render())];
        let said = self
            .asker
            .ask(Purpose::Writing, conversation.clone())
            .await?;
        conversation.push(assistant(&said.text));
        let section = read(section, &said.text, said.is_cut, material);
        Ok(Some(Drafted {
            section,
            marks,
            conversation,
        }))
    }

    /// Asks once more for a section whose lines do not hold, each with the reasons.
    pub async fn rewrite(
        &self,
        drafted: Drafted,
        template: &TemplateSection,
        faults: &[(String, String)],
        material: &Material<'_>,
    ) -> Result<Section, DraftError> {
        let faults: Vec<String> = faults
            .iter()
            .map(|(line, why)| format!("{line}\nwrong: {why}"))
            .collect();
        let rewrite = PostmortemRewrite {
            faults: &drafted.marks.quote(&faults.join("\n\n")),
        };
        let mut conversation = drafted.conversation;
        conversation.push(ChatMessage::User(rewrite.render()));
        let said = self.asker.ask(Purpose::Writing, conversation).await?;
        Ok(read(template, &said.text, said.is_cut, material))
    }
}

fn assistant(text: &str) -> ChatMessage {
    ChatMessage::Assistant {
        text: text.to_owned(),
        reasoning: String::new(),
        tool_calls: Vec::new(),
    }
}

/// The events as lines, as many as fit. Where not all do, they are thinned out evenly and not cut at the end.
fn listed(events: &[&Event], material: &Material<'_>, room: usize) -> String {
    let line = |event: &&Event| {
        let at = full_time(event.at, &material.transcript.time_zone);
        let actor = event
            .actor
            .as_ref()
            .map_or("-", |actor| material.transcript.name(actor));
        let certainty = certainty_word(event.certainty, Language::En);
        let citations = event.citations(material.transcript);
        format!(
            "{at} | {} | {certainty} | {actor} | {} {citations}",
            super::kind_word(event.kind, Language::En),
            event.text
        )
    };
    let lines: Vec<String> = events.iter().map(line).collect();
    let tokens: usize = lines.iter().map(|line| estimate_tokens(line) + 1).sum();
    let step = tokens.div_ceil(room.max(1)).max(1);
    lines
        .into_iter()
        .rev()
        .step_by(step)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
        .join("\n")
}

/// The lines of an answer. The last line of one that was cut is not taken.
fn read(
    template: &TemplateSection,
    answer: &str,
    is_cut: bool,
    material: &Material<'_>,
) -> Section {
    let mut lines: Vec<Line> = answer
        .lines()
        .map(str::trim)
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with('#')
                && !line.starts_with("```")
                && *line != "NOTHING"
        })
        .map(
            |line| match line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
                Some(item) => Line::item(item.trim()),
                None => Line::paragraph(line),
            },
        )
        .collect();
    if is_cut {
        lines.pop();
    }
    lines.truncate(LINES_MAX);
    if template.content == Content::Outside {
        lines = outside::grouped(lines, material);
    }
    let author = match lines.is_empty() {
        true => Author::Code,
        false => Author::Model,
    };
    if lines.is_empty() {
        lines = nothing(template, material);
    }
    Section {
        heading: template.heading.clone(),
        content: template.content,
        guidance: template.guidance.clone(),
        lines,
        author,
    }
}
