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
    answer::{Allowed, Answer, Filing, Message, name},
    error::{Failure, classify, describe, is_unknown_message},
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
        let edit = Answer::line(markup).form(Allowed::ALL, self.lang).edit();
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
        let error = match self.send(&answer, None).await {
            Ok(shown) => {
                if self.unsettled.load(Ordering::Relaxed) {
                    sleep(SETTLE).await;
                    let _ = timeout(TRY, self.send_once(&shown, None)).await;
                }
                return;
            }
            Err(error) => error,
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
        let message = answer.form(self.allowed(), self.lang);
        let followup = || async {
            let followup = message.followup().execute(&self.http, (None, &self.token));
            followup.await.map(|_| ())
        };
        if let Err(error) = insist(followup).await {
            tracing::warn!(
                asked = self.label,
                channel = self.channel.get(),
                error,
                "what is for one person alone could not be shown to them, so nobody was told"
            );
        }
    }

    /// Shows `answer` to nobody but the person who asked, in place of a reply that everybody sees.
    /// Where that can't be, nobody sees it, and the log says so.
    pub(super) async fn finish_privately(&self, answer: Answer) {
        if self.private {
            return self.finish(answer, None).await;
        }
        // Discord shows a further message as it shows the reply that waits, until that is gone: to
        // everybody (Receiving and Responding, "Followup Messages").
        let remove = || async {
            let gone = self.http.delete_original_interaction_response(&self.token);
            match gone.await {
                Err(error) if is_unknown_message(&error) => Ok(()),
                done => done,
            }
        };
        match insist(remove).await {
            Ok(()) => self.tell_privately(&answer).await,
            Err(error) => tracing::warn!(
                asked = self.label,
                channel = self.channel.get(),
                error,
                "the reply that everybody sees can't be removed, so what is for one person alone was not shown"
            ),
        }
    }

    /// What the bot's permissions in the channel allow.
    fn allowed(&self) -> Allowed {
        let Some(permissions) = self.permissions else {
            return Allowed::ALL;
        };
        let files = if permissions.contains(Permissions::ATTACH_FILES) {
            Filing::Allowed
        } else {
            Filing::Forbidden
        };
        Allowed {
            embeds: permissions.contains(Permissions::EMBED_LINKS),
            files,
        }
    }

    /// Sends `answer` as the edit of the reply, or as a message with `nonce`, until Discord has it;
    /// gives the form in which it does.
    async fn send(&self, answer: &Answer, nonce: Option<&str>) -> Result<Message, String> {
        let mut allowed = self.allowed();
        let mut message = answer.form(allowed, self.lang);
        let mut pause = FIRST_PAUSE;
        let mut last = "no answer in time".to_owned();
        for _ in 0..TRIES {
            let sent = timeout(TRY, self.send_once(&message, nonce)).await;
            if let Ok(sent) = sent {
                let Err(error) = sent else {
                    return Ok(message);
                };
                last = describe(&error);
                let files = !message.files().is_empty();
                match classify(&error) {
                    _ if understood(&error) => return Ok(message),
                    Failure::Passing => {}
                    Failure::Forbidden if files => allowed.files = Filing::Forbidden,
                    Failure::TooLarge if files => allowed.files = Filing::TooLarge,
                    _ => return Err(last),
                }
                if allowed.files != Filing::Allowed && files {
                    message = answer.form(allowed, self.lang);
                    continue;
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(last)
    }

    async fn send_once(&self, message: &Message, nonce: Option<&str>) -> serenity::Result<()> {
        match nonce {
            None if message.files().is_empty() => {
                let edit = message.edit();
                edit.execute(&self.http, &self.token).await?;
            }
            None => {
                let path = format!(
                    "/webhooks/{}/{}/messages/@original",
                    self.application, self.token
                );
                let body = serde_json::to_value(message.edit())?;
                self.upload(Method::PATCH, &path, body, message).await?;
            }
            Some(nonce) if message.files().is_empty() => {
                let message = message.message(nonce);
                message.execute(&self.shared, (self.channel, None)).await?;
            }
            Some(nonce) => {
                let path = format!("/channels/{}/messages", self.channel);
                let body = serde_json::to_value(message.message(nonce))?;
                self.upload(Method::POST, &path, body, message).await?;
            }
        }
        Ok(())
    }

    async fn upload(
        &self,
        method: Method,
        path: &str,
        body: serde_json::Value,
        message: &Message,
    ) -> serenity::Result<()> {
        let request = || self.wire.request(method.clone(), path);
        upload(request, method.clone(), body, message.files()).await
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

/// Does `request` until Discord has done it; passing troubles are waited out.
///
/// # Errors
/// What Discord said, or that it did not answer.
async fn insist<F>(request: impl Fn() -> F) -> Result<(), String>
where
    F: Future<Output = serenity::Result<()>>,
{
    let mut pause = FIRST_PAUSE;
    let mut last = "no answer in time".to_owned();
    for _ in 0..TRIES {
        match timeout(TRY, request()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if understood(&error) => return Ok(()),
            Ok(Err(error)) if classify(&error) != Failure::Passing => {
                return Err(describe(&error));
            }
            Ok(Err(error)) => last = describe(&error),
            Err(_) => {}
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Err(last)
}

/// Whether Discord took the request and only its answer could not be read.
fn understood(error: &Error) -> bool {
    matches!(error, Error::Json(_) | Error::Decode(..))
}
