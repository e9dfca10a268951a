//! Why something was not read, for the model and for people.

use super::kind;
use crate::config::Language;

/// Why something was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// It is not text, nor an image.
    Kind,
    /// It is a voice message.
    Voice,
    /// It is a video.
    Video,
    /// The model sees no images.
    CannotSee,
    /// It is an image in a format that models do not take.
    ImageFormat,
    /// It has more bytes than this.
    TooLarge(u64),
    /// There is more with the message than is read.
    TooMany,
    /// The app may not fetch it; it would need one of these scopes, if any are named.
    Forbidden {
        /// Which would help.
        scopes: Vec<String>,
    },
    /// It was recalled or deleted.
    Gone,
    /// It did not come in time.
    Late,
    /// Something else went wrong.
    Failed,
}

impl Why {
    /// For the model.
    pub(super) fn for_model(&self) -> String {
        match self {
            Why::CannotSee => "an image that this model cannot see".into(),
            why => why.text(Language::En),
        }
    }

    /// For people.
    pub(super) fn text(&self, language: Language) -> String {
        match language {
            Language::En => self.english(),
            Language::Zh => self.chinese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Why::Kind => "not a kind of file that I can read".into(),
            Why::Voice => "I cannot listen to voice messages".into(),
            Why::Video => "I cannot watch videos".into(),
            Why::CannotSee => "this model cannot see images".into(),
            Why::ImageFormat => "not an image format that models take".into(),
            Why::TooLarge(bytes) => format!("larger than the {} that I read", mib(*bytes)),
            Why::TooMany => "more than I read at once".into(),
            Why::Forbidden { scopes } if scopes.is_empty() => {
                "the platform does not let me have it".into()
            }
            Why::Forbidden { scopes } => format!("the app lacks the scope {}", scopes.join(" or ")),
            Why::Gone => "it is not there any more".into(),
            Why::Late => "it did not arrive in time".into(),
            Why::Failed => "it could not be fetched".into(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Why::Kind => "我读不了这种文件".into(),
            Why::Voice => "我听不了语音".into(),
            Why::Video => "我看不了视频".into(),
            Why::CannotSee => "这个模型看不了图片".into(),
            Why::ImageFormat => "模型不支持这种图片格式".into(),
            Why::TooLarge(bytes) => format!("超过我能读取的 {}", mib(*bytes)),
            Why::TooMany => "超过一次能读取的数量".into(),
            Why::Forbidden { scopes } if scopes.is_empty() => "平台不允许我获取".into(),
            Why::Forbidden { scopes } => format!("应用缺少权限 {}", scopes.join(" 或 ")),
            Why::Gone => "已经不在了".into(),
            Why::Late => "没能及时取到".into(),
            Why::Failed => "没能取到".into(),
        }
    }
}

/// A limit, which is configured in whole MiB.
fn mib(bytes: u64) -> String {
    match bytes % (1 << 20) {
        0 => format!("{} MB", bytes >> 20),
        _ => kind::size(bytes),
    }
}
