//! Discord's limits, as its documentation has them
//! (Resources: Message, Embed Limits; Interactions: Application Commands, Receiving and Responding).

use std::time::Duration;

/// Characters of a message's content.
pub(super) const CONTENT: usize = 2_000;
/// Characters of an embed's title.
pub(super) const EMBED_TITLE: usize = 256;
/// Characters of an embed's description.
pub(super) const EMBED_DESCRIPTION: usize = 4_096;
/// Fields of an embed.
pub(super) const EMBED_FIELDS: usize = 25;
/// Characters of a field's name.
pub(super) const FIELD_NAME: usize = 256;
/// Characters of a field's value.
pub(super) const FIELD_VALUE: usize = 1_024;
/// Characters of an embed's footer.
pub(super) const FOOTER: usize = 2_048;
/// Characters of all embeds of a message together.
pub(super) const EMBED_TOTAL: usize = 6_000;
/// Entries of a select.
pub(super) const SELECT_OPTIONS: usize = 25;
/// Characters of a select entry's label or description.
pub(super) const SELECT_LABEL: usize = 100;
/// Characters of a command's or option's description, and of a choice's name.
pub(super) const DESCRIPTION: usize = 100;
/// Options of a command, choices of an option, choices of a completion.
pub(super) const OPTIONS: usize = 25;
/// Pages in `/diagnose`: one subcommand is for all of them together.
pub(super) const PAGES: usize = OPTIONS - 1;
/// Characters that an option's text may be required to have at most.
pub(super) const OPTION_LENGTH: u16 = 6_000;
/// The greatest whole number that an option takes, either side of zero: 2^53.
pub(super) const OPTION_NUMBER: i64 = 1 << 53;
/// Bytes of all files of a message, where the interaction doesn't say: 10 MiB.
pub(super) const FILE_BYTES: usize = 10 * 1024 * 1024;
/// The time for the first response to an interaction is 3 s; this is what we use of it, since the
/// interaction was on its way, too.
pub(super) const ACKNOWLEDGE_WITHIN: Duration = Duration::from_millis(2_800);

/// Characters of `text` as Discord may count them: code points on its servers, UTF-16 units in its
/// clients. The second is never less, so a text that fits by it fits by both.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
