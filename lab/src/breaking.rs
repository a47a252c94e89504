//! Breaking and healing: a fault's steps, then waiting until what they do can be seen; and back to exact health.

use crate::error::{LabError, Result};
use crate::fault::{Fault, Way};
use crate::lab::Lab;
use crate::say;
use crate::settle;
use crate::state::Broken;

impl Lab {
    /// How it runs, as far as faults differ by it.
    #[must_use]
    pub fn way(&self) -> Way {
        Way::of(&self.state)
    }

    /// Breaks the lab and waits until the fault has taken hold.
    ///
    /// # Errors
    /// When something is broken already, the fault makes no sense here, or it does not take hold; what was begun is
    /// remembered, so that it can be healed.
    pub async fn break_with(&mut self, fault: &Fault) -> Result<()> {
        if let Some(broken) = &self.state.broken {
            return Err(LabError::Refused(format!(
                "{} is in force already; heal it first (handbell-lab heal {})",
                broken.fault, broken.fault
            )));
        }
        let way = self.way();
        if let Some(why) = fault.why_not(way) {
            return Err(LabError::Refused(format!(
                "{} makes no sense here: {}",
                fault.name, why.en
            )));
        }
        self.state.broken = Some(Broken {
            fault: fault.name.clone(),
            background: Vec::new(),
        });
        self.store.save(&self.state)?;
        self.carry_out(fault.injected(way)).await?;
        settle::wait(self, fault.settled(way)).await
    }

    /// Heals a fault and proves that the lab is exactly as it was before. Where the fault's own steps do not lead
    /// there, what is not well is made anew.
    ///
    /// # Errors
    /// When not even that helps.
    pub async fn heal(&mut self, fault: &Fault) -> Result<()> {
        if let Some(broken) = &self.state.broken {
            for process in &broken.background {
                process.kill().await?;
            }
        }
        self.store.reload_servers(&mut self.state)?;
        let way = self.way();
        if let Err(why) = self.carry_out(fault.healed(way)).await {
            say::progress(format!(
                "  the steps that heal {} did not do ({why}); what is not well is made anew",
                fault.name
            ));
        }
        if let Err(why) = self.restore_files().await {
            say::progress(format!("  not every file could be put back ({why})"));
        }
        self.remove_disk().await?;
        self.restore(fault.injected(way)).await?;
        self.state.broken = None;
        self.store.save(&self.state)
    }
}
