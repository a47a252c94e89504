//! From an acknowledged interaction to what the person reads, through every trouble on the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serenity::{
    Error,
    builder::{Builder, CreateAllowedMentions, EditInteractionResponse},
    http::Http,
    model::{
        Permissions,
        id::{ApplicationId, ChannelId, InteractionId},
    },
};
use tokio::time::{sleep, timeout};

use super::{
    answer::{Answer, name},
    error::{Failure, classify, describe},
    http::Wire,
    upload::upload,
    words,
};
use crate::{app::RecordId, domain::text::Lang};

/// Most requests for one message. With the pauses between them they last about two minutes.
const TRIES: u32 = 8;
/// The pause after the first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// The time for one try, the waits that a rate limit asks for included.
const TRY: Duration = Duration::from_mins(1);
/// The time for a progress line: the report must not wait for one.
const PROGRESS_TRY: Duration = Duration::from_secs(4);
/// When it is unknown whether a progress line is still on its way, the report is written once more
/// after so long.
const SETTLE: Duration = Duration::from_secs(3);

/// Where an answer goes.
pub(super) struct Reply {
    pub(super) wire: Arc<Wire>,
    pub(super) application: ApplicationId,
    /// With a limiter of its own.
    pub(super) http: Arc<Http>,
    /// The one that all messages of channels share.
    pub(super) shared: Arc<Http>,
    pub(super) interaction: InteractionId,
    pub(super) token: String,
    pub(super) channel: ChannelId,
    pub(super) person: String,
    /// What was asked, for the head of a message that can't be the reply itself.
    pub(super) label: String,
    pub(super) lang: Lang,
    /// Whether only the person who asked sees it.
    pub(super) private: bool,
    /// What the bot may do in the channel, where Discord said so.
    pub(super) permissions: Option<Permissions>,
    /// Whether the fate of a progress line is unknown.
    pub(super) unsettled: AtomicBool,
}

impl Reply {
    /// Shows a line of progress, once; whether the reply can still be edited.
    pub(super) async fn progress(&self, markup: &str) -> bool {
        let edit = Answer::line(markup).edit();
        match timeout(PROGRESS_TRY, edit.execute(&self.http, &self.token)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => match classify(&error) {
                Failure::Passing => {
                    self.unsettle();
                    true
                }
                _ => understood(&error),
            },
            Err(_) => {
                self.unsettle();
                true
            }
        }
    }

    /// A progress line was given up while it was on its way.
    pub(super) fn unsettle(&self) {
        self.unsettled.store(true, Ordering::Relaxed);
    }

    /// Shows `answer`: as the reply, or as a message in the channel when the reply is no longer
    /// possible. What can't be shown is said in the log with its record.
    pub(super) async fn finish(&self, answer: Answer, record: Option<RecordId>) {
        let answer = self.permitted(answer);
        let Err(error) = self.send(&answer, None).await else {
            if self.unsettled.load(Ordering::Relaxed) {
                sleep(SETTLE).await;
                let _ = timeout(TRY, self.send_once(&answer, None)).await;
            }
            return;
        };
        if self.private {
            self.lost(record, &error);
            return;
        }
        tracing::warn!(
            record = record.map(|record| record.0),
            error,
            "the reply can't be edited any more; the report goes into the channel"
        );
        let answer = answer.headed(&words::in_place_of_reply(
            self.lang,
            &name(&self.person),
            &name(&self.label),
        ));
        // Discord refuses a second message with the same nonce: a repeated try can't be one.
        let nonce = record.map_or_else(
            || format!("hb-{}", self.interaction),
            |record| format!("hb-record-{}", record.0),
        );
        if let Err(error) = self.send(&answer, Some(&nonce)).await {
            self.lost(record, &error);
        }
    }

    /// Puts `content` above the message whose button was used; the rest of it stays.
    pub(super) async fn write_over(&self, content: &str) {
        let edit = EditInteractionResponse::new()
            .content(content)
            .allowed_mentions(CreateAllowedMentions::new());
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES {
            let sent = timeout(TRY, edit.clone().execute(&self.http, &self.token)).await;
            match sent {
                Ok(Ok(_)) => return,
                Ok(Err(error)) if classify(&error) != Failure::Passing => {
                    tracing::error!(
                        error = describe(&error),
                        "the report can't be changed; what the person saw is recorded"
                    );
                    return;
                }
                _ => sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Tells the person who pressed a button something that nobody else sees.
    pub(super) async fn tell_privately(&self, answer: &Answer) {
        let followup = answer.followup().execute(&self.http, (None, &self.token));
        if !matches!(timeout(TRY, followup).await, Ok(Ok(_))) {
            tracing::warn!("a refusal could not be shown");
        }
    }

    /// Shows `answer` to nobody but the person who asked, in place of a reply that everybody sees.
    pub(super) async fn finish_privately(&self, answer: Answer) {
        if !self.private {
            let _ = timeout(
                PROGRESS_TRY,
                self.http.delete_original_interaction_response(&self.token),
            )
            .await;
            let followup = answer.followup().execute(&self.http, (None, &self.token));
            let sent = timeout(TRY, followup).await;
            if matches!(&sent, Ok(Ok(_))) {
                return;
            }
        }
        self.finish(answer, None).await;
    }

    /// The answer in a form that the bot's permissions in the channel allow.
    fn permitted(&self, answer: Answer) -> Answer {
        let Some(permissions) = self.permissions else {
            return answer;
        };
        let answer = if answer.has_files() && !permissions.contains(Permissions::ATTACH_FILES) {
            answer.without_files(words::no_attach_files(self.lang))
        } else {
            answer
        };
        if permissions.contains(Permissions::EMBED_LINKS) {
            answer
        } else {
            answer.without_embed()
        }
    }

    /// Sends `answer` as the edit of the reply, or as a message with `nonce`, until Discord has it.
    async fn send(&self, answer: &Answer, nonce: Option<&str>) -> Result<(), String> {
        let mut answer = answer.clone();
        let mut pause = FIRST_PAUSE;
        let mut last = "no answer in time".to_owned();
        for _ in 0..TRIES {
            let sent = timeout(TRY, self.send_once(&answer, nonce)).await;
            if let Ok(sent) = sent {
                let Err(error) = sent else { return Ok(()) };
                last = describe(&error);
                match classify(&error) {
                    _ if understood(&error) => return Ok(()),
                    Failure::Passing => {}
                    Failure::Forbidden if answer.has_files() => {
                        answer = answer.without_files(words::no_attach_files(self.lang));
                        continue;
                    }
                    _ => return Err(last),
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(last)
    }

    async fn send_once(&self, answer: &Answer, nonce: Option<&str>) -> serenity::Result<()> {
        match nonce {
            None if answer.has_files() => {
                let path = format!(
                    "/webhooks/{}/{}/messages/@original",
                    self.application, self.token
                );
                let body = serde_json::to_value(answer.edit())?;
                self.upload(Method::PATCH, &path, body, answer).await?;
            }
            None => {
                let edit = answer.edit();
                edit.execute(&self.http, &self.token).await?;
            }
            Some(nonce) if answer.has_files() => {
                let path = format!("/channels/{}/messages", self.channel);
                let body = serde_json::to_value(answer.message(nonce))?;
                self.upload(Method::POST, &path, body, answer).await?;
            }
            Some(nonce) => {
                let message = answer.message(nonce);
                message.execute(&self.shared, (self.channel, None)).await?;
            }
        }
        Ok(())
    }

    async fn upload(
        &self,
        method: Method,
        path: &str,
        body: serde_json::Value,
        answer: &Answer,
    ) -> serenity::Result<()> {
        let request = || self.wire.request(method.clone(), path);
        upload(request, method.clone(), body, answer.files()).await
    }

    /// Says in the log what the person could not be told, and where it is.
    fn lost(&self, record: Option<RecordId>, error: &str) {
        let channel = self.channel.get();
        if let Some(RecordId(number)) = record {
            tracing::error!(
                record = number,
                channel,
                error,
                "a report could not be shown; it is recorded: `handbell history {number}` shows it"
            );
        } else {
            tracing::error!(
                asked = self.label,
                channel,
                error,
                "an answer could not be shown; it holds nothing that is not in the record"
            );
        }
    }
}

/// Whether Discord took the request and only its answer could not be read.
fn understood(error: &Error) -> bool {
    matches!(error, Error::Json(_) | Error::Decode(..))
}
