//! Configuration: raw → validated, every error at once, secrets that can't print.

mod targets;

pub use targets::{
    ContainerRef, DockerEngine, Endpoint, RedisAddress, RedisServer, Secret, SecretError, Targets,
    TlsFiles,
};
