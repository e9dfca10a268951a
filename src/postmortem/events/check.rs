//! Holds one event against the transcript: nothing in it may be invented.

use std::{fmt, sync::LazyLock};

use regex::Regex;

use super::{Certainty, Event, Kind, TimeSource};
use crate::{
    config::Language,
    postmortem::{
        clock,
        ground::{Ground, TokenKind, ascii_words, narrow},
        phrases,
        support::{Carrier, is_stated_cause},
        transcript::{MarkKind, Message, MessageId, Transcript},
        write::{kind_word, quotable},
    },
};

/// What is wrong with an event. The words go back to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventFault {
    /// It cites nothing.
    NoCitation,
    /// It cites a message that does not exist.
    UnknownMessage(String),
    /// It cites a message that was taken back.
    Recalled(MessageId),
    /// Its time is neither that of a cited message nor told in one.
    Time,
    /// It names an actor who neither wrote nor is named in what it cites.
    Actor(String),
    /// It names or counts something that does not occur in what it cites.
    NotInSource(String),
    /// It links to something that does not occur in what it cites.
    Link(String),
    /// It quotes what nobody wrote.
    Quote(String),
    /// It is surer than what it cites.
    Hedge,
    /// It is called a cause, and what it cites says nothing of why.
    Cause,
    /// What it calls the cause is not what the messages call it.
    OtherCause,
    /// The messages say nothing of what it says.
    Unsupported(String),
    /// The messages say the opposite.
    Negation(String),
    /// It repeats an instruction to a machine.
    Instruction,
    /// It says nothing, or too much.
    Size,
}

impl EventFault {
    /// Its name in reports and tests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoCitation => "no_citation",
            Self::UnknownMessage(_) => "unknown_message",
            Self::Recalled(_) => "recalled",
            Self::Time => "time",
            Self::Actor(_) => "actor",
            Self::NotInSource(_) => "not_in_source",
            Self::Link(_) => "link",
            Self::Quote(_) => "quote",
            Self::Hedge => "hedge",
            Self::Cause => "cause",
            Self::OtherCause => "other_cause",
            Self::Unsupported(_) => "unsupported",
            Self::Negation(_) => "negation",
            Self::Instruction => "instruction",
            Self::Size => "size",
        }
    }
}

impl fmt::Display for EventFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCitation => f.write_str("it cites no message"),
            Self::UnknownMessage(alias) => write!(f, "there is no message {alias}"),
            Self::Recalled(id) => write!(f, "message {id} was taken back"),
            Self::Time => {
                f.write_str("its time is neither that of a cited message nor told in one")
            }
            Self::Actor(name) => write!(f, "{name} neither wrote nor is named in a cited message"),
            Self::NotInSource(token) => write!(f, "`{token}` does not occur in the cited messages"),
            Self::Link(link) => write!(f, "the link {link} does not occur in the cited messages"),
            Self::Quote(quote) => write!(f, "nobody wrote \"{quote}\" in the cited messages"),
            Self::Hedge => f.write_str("the cited messages only suppose it"),
            Self::Cause => f.write_str("no cited message says that this was the cause"),
            Self::OtherCause => {
                f.write_str("what it calls the cause is not what the cited messages call it")
            }
            Self::Unsupported(words) => write!(f, "the cited messages say nothing of: {words}"),
            Self::Negation(word) => {
                write!(f, "the cited messages say the opposite of \"{word}\"")
            }
            Self::Instruction => f.write_str("it repeats an instruction to a machine"),
            Self::Size => f.write_str("its text is empty or longer than 600 characters"),
        }
    }
}

/// The longest text of an event.
const TEXT_CHARS_MAX: usize = 600;

/// Everything that is wrong with an event; nothing for one that holds.
pub fn check(event: &Event, transcript: &Transcript) -> Vec<EventFault> {
    let mut faults = Vec::new();
    let cited = cited(event, transcript, &mut faults);
    if event.text.trim().is_empty() || event.text.chars().count() > TEXT_CHARS_MAX {
        faults.push(EventFault::Size);
    }
    if event.time_source != TimeSource::Record && !time_holds(event, &cited, transcript) {
        faults.push(EventFault::Time);
    }
    let mut ground = Ground::default();
    for message in &cited {
        ground.add(&message.evidence());
        ground.add(transcript.name(&message.author));
        message
            .mentions
            .iter()
            .for_each(|id| ground.add(transcript.name(id)));
    }
    if let Some(actor) = &event.actor {
        let name = transcript.name(actor);
        let wrote = cited
            .iter()
            .any(|message| message.author == *actor || message.mentions.contains(actor));
        if !wrote && !ground.holds_word(name) {
            faults.push(EventFault::Actor(name.to_owned()));
        }
    }
    if let Some(owner) = &event.owner {
        let name = transcript.name(owner);
        let asked = cited
            .iter()
            .any(|message| message.author == *owner || message.mentions.contains(owner));
        if !asked && !ground.holds_word(name) {
            faults.push(EventFault::Actor(name.to_owned()));
        }
    }
    for token in ground
        .missing(&event.text)
        .into_iter()
        .chain(event.due.iter().flat_map(|due| ground.missing(due)))
    {
        faults.push(match token.kind {
            TokenKind::Link => EventFault::Link(token.text),
            _ => EventFault::NotInSource(token.text),
        });
    }
    faults.extend(
        quotes(&event.text)
            .into_iter()
            .filter(|quote| !is_verbatim(quote, &cited))
            .map(EventFault::Quote),
    );
    if is_too_sure(event, &cited) {
        faults.push(EventFault::Hedge);
    }
    if event.kind == Kind::Cause
        && !cited
            .iter()
            .any(|message| states_a_cause(message, transcript))
    {
        faults.push(EventFault::Cause);
    } else if !cited.is_empty() {
        faults.extend(unsaid(event, &cited, transcript));
    }
    if is_instruction(&event.text) {
        faults.push(EventFault::Instruction);
    }
    faults
}

/// How much of an event the messages have to carry: most of what a report turns on, and something of the rest.
const TURN_CARRIED_MIN: f64 = 0.5;
const CARRIED_MIN: f64 = 0.25;

/// Whether the words of an event are those of its messages. Where they are in another language than the event,
/// only what is told and what is denied can be compared.
fn unsaid(event: &Event, cited: &[&Message], transcript: &Transcript) -> Option<EventFault> {
    let carrier = carrier(event, cited, transcript);
    if !matches!(event.kind, Kind::Hypothesis | Kind::Question)
        && let Some(word) = carrier.denies(&event.text)
    {
        return Some(EventFault::Negation(word));
    }
    if !carrier.speaks_as(&event.text) {
        return None;
    }
    if event.kind == Kind::Cause {
        let statements: Vec<String> = cited
            .iter()
            .filter(|message| states_a_cause(message, transcript))
            .flat_map(|message| [Some(*message), answered(message, transcript)])
            .flatten()
            .map(Message::evidence)
            .collect();
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        if !is_stated_cause(&event.text, &statements) {
            return Some(EventFault::OtherCause);
        }
    }
    let is_turn = matches!(
        event.kind,
        Kind::Cause | Kind::RuledOut | Kind::Impact | Kind::Resolution | Kind::Mitigation
    );
    let least = if is_turn {
        TURN_CARRIED_MIN
    } else {
        CARRIED_MIN
    };
    let support = carrier.support(&event.text);
    (support.share() < least).then(|| EventFault::Unsupported(support.missing_words()))
}

/// What the words of an event may come from: the messages, what they answer, and the names of people. A kind
/// that the phrases of a message tell as well may be called by its name.
fn carrier(event: &Event, cited: &[&Message], transcript: &Transcript) -> Carrier {
    let mut carrier = Carrier::default();
    for message in cited {
        carrier.add(&message.evidence());
        let answered = answered(message, transcript);
        answered
            .iter()
            .for_each(|message| carrier.add(&message.evidence()));
        let people = std::iter::once(&message.author).chain(&message.mentions);
        people.for_each(|person| carrier.add_word(transcript.name(person)));
        let said = phrases::extract(message, transcript);
        if said.iter().any(|said| said.kind == event.kind) {
            carrier.add_word(kind_word(event.kind, Language::En));
            carrier.add_word(kind_word(event.kind, Language::Zh));
        }
    }
    carrier
}

/// The message that this one answers.
fn answered<'a>(message: &Message, transcript: &'a Transcript) -> Option<&'a Message> {
    transcript.message(message.parent.as_ref()?)
}

fn cited<'a>(
    event: &Event,
    transcript: &'a Transcript,
    faults: &mut Vec<EventFault>,
) -> Vec<&'a Message> {
    if event.message_ids.is_empty() && event.records.is_empty() {
        faults.push(EventFault::NoCitation);
    }
    let mut cited = Vec::new();
    for id in &event.message_ids {
        match transcript.message(id) {
            None => faults.push(EventFault::UnknownMessage(id.to_string())),
            Some(message) if message.recalled_at.is_some() => {
                faults.push(EventFault::Recalled(id.clone()))
            }
            Some(message) => cited.push(message),
        }
    }
    cited
}

fn time_holds(event: &Event, cited: &[&Message], transcript: &Transcript) -> bool {
    let at_second = |message: &&Message| message.at.as_second() == event.at.as_second();
    let told = |message: &&Message| {
        let evidence = message.evidence();
        let times = clock::times(&evidence, message.at, &transcript.time_zone);
        times.iter().any(|time| time.means(event.at))
    };
    match event.time_source {
        TimeSource::Message => cited.iter().any(at_second),
        TimeSource::Text => cited.iter().any(told),
        TimeSource::Record => true,
    }
}

static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""([^"\n]{3,})"|“([^”\n]{2,})”|「([^」\n]{2,})」"#)
        .expect("it is compiled by a test")
});

/// What stands between quotation marks.
pub(in crate::postmortem) fn quotes(text: &str) -> Vec<String> {
    let inner = |captures: regex::Captures<'_>| {
        let found = captures.iter().skip(1).flatten().next()?;
        Some(found.as_str().to_owned())
    };
    QUOTED.captures_iter(text).filter_map(inner).collect()
}

/// Whether a cited message says this word for word, as far as a quote can show it.
pub(in crate::postmortem) fn is_verbatim(quote: &str, cited: &[&Message]) -> bool {
    let wanted = quotable(quote.trim_end_matches(['.', ',', '…', '。', '，']));
    cited
        .iter()
        .any(|message| quotable(&message.evidence()).contains(&wanted))
}

/// Whether a person only supposed it, and the event says more. One who says it plainly is enough.
fn is_too_sure(event: &Event, cited: &[&Message]) -> bool {
    let is_claim = matches!(
        event.kind,
        Kind::Cause | Kind::Observation | Kind::Impact | Kind::Resolution | Kind::Mitigation
    );
    let is_sure = event.certainty >= Certainty::Stated && !is_hedged(&event.text);
    is_claim && is_sure && is_only_supposed(&event.text, cited)
}

/// Whether messages only suppose what a text says. One may suppose one thing and say another plainly, so what
/// is carried by those of their parts that suppose nothing is not only supposed.
pub(in crate::postmortem) fn is_only_supposed(text: &str, cited: &[&Message]) -> bool {
    let said: Vec<String> = cited.iter().map(|message| message.evidence()).collect();
    if said.is_empty() || !said.iter().all(|said| is_hedged(said)) {
        return false;
    }
    let parts = said
        .iter()
        .flat_map(|said| said.split([',', ';', '\n', '，', '；', '。']));
    let plainly = Carrier::of(parts.filter(|part| !is_hedged(part)));
    let support = plainly.support(text);
    !(plainly.speaks_as(text) && support.all > 0 && support.share() >= TURN_CARRIED_MIN)
}

// 大概 before a number is no more of a guess than "about" is.
static HEDGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&ascii_words(
        r"(?i)\b(?:maybe|perhaps|might|may be|could be|probably|possibly|likely|i think|i guess|i suspect|suspect(?:ed|s)?|seems?|looks like|appears?|not sure|hypothesis|supposed(?:ly)?)\b|可能|也许|怀疑|感觉|大概\s*[^\d\s]|大概$|估计|疑似|是不是|好像|似乎|推测|不确定|猜",
    ))
    .expect("it is compiled by a test")
});

/// Whether a text only supposes what it says.
pub fn is_hedged(text: &str) -> bool {
    HEDGE.is_match(text)
}

static INSTRUCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&ascii_words(
        r"(?i)\b(?:ignore|disregard|forget)\b.{0,30}\b(?:previous|prior|above|all|earlier|your)\b.{0,30}\b(?:instructions?|rules?|prompts?|messages?)\b|\byou are now\b|\bsystem prompt\b|\b(?:as an ai|dear (?:ai|bot|assistant|model))\b|\b(?:ai|assistant|bot|model)\b.{0,20}\bmust (?:write|say|state|output)\b|</?quoted|(?:忽略|无视|忘记).{0,12}(?:指令|规则|提示|要求|以上|之前)|系统提示词?|你现在是|(?:请|必须)(?:在)?(?:报告|复盘|总结)(?:中|里)(?:写|说明|注明)|<\|?(?:im_start|im_end|endoftext|system|assistant)\|?>|\[/?INST\]|^\W*(?:assistant|system prompt|system message)\s*[:：]|\bnew instructions?\s*[:：]|\b(?:do not|don't|never) (?:mention|include|report|reveal)\b.{0,60}\b(?:in (?:the|your|this) (?:report|draft|summary|post-?mortem)|to the (?:user|reader)s?)\b|\b(?:from now on|pretend|act as|respond|reply)\b.{0,20}\b(?:you are|to be an?|as an? (?:admin\w*|assistant|ai|system|root)|act as|only with|with only)\b|\b(?:jailbreak|developer mode|do anything now)\b|(?:不要|不得|禁止|别)在?(?:报告|复盘|总结)(?:中|里)?(?:提|写|说|出现)|从现在(?:开始|起).{0,6}你(?:是|将|要)|(?:请|你)(?:来)?扮演|假装(?:你|自己)|只(?:需要?|能|要)(?:回答|回复|输出)|新(?:的)?指令[:：]|开发者模式|越狱模式|助手[:：]",
    ))
    .expect("it is compiled by a test")
});

/// Whether a text tells a machine what to do.
pub fn is_instruction(text: &str) -> bool {
    INSTRUCTION.is_match(&narrow(text))
}

/// Whether a person says there why, or somebody marked it as the cause.
pub(in crate::postmortem) fn states_a_cause(message: &Message, transcript: &Transcript) -> bool {
    is_marked_as_cause(message)
        || is_by_a_person(message, transcript) && names_a_cause(&message.evidence())
}

/// Whether a person wrote a message, or made it theirs by marking it as the cause.
pub(in crate::postmortem) fn is_by_a_person(message: &Message, transcript: &Transcript) -> bool {
    message.is_source() && (transcript.is_human(&message.author) || is_marked_as_cause(message))
}

fn is_marked_as_cause(message: &Message) -> bool {
    let mut marks = message.marks.iter();
    marks.any(|mark| mark.kind == MarkKind::Cause)
}

static CAUSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&ascii_words(
        r"(?i)\b(?:root cause|caus(?:ed|ing)|cause by|(?:the|main|real|actual) cause|due to|owing to|because of|was triggered by|triggered (?:the|this|an?) (?:outage|incident|failures?|errors?)|led to|lead to|resulted in|as a result of|culprit|stem(?:s|med) from|traced (?:back )?to|(?:is|was|were) (?:responsible|to blame) for|brought (?:down|on) (?:by|the)|contribut(?:ed|es|ing) (?:to|factor)|reason (?:for|behind) the)\b|根因|根本原因|原因(?:是|为|在于)|由于|导致|引起|造成|引发|起因|诱因|源于|源自|归因于|归咎于|致使|罪魁祸首",
    ))
    .expect("it is compiled by a test")
});

/// Whether a text says why something happened.
pub(in crate::postmortem) fn names_a_cause(text: &str) -> bool {
    CAUSE.is_match(text)
}
