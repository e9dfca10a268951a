//! The names an emoji reaction may have.
//!
//! They are case-sensitive and the list is closed: any other name, however likely it looks (`EYES`,
//! `ROCKET`, `CHECK`), is refused with code 231001.

/// All 182 names of the platform's emoji list, in byte order.
///
/// Source: <https://open.feishu.cn/document/server-docs/im-v1/message-reaction/emojis-introduce>.
#[rustfmt::skip]
pub const EMOJI_TYPES: &[&str] = &[
    "18X", "2022", "ANGRY", "APPLAUSE", "AWESOMEN", "Alarm", "BEAR", "BEER", "BETRAYED",
    "BLUBBER", "BLUSH", "BOMB", "BULL", "Basketball", "BeamingFace", "BubbleTea", "CAKE", "CALF",
    "CANDIEDHAWS", "CHUCKLE", "CLAP", "CLEAVER", "COMFORT", "CRAZY", "CRY", "CUCUMBER",
    "CheckMark", "ClownFace", "Coffee", "ColdSweat", "CrossMark", "DIZZY", "DONE", "DROOL",
    "DROWSY", "DULL", "Delighted", "Drumstick", "EMBARRASSED", "ENOUGH", "ERROR", "EYESCLOSED",
    "EatingFood", "FACEPALM", "FINGERHEART", "FIRECRACKER", "FIREWORKS", "FISTBUMP", "FORTUNE",
    "FROWN", "Fire", "FullMoonFace", "GIFT", "GLANCE", "GeneralBusinessTrip",
    "GeneralDoNotDisturb", "GeneralInMeetingBusy", "GeneralMoonRest", "GeneralSun",
    "GeneralTravellingCar", "GeneralWorkFromHome", "Get", "GoGoGo", "HAMMER", "HAUGHTY",
    "HEADSET", "HEART", "HEARTBROKEN", "HIGHFIVE", "HUG", "HUSKY", "HappyDragon", "Hundred",
    "INNOCENTSMILE", "JIAYI", "JOYFUL", "JubilantRabbit", "KISS", "LAUGH", "LGTM", "LIPS", "LOL",
    "LOOKDOWN", "LOVE", "LUCK", "Lemon", "Loudspeaker", "MONEY", "MUSCLE", "MeMeMe", "MinusOne",
    "MoonRabbit", "Mooncake", "Movie", "Music", "NOSEPICK", "No", "OBSESSED", "OK", "OKR", "OnIt",
    "OneSecond", "PARTY", "PETRIFIED", "POOP", "PRAISE", "PROUD", "PUKE", "Partying", "Pepper",
    "Pin", "Pumpkin", "RAINBOWPUKE", "REDPACKET", "ROSE", "RoarForYou", "SALUTE", "SCOWL",
    "SHAKE", "SHHH", "SHOCKED", "SHOWOFF", "SHY", "SICK", "SILENT", "SKULL", "SLAP", "SLEEP",
    "SLIGHT", "SMART", "SMILE", "SMIRK", "SMOOCH", "SMUG", "SOB", "SPEECHLESS", "SPITBLOOD",
    "STRIVE", "SWEAT", "SaluteFace", "Shrug", "Sigh", "Snowman", "Soccer", "StatusBus",
    "StatusEnjoyLife", "StatusFlashOfInspiration", "StatusInFlight", "StatusReading",
    "Status_PrivateMessage", "StickyRiceBalls", "TEARS", "TEASE", "TERROR", "THANKS", "THINKING",
    "THUMBSUP", "TOASTED", "TONGUE", "TRICK", "TV", "ThanksFace", "ThumbsDown", "Trophy",
    "Typing", "UPPERLEFT", "VRHeadset", "WAIL", "WAVE", "WHAT", "WHIMPER", "WINK", "WITTY", "WOW",
    "WRONGED", "XBLUSH", "XmasHat", "XmasTree", "YAWN", "YEAH", "Yes", "YouAreTheBest",
];

/// Whether the platform knows an emoji of this name. Upper and lower case matter.
pub fn is_emoji_type(name: &str) -> bool {
    EMOJI_TYPES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_list_is_found() {
        assert_eq!(EMOJI_TYPES.len(), 182);
        assert!(EMOJI_TYPES.iter().all(|name| is_emoji_type(name)));
    }

    #[test]
    fn names_that_only_look_right_are_not() {
        for name in ["EYES", "ROCKET", "CHECK", "typing", "Done", "", "OK "] {
            assert!(!is_emoji_type(name), "{name}");
        }
    }
}
