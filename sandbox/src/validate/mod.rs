//! Reading what a bot sends into types that cannot be wrong, with Discord's limits and refusals.

pub(crate) mod command;
pub(crate) mod command_json;
pub(crate) mod command_option;
pub(crate) mod component;
pub(crate) mod embed;
pub(crate) mod layout;
pub(crate) mod message;
pub(crate) mod modal;
pub(crate) mod read;
