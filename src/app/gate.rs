//! THE one way in: identify → authorise → rate-limit → record → do → record.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::tz::TimeZone;
use tokio::sync::{mpsc, watch};

use super::{
    Answer, Clock, Diagnosis, Envelope, Outcome, Pages, Place, Prober, Progress, RawParams, Record,
    RecordId, Recorder, Refusal, Reloaded, Reply, Request, Start, Targets, parse_params,
    refusal::MISTAKES_TOLD,
};
use crate::domain::{
    access::{Actor, Policy},
    diagnosis::{Changed, Plan, Report, compare},
    document::told,
    handbook::{ALL_PAGES, Handbook, ParamValue, Params, Runbook},
    redact::Redactor,
};

/// The gate and all that stands behind it.
pub struct Gate {
    policy: Policy,
    handbook: RwLock<Arc<Handbook>>,
    diagnosis: Diagnosis,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    redactor: Redactor,
    timezone: TimeZone,
    pages: Box<dyn Pages>,
    reloads: watch::Sender<u64>,
    running: super::limit::PerActor,
}

impl Gate {
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of the house, named once where it is built"
    )]
    /// A gate with everything behind it.
    #[must_use]
    pub fn new(
        policy: Policy,
        handbook: Handbook,
        diagnosis: Diagnosis,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
        redactor: Redactor,
        timezone: TimeZone,
        pages: Box<dyn Pages>,
    ) -> Self {
        Self {
            policy,
            handbook: RwLock::new(Arc::new(handbook)),
            diagnosis,
            recorder,
            clock,
            redactor,
            timezone,
            pages,
            reloads: watch::Sender::new(0),
            running: super::limit::PerActor::default(),
        }
    }

    /// The handbook in force.
    #[must_use]
    pub fn handbook(&self) -> Arc<Handbook> {
        Arc::clone(&self.handbook.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the pages and the targets again and puts them in force; runs under way keep theirs. A
    /// page that has mistakes now stays in force as it was, and so do targets that have some.
    pub fn reload(&self) -> Reloaded {
        let (pages, unreadable) = self.pages.read();
        let before = self.handbook();
        let catalog = self.diagnosis.prober().catalog();
        let after = Arc::new(Handbook::load_sound(
            pages,
            unreadable,
            catalog,
            Some(&before),
        ));
        let targets = self.pages.renew_targets();
        let reloaded = Reloaded::between(&before, &after, targets);
        *self
            .handbook
            .write()
            .unwrap_or_else(PoisonError::into_inner) = after;
        // Nobody need be listening.
        self.reloads.send_modify(|count| *count += 1);
        tracing::info!(
            changed = reloaded.changed.join(" "),
            added = reloaded.added.join(" "),
            removed = reloaded.removed.join(" "),
            "the pages were read again"
        );
        match &reloaded.targets {
            Targets::Same => {}
            Targets::Renewed(count) => tracing::info!(count, "the targets were read again"),
            Targets::Kept(problems) => tracing::error!(
                mistakes = told(problems, MISTAKES_TOLD).join("; "),
                "the configuration has mistakes; the old targets stay"
            ),
        }
        for page in &reloaded.broken {
            tracing::error!(
                page = page.id,
                kept = page.kept.is_some(),
                mistakes = page.mistakes(MISTAKES_TOLD).join("; "),
                "a page has mistakes"
            );
        }
        reloaded
    }

    /// Tells each time that the pages were read again.
    #[must_use]
    pub fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.subscribe()
    }

    /// The probes there are.
    #[must_use]
    pub fn prober(&self) -> &Arc<dyn Prober> {
        self.diagnosis.prober()
    }

    /// Whether `actor` could do `request`; what a completion may offer.
    #[must_use]
    pub fn allows(&self, actor: &Actor, request: &Request) -> bool {
        self.policy.allows(actor, request.needs())
    }

    /// What `request` would run, and how many checks that is; nothing for what runs none.
    #[must_use]
    pub fn size_of(&self, request: &Request) -> Option<(String, usize)> {
        let (plan, _) = planned(&self.handbook(), request)?.ok()?;
        Some((plan.name, plan.steps.len()))
    }

    /// Whether `request` runs checks, and would not be refused for its page or parameters.
    #[must_use]
    pub fn would_run(&self, request: &Request) -> bool {
        planned(&self.handbook(), request).is_some_and(|planned| planned.is_ok())
    }

    /// Does what `envelope` asks. Progress of a diagnosis goes to `progress`, which may be closed.
    ///
    /// # Errors
    /// A [`Refusal`] says what kept it from being done. Nothing was done then, except that the checks
    /// of a [`Refusal::NotKept`] ran, and an answer stands although [`Refusal::NotRead`] hides it.
    pub async fn pass(
        &self,
        envelope: Envelope,
        progress: mpsc::Sender<Progress>,
    ) -> Result<Reply, Refusal> {
        self.authorise(&envelope).await?;
        let Envelope {
            actor,
            place,
            request,
        } = envelope;
        match request {
            request @ (Request::Diagnose { .. } | Request::Patrol { .. }) => {
                let _turn = self.running.enter(&actor).ok_or(Refusal::TooBusy {
                    limit: super::limit::RUNS_PER_ACTOR,
                })?;
                self.diagnose(actor, &place, &request, progress).await
            }
            Request::History { runbook, limit } => {
                let records = self.recorder.history(runbook.as_deref(), limit).await;
                Ok(Reply::History(records.map_err(Refusal::NotRead)?))
            }
            Request::ReadHandbook => Ok(Reply::Handbook(self.handbook())),
            Request::Reload => Ok(Reply::Reloaded(self.reload())),
            Request::Answer { id, step, fine } => self.answer(actor, id, step, fine).await,
            Request::ShowRecord { id } => Ok(Reply::History(vec![self.record(id).await?])),
        }
    }

    /// The record `id`, which must be there.
    async fn record(&self, id: RecordId) -> Result<Record, Refusal> {
        let record = self.recorder.record(id).await;
        record
            .map_err(Refusal::NotRead)?
            .ok_or(Refusal::NoSuchRecord(id))
    }

    /// Records what `actor` saw, and gives all that was seen there.
    async fn answer(
        &self,
        actor: Actor,
        id: RecordId,
        step: usize,
        fine: bool,
    ) -> Result<Reply, Refusal> {
        let record = self.record(id).await?;
        let outcome = record.outcome.as_ref().ok_or(Refusal::NoSuchRecord(id))?;
        let known = &outcome.report["manual"][step];
        let (Some(page), Some(name)) = (known["page"].as_str(), known["id"].as_str()) else {
            return Err(Refusal::NoSuchRecord(id));
        };
        let answer = Answer {
            at: self.clock.now(),
            actor,
            page: page.to_owned(),
            step: name.to_owned(),
            fine,
        };
        let kept = self.recorder.answer(id, &answer).await;
        kept.map_err(Refusal::NotRecorded)?;
        let answers = self.recorder.answers(id).await;
        let answers = answers.map_err(Refusal::NotRead)?;
        Ok(Reply::Answered(Box::new(record), answers))
    }

    async fn authorise(&self, envelope: &Envelope) -> Result<(), Refusal> {
        let needed = envelope.request.needs();
        if self.policy.allows(&envelope.actor, needed) {
            return Ok(());
        }
        let refusal = Refusal::MissingRole {
            asked: envelope.request.label(),
            needed,
            held: self.policy.role_of(&envelope.actor),
        };
        let why = refusal.say().en;
        let asked = envelope.request.label();
        let recorded = self
            .recorder
            .refuse(
                &envelope.actor,
                &envelope.place.label(),
                self.clock.now(),
                &asked,
                &why,
            )
            .await;
        if let Err(error) = recorded {
            // The refusal stands whether or not it could be written down.
            tracing::error!(actor = envelope.actor.label(), asked, %error, "a refusal could not be recorded");
        }
        Err(refusal)
    }

    async fn diagnose(
        &self,
        actor: Actor,
        place: &Place,
        request: &Request,
        progress: mpsc::Sender<Progress>,
    ) -> Result<Reply, Refusal> {
        let handbook = self.handbook();
        let Some(planned) = planned(&handbook, request) else {
            return Ok(Reply::History(Vec::new()));
        };
        let (plan, params) = planned?;
        let start = Start {
            actor,
            place: place.label(),
            at: self.clock.now(),
            runbook: plan.name.clone(),
            page_hash: plan.hash.clone(),
            params: self.recorded(&params),
        };
        let begun = self.recorder.begin(&start).await;
        let record = begun.map_err(Refusal::NotRecorded)?;
        let run = self.run_cleaned(&plan, progress);
        let healthy = self.recorder.last_healthy(&plan.name);
        let (mut report, healthy) = tokio::join!(run, healthy);
        self.redactor.clean_report(&mut report);
        match healthy {
            Ok(healthy) => {
                report.changed = healthy.and_then(|it| self.changed(&plan, &report, &it));
            }
            // The diagnosis is worth more than the comparison; recording it says what is wrong.
            Err(error) => tracing::warn!(%error, "the last healthy run can't be read"),
        }
        let outcome = Outcome {
            verdict: report.verdict,
            root_causes: report
                .root_causes
                .iter()
                .map(|ranked| ranked.cause.to_string())
                .collect(),
            duration_ms: report.duration_ms,
            report: super::recorded_json(&report),
        };
        let kept = self.recorder.finish(record, &outcome).await;
        kept.map_err(|error| Refusal::NotKept(record, error))?;
        tracing::info!(
            record = record.0,
            actor = start.actor.label(),
            runbook = plan.name,
            verdict = report.verdict.word(),
            duration_ms = report.duration_ms,
            "diagnosed"
        );
        Ok(Reply::Diagnosed {
            record,
            report: Box::new(report),
            handbook: Arc::clone(&handbook),
        })
    }

    /// Runs the plan; what is shown before the report is as clean as the report.
    async fn run_cleaned(&self, plan: &Plan, progress: mpsc::Sender<Progress>) -> Report {
        let (sender, mut steps) = mpsc::channel::<Progress>(plan.steps.len().max(1));
        let forward = async {
            while let Some(mut step) = steps.recv().await {
                self.redactor.clean_result(&mut step.latest);
                let _ = progress.try_send(step);
            }
        };
        // The run drops its sender when it ends, and the forwarding ends with it.
        let (report, ()) = tokio::join!(self.diagnosis.run(plan, sender), forward);
        report
    }

    /// What differs from `healthy`, an earlier run of the same plan.
    fn changed(&self, plan: &Plan, report: &Report, healthy: &Record) -> Option<Changed> {
        let recorded = &healthy.outcome.as_ref()?.report;
        let earlier = super::json::recorded_facts(recorded);
        let catalog = self.diagnosis.prober().catalog();
        let (facts, total) = compare(report, plan, catalog, &earlier);
        Some(Changed {
            since: healthy.start.at.to_zoned(self.timezone.clone()),
            at: self.clock.now().to_zoned(self.timezone.clone()),
            record: healthy.id.0,
            facts,
            total,
        })
    }

    /// The parameters as they may be recorded: somebody may have typed a secret.
    fn recorded(&self, params: &Params) -> Params {
        let mut params = params.clone();
        for value in params.values_mut() {
            if let ParamValue::Text(text) = value {
                self.redactor.clean_in_place(text);
            }
        }
        params
    }
}

/// What `request` runs, with the parameters that hold for it; `None` for what runs nothing.
fn planned(handbook: &Handbook, request: &Request) -> Option<Result<(Plan, Params), Refusal>> {
    match request {
        Request::Diagnose { runbook, params } => Some(planned_page(handbook, runbook, params)),
        Request::Patrol { page: None } => {
            Some(Ok((Plan::of_patrol(handbook, None), Params::new())))
        }
        Request::Patrol { page: Some(page) } => Some(
            page_of(handbook, page)
                .map(|page| (Plan::of_patrol(handbook, Some(page)), Params::new())),
        ),
        Request::ReadHandbook
        | Request::Reload
        | Request::History { .. }
        | Request::Answer { .. }
        | Request::ShowRecord { .. } => None,
    }
}

fn planned_page(
    handbook: &Handbook,
    runbook: &str,
    raw: &RawParams,
) -> Result<(Plan, Params), Refusal> {
    if runbook == ALL_PAGES {
        let params = parse_params(&[], raw).map_err(Refusal::BadParams)?;
        return Ok((Plan::of_all(handbook), params));
    }
    let page = page_of(handbook, runbook)?;
    let params = parse_params(&page.params, raw).map_err(Refusal::BadParams)?;
    Ok((Plan::of_page(handbook, page, params.clone()), params))
}

fn page_of<'a>(handbook: &'a Handbook, asked: &str) -> Result<&'a Runbook, Refusal> {
    if let Some(page) = handbook.broken_page(asked) {
        return Err(Refusal::BrokenPage(Box::new(page.clone())));
    }
    handbook.page(asked).map(AsRef::as_ref).ok_or_else(|| {
        let pages = handbook.pages.keys().map(ToString::to_string);
        Refusal::NoSuchPage {
            asked: asked.to_owned(),
            pages: pages.chain([ALL_PAGES.to_owned()]).collect(),
        }
    })
}
