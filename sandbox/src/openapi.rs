//! Recorded traffic against Discord's published OpenAPI description.
//!
//! The description is Discord's own opinion of every body, so a bot and a sandbox that agree with each other and not with it are both
//! found. It is read from a path that the caller gives; no copy of it is part of this project.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonschema::Validator;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// The file could not be read.
    #[error("cannot read the OpenAPI description {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no OpenAPI description.
    #[error("{path} is no OpenAPI description: {why}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is missing or broken.
        why: String,
    },
}

/// Something in the traffic that the description does not allow.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Problem {
    /// The record's number.
    pub seq: u64,
    /// The request's method.
    pub method: String,
    /// The request's path, without the base.
    pub path: String,
    /// The answer's status.
    pub status: u64,
    /// `request` or `response`.
    pub side: &'static str,
    /// JSON pointer into the body.
    pub at: String,
    /// What is wrong, in words.
    pub problem: String,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// Exchanges that were compared.
    pub checked: usize,
    /// Exchanges that say nothing about bodies: planned faults, and requests that the description has no path for and that were answered 404.
    pub skipped: usize,
    /// What was found.
    pub problems: Vec<Problem>,
}

/// An operation of the description.
struct Operation {
    segments: Vec<String>,
    method: String,
    request: Option<Value>,
    responses: Map<String, Value>,
}

/// Discord's description, ready to compare.
pub struct Description {
    root: Value,
    operations: Vec<Operation>,
    compiled: std::sync::Mutex<HashMap<String, Option<Arc<Validator>>>>,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// When the file cannot be read or is something else.
    pub fn read(path: &Path) -> Result<Self, DescriptionError> {
        let text = std::fs::read(path).map_err(|source| DescriptionError::Read {
            path: path.to_owned(),
            source,
        })?;
        let shape = |why: String| DescriptionError::Shape {
            path: path.to_owned(),
            why,
        };
        let root: Value =
            serde_json::from_slice(&text).map_err(|error| shape(error.to_string()))?;
        let paths = root["paths"]
            .as_object()
            .ok_or_else(|| shape("it has no paths".to_owned()))?;
        let mut operations = Vec::new();
        for (template, methods) in paths {
            for (method, operation) in methods
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(key, _)| *key != "parameters")
            {
                operations.push(Operation {
                    segments: template
                        .split('/')
                        .filter(|part| !part.is_empty())
                        .map(str::to_owned)
                        .collect(),
                    method: method.to_uppercase(),
                    request: operation.get("requestBody").cloned(),
                    responses: operation["responses"]
                        .as_object()
                        .cloned()
                        .unwrap_or_default(),
                });
            }
        }
        let root = json!({"components": root["components"]});
        Ok(Self {
            root,
            operations,
            compiled: std::sync::Mutex::default(),
        })
    }

    /// Compares records as `GET /sandbox/traffic` and [`crate::Sandbox::traffic`] give them.
    #[must_use]
    pub fn check(&self, records: &[Value]) -> Outcome {
        let mut outcome = Outcome::default();
        for record in records {
            self.check_one(record, &mut outcome);
        }
        outcome
    }

    fn check_one(&self, record: &Value, outcome: &mut Outcome) {
        let (method, path) = (
            record["method"].as_str().unwrap_or_default(),
            record["path"].as_str().unwrap_or_default(),
        );
        let status = record["response"]["status"].as_u64().unwrap_or(0);
        let mut note = |side, at: String, problem: String| {
            let seq = record["seq"].as_u64().unwrap_or(0);
            outcome.problems.push(Problem {
                seq,
                method: method.to_owned(),
                path: path.to_owned(),
                status,
                side,
                at,
                problem,
            });
        };
        if record["fault"].is_string() && status >= 500 {
            outcome.skipped += 1;
            return;
        }
        let Some(operation) = self.operation(method, path) else {
            if status == 404 {
                outcome.skipped += 1;
            } else {
                note(
                    "request",
                    String::new(),
                    "the description has no such operation".to_owned(),
                );
            }
            return;
        };
        outcome.checked += 1;
        // A body that was refused as invalid says nothing about the bot's opinion of the description.
        if status < 400 {
            for (at, problem) in self.request_problems(operation, &record["request"]) {
                note("request", at, problem);
            }
        }
        for (at, problem) in self.response_problems(operation, status, &record["response"]["body"])
        {
            note("response", at, problem);
        }
    }

    /// The operation of a path: the one with the most fixed parts among those that fit.
    fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let fits = |operation: &&Operation| {
            operation.method == method
                && operation.segments.len() == parts.len()
                && operation
                    .segments
                    .iter()
                    .zip(&parts)
                    .all(|(template, part)| {
                        template.starts_with('{') && !part.starts_with('@') || template == part
                    })
        };
        let fixed = |operation: &&Operation| {
            operation
                .segments
                .iter()
                .filter(|segment| !segment.starts_with('{'))
                .count()
        };
        self.operations.iter().filter(fits).max_by_key(fixed)
    }

    fn request_problems(&self, operation: &Operation, request: &Value) -> Vec<(String, String)> {
        let body = &request["body"];
        let Some(described) = &operation.request else {
            let nothing = body.is_null() || body.as_object().is_some_and(Map::is_empty);
            return if nothing {
                Vec::new()
            } else {
                vec![(
                    String::new(),
                    "a body was sent where the description has none".to_owned(),
                )]
            };
        };
        if body.is_null() {
            let required = described["required"] == true
                && request["files"].as_array().is_none_or(Vec::is_empty);
            return if required {
                vec![(String::new(), "the body is missing".to_owned())]
            } else {
                Vec::new()
            };
        }
        // Files are described as parts of the form; the body that was recorded is that of `payload_json`.
        let content = &described["content"];
        let schema = content
            .get("application/json")
            .or_else(|| content.get("multipart/form-data"))
            .map(|media| &media["schema"]);
        schema
            .map(|schema| self.validate(schema, body))
            .unwrap_or_default()
    }

    fn response_problems(
        &self,
        operation: &Operation,
        status: u64,
        body: &Value,
    ) -> Vec<(String, String)> {
        let class = format!("{}XX", status / 100);
        let found = operation
            .responses
            .get(&status.to_string())
            .or_else(|| operation.responses.get(&class))
            .or_else(|| operation.responses.get("default"));
        let Some(response) = found else {
            return vec![(
                String::new(),
                format!("the description has no answer {status} here"),
            )];
        };
        let response = response["$ref"]
            .as_str()
            .and_then(|pointer| self.root.pointer(pointer.trim_start_matches('#')))
            .unwrap_or(response);
        let schema = response.pointer("/content/application~1json/schema");
        match schema {
            None if body.is_null() => Vec::new(),
            None => vec![(
                String::new(),
                "a body was answered where the description has none".to_owned(),
            )],
            Some(_) if body.is_null() => {
                vec![(String::new(), "the answer's body is missing".to_owned())]
            }
            Some(schema) if status >= 400 => self.validate(schema, &with_numbered_codes(body)),
            Some(schema) => self.validate(schema, body),
        }
    }

    fn validate(&self, schema: &Value, body: &Value) -> Vec<(String, String)> {
        let Some(validator) = self.validator(schema) else {
            return vec![(
                String::new(),
                "the description's schema cannot be compiled".to_owned(),
            )];
        };
        let described = validator
            .iter_errors(body)
            .map(|error| (error.instance_path().to_string(), error.to_string()));
        described
            .filter(|(at, _)| !is_known_slip(at, body))
            .map(|(at, problem)| (at, shortened(problem)))
            .collect()
    }

    /// The compiled form of a schema, made once.
    fn validator(&self, schema: &Value) -> Option<Arc<Validator>> {
        let key = schema.to_string();
        let mut compiled = self
            .compiled
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let made = compiled.entry(key).or_insert_with(|| {
            let mut whole = self.root.clone();
            if let (Some(whole), Some(schema)) = (whole.as_object_mut(), schema.as_object()) {
                whole.extend(schema.clone());
            }
            jsonschema::draft202012::new(&whole).ok().map(Arc::new)
        });
        made.clone()
    }
}

/// Where the description contradicts Discord's own reference:
///
/// - permissions are a text of digits ("Permissions": "serialized as strings"); the description takes only numbers for
///   `default_member_permissions` in requests;
/// - the `id` of a new attachment is the number of its file ("Uploading Files" shows `"id": 0`); the description takes only texts.
fn is_known_slip(at: &str, body: &Value) -> bool {
    let Some(value) = body.pointer(at) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let permissions =
        at.ends_with("/default_member_permissions") && value.as_str().is_some_and(digits);
    let attachment = at.contains("attachments/") && at.ends_with("/id") && value.is_u64();
    permissions || attachment
}

/// The body of a refusal with the words of its nested codes replaced by a number: Discord's reference ("Error Messages") shows words such as
/// `BASE_TYPE_REQUIRED` there, where the description takes only numbers.
fn with_numbered_codes(body: &Value) -> Value {
    fn number(node: &mut Value) {
        for (key, inner) in node.as_object_mut().into_iter().flatten() {
            match inner.as_array_mut().filter(|_| key == "_errors") {
                Some(list) => list
                    .iter_mut()
                    .filter(|one| one["code"].is_string())
                    .for_each(|one| one["code"] = json!(0)),
                None => number(inner),
            }
        }
    }
    let mut body = body.clone();
    number(&mut body["errors"]);
    if body["errors"].is_null()
        && let Some(body) = body.as_object_mut()
    {
        body.shift_remove("errors");
    }
    body
}

/// Characters of a problem's words; a whole message can stand in one.
const PROBLEM_MAX_CHARS: usize = 600;

fn shortened(problem: String) -> String {
    if problem.chars().count() <= PROBLEM_MAX_CHARS {
        return problem;
    }
    let half = PROBLEM_MAX_CHARS / 2;
    let start: String = problem.chars().take(half).collect();
    let tail: Vec<char> = problem.chars().rev().take(half).collect();
    format!("{start} … {}", tail.into_iter().rev().collect::<String>())
}
