// The platform's emoji names that have a picture here; the others are shown by their name.

const PICTURES = {
  OK: "👌", THUMBSUP: "👍", THANKS: "🙏", MUSCLE: "💪", FINGERHEART: "🫰", APPLAUSE: "👏", FISTBUMP: "👊",
  JIAYI: "➕", DONE: "✅", SMILE: "😊", BLUSH: "☺️", LAUGH: "😄", SMIRK: "😏", LOL: "😆", FACEPALM: "🤦",
  LOVE: "😍", WINK: "😉", PROUD: "😌", SMART: "🤓", THINKING: "🤔", SOB: "😭", CRY: "😢", ERROR: "❗",
  WOW: "😮", YEAH: "✌️", TEARS: "😂", EMBARRASSED: "😅", KISS: "😘", PARTY: "🎉", CLAP: "👏", PRAISE: "🙌",
  STRIVE: "✊", SILENT: "🤐", WAVE: "👋", WHAT: "😯", FROWN: "☹️", SHY: "🙈", DIZZY: "😵", HUG: "🤗",
  ANGRY: "😠", SHOCKED: "😱", SKULL: "💀", SWEAT: "😓", SLEEP: "😴", SICK: "🤒", Sigh: "😮‍💨", Typing: "⌨️",
  Lemon: "🍋", Get: "🫡", LGTM: "🆗", OnIt: "🏃", OneSecond: "⏳", SALUTE: "🫡", SHAKE: "🤝", HIGHFIVE: "🙏",
  ThumbsDown: "👎", TONGUE: "😛", BEAR: "🐻", ROSE: "🌹", HEART: "❤️", LIPS: "💋", BEER: "🍺", CAKE: "🎂",
  GIFT: "🎁", Coffee: "☕", Yes: "✔️", No: "🚫", CheckMark: "☑️", CrossMark: "❌", MinusOne: "➖",
  Hundred: "💯", Pin: "📌", Alarm: "⏰", Loudspeaker: "📢", Trophy: "🏆", Fire: "🔥", BOMB: "💣", Music: "🎵",
  Snowman: "⛄", FIREWORKS: "🎆", HEARTBROKEN: "💔", POOP: "💩", StatusReading: "📖", StatusInFlight: "✈️",
  StatusFlashOfInspiration: "💡", GeneralDoNotDisturb: "⛔", GeneralInMeetingBusy: "🗓️", GeneralSun: "☀️",
  GeneralMoonRest: "🌙", Shrug: "🤷", GoGoGo: "🏁", Soccer: "⚽", Basketball: "🏀", TV: "📺", Pumpkin: "🎃",
};

/** What the page offers when one adds a reaction. */
export const OFFERED = ["THUMBSUP", "DONE", "OK", "THANKS", "HEART", "PARTY", "THINKING", "LAUGH", "SOB", "Fire", "JIAYI", "ThumbsDown",
  "Pin", "CheckMark", "StatusFlashOfInspiration", "Alarm", "Loudspeaker", "Get"];

/** The picture of an emoji, or nothing. */
export const picture = (type) => (Object.hasOwn(PICTURES, type) ? PICTURES[type] : undefined);
