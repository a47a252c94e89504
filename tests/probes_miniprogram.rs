//! The probe of the mini program's configuration, against files as people write them.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod probes_common;

use std::{fs, path::Path};

use handbell::{
    app::Look,
    config::{LogFile, Targets, UrlTarget},
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        handbook::ArgValue,
    },
    probes::Probes,
};
use probes_common::{int, none, see_within, text, truth};
use tempfile::TempDir;

async fn see(file: &Path) -> Result<Sighting, Blind> {
    let mut targets = Targets::default();
    let page = UrlTarget {
        url: "https://api.mall.com/api/v1/products?page=1".to_owned(),
        connect: None,
        tls: None,
        resolvers: Vec::new(),
        addresses: Vec::new(),
    };
    targets.url.insert("products".parse().expect("an id"), page);
    let log = LogFile {
        file: file.to_owned(),
        container: None,
    };
    targets
        .log
        .insert("miniprogram".parse().expect("an id"), log);
    let look = Look {
        probe: "miniprogram.config".to_owned(),
        target: "miniprogram".parse().expect("an id"),
        args: [("url".to_owned(), ArgValue::Text("products".to_owned()))]
            .into_iter()
            .collect(),
        deadline: probes_common::DEADLINE,
    };
    see_within(&Probes::new(targets), &look).await
}

async fn read(script: &str) -> Sighting {
    let dir = TempDir::new().expect("a directory");
    let file = dir.path().join("config.js");
    fs::write(&file, script).expect("a file");
    see(&file).await.expect("a sighting")
}

#[tokio::test]
async fn an_address_leads_to_the_interface_with_its_version_only() {
    for (url, leads) in [
        ("https://api.mall.com/api/v1", true),
        ("https://api.mall.com/api/v1/", true),
        ("https://api.mall.com/api", false),
        ("https://api.mall.com", false),
        ("https://api.mall.com/api/v", false),
        ("https://api.mall.com/api/v2", false),
    ] {
        let seen = read(&format!("module.exports = {{ API_BASE_URL: '{url}' }}")).await;
        assert_eq!(text(&seen, "base_url"), url);
        assert_eq!(truth(&seen, "path_matches"), leads, "{url}");
        assert!(truth(&seen, "host_matches") && !truth(&seen, "has_blanks"));
    }
}

#[tokio::test]
async fn blanks_inside_of_the_quotes_are_told() {
    for value in [
        " https://api.mall.com/api/v1",
        "https://api.mall.com/api/v1 ",
    ] {
        let seen = read(&format!("const c = {{ API_BASE_URL: '{value}' }}")).await;
        assert!(truth(&seen, "has_blanks") && truth(&seen, "path_matches"));
        assert_eq!(text(&seen, "base_url"), "https://api.mall.com/api/v1");
    }
}

#[tokio::test]
async fn what_is_set_last_is_in_force() {
    for script in [
        "const c = { API_BASE_URL: 'https://old.com', API_BASE_URL: 'https://new.com' }",
        "const c = { API_BASE_URL: 'https://old.com' }\nc.API_BASE_URL = 'https://new.com'",
        "const c = { develop: { API_BASE_URL: 'http://localhost' }, release: { API_BASE_URL: 'https://old.com' } }\nc.release.API_BASE_URL = 'https://new.com'\nc.develop.API_BASE_URL = 'http://127.0.0.1'",
    ] {
        let seen = read(script).await;
        assert_eq!(text(&seen, "base_url"), "https://new.com", "{script}");
        assert!(int(&seen, "values") >= 2);
    }
}

#[tokio::test]
async fn a_missing_file_is_told_and_a_missing_directory_is_not_seen() {
    let dir = TempDir::new().expect("a directory");
    let seen = see(&dir.path().join("config.js"))
        .await
        .expect("a sighting");
    assert_eq!(text(&seen, "state"), "missing");
    assert!(!truth(&seen, "found") && none(&seen, "base_url"));
    assert_eq!(text(&seen, "expected_host"), "api.mall.com");
    let away = see(&dir.path().join("none/config.js")).await;
    let unseen = matches!(&away, Err(Blind::Unknown(Unseen::NoSuchPath { .. })));
    assert!(unseen, "{away:?}");
}
