//! Reactions: one per person and emoji, with the 182 names that the platform allows.

use super::{
    super::{app, refusal::Refusal},
    Author, World,
};

/// One reaction.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Reaction {
    pub(in crate::sandbox) reaction_id: String,
    pub(in crate::sandbox) emoji_type: String,
    pub(in crate::sandbox) by: Author,
    pub(in crate::sandbox) action_ms: i64,
}

/// All names, case-sensitive [doc: emoji list].
const EMOJI_TYPES: &str = "OK THUMBSUP THANKS MUSCLE FINGERHEART APPLAUSE FISTBUMP JIAYI DONE SMILE BLUSH LAUGH \
    SMIRK LOL FACEPALM LOVE WINK PROUD WITTY SMART SCOWL THINKING SOB CRY ERROR NOSEPICK HAUGHTY SLAP SPITBLOOD \
    TOASTED GLANCE DULL INNOCENTSMILE JOYFUL WOW TRICK YEAH ENOUGH TEARS EMBARRASSED KISS SMOOCH DROOL OBSESSED \
    MONEY TEASE SHOWOFF COMFORT CLAP PRAISE STRIVE XBLUSH SILENT WAVE WHAT FROWN SHY DIZZY LOOKDOWN CHUCKLE WAIL \
    CRAZY WHIMPER HUG BLUBBER WRONGED HUSKY SHHH SMUG ANGRY HAMMER SHOCKED TERROR PETRIFIED SKULL SWEAT SPEECHLESS \
    SLEEP DROWSY YAWN SICK PUKE BETRAYED HEADSET EatingFood MeMeMe Sigh Typing Lemon Get LGTM OnIt OneSecond \
    VRHeadset YouAreTheBest SALUTE SHAKE HIGHFIVE UPPERLEFT ThumbsDown SLIGHT TONGUE EYESCLOSED RoarForYou CALF \
    BEAR BULL RAINBOWPUKE ROSE HEART PARTY LIPS BEER CAKE GIFT CUCUMBER Drumstick Pepper CANDIEDHAWS BubbleTea \
    Coffee Yes No OKR CheckMark CrossMark MinusOne Hundred AWESOMEN Pin Alarm Loudspeaker Trophy Fire BOMB Music \
    XmasTree Snowman XmasHat FIREWORKS 2022 REDPACKET FORTUNE LUCK FIRECRACKER StickyRiceBalls HEARTBROKEN POOP \
    StatusFlashOfInspiration 18X CLEAVER Soccer Basketball GeneralDoNotDisturb Status_PrivateMessage \
    GeneralInMeetingBusy StatusReading StatusInFlight GeneralBusinessTrip GeneralWorkFromHome StatusEnjoyLife \
    GeneralTravellingCar StatusBus GeneralSun GeneralMoonRest MoonRabbit Mooncake JubilantRabbit TV Movie Pumpkin \
    BeamingFace Delighted ColdSweat FullMoonFace Partying GoGoGo ThanksFace SaluteFace Shrug ClownFace HappyDragon";

/// Whether the platform knows this emoji.
pub(in crate::sandbox) fn is_emoji_type(name: &str) -> bool {
    EMOJI_TYPES.split_whitespace().any(|known| known == name)
}

/// Who is told about reactions [doc: reaction events].
const EVENT_SCOPES: &[&str] = &["im:message.reactions:read", "im:message:readonly"];

impl World {
    /// Adds a reaction. The same emoji by the same one again answers the reaction that is there
    /// (the documentation is silent; that is the reading of most clients) and tells nobody.
    pub(in crate::sandbox) fn add_reaction(
        &mut self,
        message_id: &str,
        by: Author,
        emoji_type: &str,
        now_ms: i64,
    ) -> Result<Reaction, Refusal> {
        if !is_emoji_type(emoji_type) {
            return Err(Refusal::new(
                231_001,
                "The emoji_type of the reaction is invalid.",
            ));
        }
        let reaction_id = app::alphanumeric(&mut self.random, 52);
        let message = self.reactable(message_id, &by)?;
        let is_same = |one: &&Reaction| one.by == by && one.emoji_type == emoji_type;
        if let Some(there) = message.reactions.iter().find(is_same) {
            return Ok(there.clone());
        }
        let reaction = Reaction {
            reaction_id,
            emoji_type: emoji_type.to_owned(),
            by,
            action_ms: now_ms,
        };
        message.reactions.push(reaction.clone());
        self.reaction_happened(
            "im.message.reaction.created_v1",
            message_id,
            &reaction,
            now_ms,
        );
        Ok(reaction)
    }

    /// Takes away a reaction by its id.
    pub(in crate::sandbox) fn remove_reaction(
        &mut self,
        message_id: &str,
        by: &Author,
        reaction_id: &str,
        now_ms: i64,
    ) -> Result<Reaction, Refusal> {
        let message = self.reactable(message_id, by)?;
        let is_it = |one: &Reaction| one.reaction_id == reaction_id;
        let Some(place) = message.reactions.iter().position(is_it) else {
            let elsewhere = self
                .messages
                .iter()
                .any(|other| other.reactions.iter().any(is_it));
            return Err(if elsewhere {
                Refusal::new(231_010, "The reaction does not belong to this message.")
            } else {
                Refusal::new(231_011, "The reaction_id is invalid.")
            });
        };
        if message.reactions[place].by != *by {
            return Err(Refusal::new(
                231_007,
                "The operator is not the one who added this reaction.",
            ));
        }
        let reaction = message.reactions.remove(place);
        self.reaction_happened(
            "im.message.reaction.deleted_v1",
            message_id,
            &reaction,
            now_ms,
        );
        Ok(reaction)
    }

    fn reactable(&mut self, message_id: &str, by: &Author) -> Result<&mut super::Message, Refusal> {
        let found = self
            .messages
            .get(message_id)
            .filter(|message| !message.recalled);
        let message = found.ok_or_else(|| {
            Refusal::new(231_003, "The message is not found or has been deleted.")
        })?;
        if *by == Author::Us {
            let chat_id = message.chat_id.clone();
            self.usable_chat(&chat_id)
                .map_err(|_| Refusal::new(231_002, "The operator has no permission to react."))?;
        }
        Ok(self
            .messages
            .get_mut(message_id)
            .expect("it was found above"))
    }

    fn reaction_happened(
        &mut self,
        kind: &'static str,
        message_id: &str,
        reaction: &Reaction,
        now_ms: i64,
    ) {
        let chat_id = self
            .messages
            .get(message_id)
            .map(|message| message.chat_id.clone());
        self.tell("reaction", chat_id.as_deref(), Some(message_id));
        let has_bot = chat_id
            .and_then(|chat_id| self.chats.get(&chat_id))
            .is_some_and(|chat| chat.has_bot);
        if has_bot {
            let body = self.reaction_event(message_id, reaction, now_ms);
            self.emit(kind, body, EVENT_SCOPES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_sensitive_and_there_are_182() {
        assert_eq!(EMOJI_TYPES.split_whitespace().count(), 182);
        assert!(is_emoji_type("OnIt") && is_emoji_type("2022"));
        assert!(!is_emoji_type("onit") && !is_emoji_type("EYES") && !is_emoji_type(""));
    }
}
