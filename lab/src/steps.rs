//! Carrying out the steps of a fault.

use std::time::Duration;

use rustix::process::Signal;

use crate::background;
use crate::docker::{Changes, Containers};
use crate::error::{LabError, Result};
use crate::lab::{Lab, World};
use crate::process::Process;
use crate::processes::Other;
use crate::service::Service;
use crate::step::{SignalName, Step};

/// How long one request of a step may take.
const REQUEST_LIMIT: Duration = Duration::from_mins(1);

impl Lab {
    /// Carries out steps in their order.
    ///
    /// # Errors
    /// When one fails.
    pub async fn carry_out(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            Box::pin(self.step(step)).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Stop { service } => self.end(*service, Ending::Stop).await,
            Step::Kill { service } => self.end(*service, Ending::Kill).await,
            Step::Start { service } => self.start(*service, &Other::default()).await,
            Step::Freeze { service } => self.signal(*service, "SIGSTOP", Signal::STOP).await,
            Step::Thaw { service } => self.signal(*service, "SIGCONT", Signal::CONT).await,
            Step::Signal { service, signal } => {
                let (name, signal) = signal.both();
                self.signal(*service, name, signal).await
            }
            Step::Pause { service } => self.containers()?.pause(service.key()).await,
            Step::Unpause { service } => self.containers()?.unpause(service.key()).await,
            Step::Remove { service } => self.containers()?.remove(service.key()).await,
            Step::Disconnect { service } => self.containers()?.disconnect(service.key()).await,
            Step::Throttle { service, percent } => {
                self.containers()?.throttle(service.key(), *percent).await
            }
            Step::Recreate {
                service,
                memory,
                restart,
                arguments,
                environment,
                unpublished,
                data_limit,
                disks,
            } => {
                let changes = Changes {
                    memory: *memory,
                    restart: *restart,
                    arguments: arguments.clone(),
                    environment: environment.clone(),
                    unpublished: *unpublished,
                    data_limit: *data_limit,
                    disks: disks.clone(),
                };
                self.recreate(*service, changes).await
            }
            Step::Renew { service } => self.renew(*service).await,
            Step::Wait { time } => {
                tokio::time::sleep(time.0).await;
                Ok(())
            }
            Step::Redis { .. }
            | Step::Configure { .. }
            | Step::Fill { .. }
            | Step::Thin { .. }
            | Step::SpoilData {}
            | Step::CorruptData {} => self.redis_step(step).await,
            Step::Sql {
                statement,
                may_fail,
            } => {
                let done = self.sql(statement).await;
                if *may_fail { Ok(()) } else { done }
            }
            Step::Http { .. } => self.http_step(step).await,
            Step::PutFile {
                file,
                content,
                replace,
                append,
            } => {
                self.put_file(*file, content.as_deref(), replace, append.as_deref())
                    .await
            }
            Step::Certificate {
                service,
                kind,
                days,
                name,
            } => self.certify(*service, *kind, *days, name.as_deref()).await,
            Step::Disk {
                size,
                full,
                inodes_full,
            } => self.make_disk(*size, *full, *inodes_full).await,
            Step::Background { job } => {
                let Some(broken) = &mut self.state.broken else {
                    return Err(LabError::Refused(
                        "only a fault starts processes in the background".to_owned(),
                    ));
                };
                let process = background::start(
                    &self.settings,
                    &self.state.ports,
                    job,
                    broken.background.len(),
                )?;
                broken.background.push(process);
                self.store.save(&self.state)
            }
        }
    }

    async fn http_step(&self, step: &Step) -> Result<()> {
        let Step::Http {
            service,
            method,
            path,
            body,
            status,
        } = step
        else {
            return Ok(()); // the others are no requests
        };
        let answer = self
            .ask(*service, method, path, body.as_deref(), REQUEST_LIMIT)
            .await?;
        let right = status.map_or((200..300).contains(&answer.status), |wanted| {
            answer.status == wanted
        });
        if right {
            return Ok(());
        }
        Err(LabError::Refused(format!(
            "{service} answered {method} {path} with {}: {}",
            answer.status, answer.body
        )))
    }

    pub(crate) fn containers(&self) -> Result<&Containers> {
        match &self.world {
            World::Docker(containers) => Ok(containers),
            World::Processes(_) => Err(LabError::Refused("this step needs a container".to_owned())),
        }
    }

    pub(crate) fn server(&self, service: Service) -> Result<&Process> {
        let server = self.state.servers.get(service.key());
        server.ok_or_else(|| LabError::Refused(format!("{service} was never started")))
    }

    async fn end(&self, service: Service, ending: Ending) -> Result<()> {
        let name = service.key();
        match (&self.world, ending) {
            (World::Docker(containers), Ending::Stop) => containers.stop(name).await,
            (World::Docker(containers), Ending::Kill) => containers.signal(name, "SIGKILL").await,
            (World::Processes(_), Ending::Stop) => self.server(service)?.stop().await,
            (World::Processes(_), Ending::Kill) => self.server(service)?.kill().await,
        }
    }

    pub(crate) async fn signal(&self, service: Service, name: &str, signal: Signal) -> Result<()> {
        if service == Service::Nginx && signal == Signal::HUP {
            return self.reload_nginx().await;
        }
        self.signal_as_is(service, name, signal).await
    }

    pub(crate) async fn signal_as_is(
        &self,
        service: Service,
        name: &str,
        signal: Signal,
    ) -> Result<()> {
        match &self.world {
            World::Docker(containers) => containers.signal(service.key(), name).await,
            World::Processes(_) => self.server(service)?.signal(signal),
        }
    }

    pub(crate) async fn start(&mut self, service: Service, other: &Other) -> Result<()> {
        match &self.world {
            World::Docker(containers) => containers.start(service.key()).await,
            World::Processes(processes) => {
                let processes = processes.clone();
                let started = processes.start(&mut self.state, service, other).await;
                self.store.save(&self.state)?;
                started
            }
        }
    }

    async fn recreate(&mut self, service: Service, changes: Changes) -> Result<()> {
        if let World::Docker(containers) = &self.world {
            containers.remove(service.key()).await?;
            containers.create(service.key(), &changes).await?;
            return Ok(());
        }
        self.end(service, Ending::Kill).await?;
        let other = Other {
            arguments: changes.arguments,
            environment: changes.environment,
        };
        self.start(service, &other).await
    }

    async fn sql(&self, statement: &str) -> Result<()> {
        let mut sql = self.door()?.open().await?;
        let done = sql.run(&format!("USE mall; {statement}")).await;
        sql.close().await;
        done
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Stop,
    Kill,
}

impl SignalName {
    /// As Docker writes it, and as the system has it.
    pub(crate) fn both(self) -> (&'static str, Signal) {
        match self {
            Self::Hup => ("SIGHUP", Signal::HUP),
            Self::Term => ("SIGTERM", Signal::TERM),
            Self::Quit => ("SIGQUIT", Signal::QUIT),
            Self::Usr1 => ("SIGUSR1", Signal::USR1),
            Self::Usr2 => ("SIGUSR2", Signal::USR2),
        }
    }
}
